/** The sandbox's command line; scripts/sandbox has done the set-up and holds the lock. */
import { Command, CommanderError, Option } from "commander";

import { benchmark, type BenchmarkOptions } from "./benchmark";
import { execute } from "./commands/exec";
import { collect } from "../cli/collect";
import { Mistake } from "../cli/mistake";
import { operate } from "./commands/operator";
import { showOutputs } from "./commands/outputs";
import { reset } from "./commands/reset";
import { showStatus } from "./commands/status";
import { readMessages, renderMessages } from "./services/messages";
import type { Engine } from "./commands/stacks";
import { startSandbox } from "./commands/start";
import { update, type UpdateOptions } from "./commands/update";

interface StackOptions {
  readonly stack: string;
  readonly engine: "auto" | Engine;
}

const program = new Command("scripts/sandbox")
  .description("A cloud on this one machine, and the deployment of BigBlueButton in it.")
  .showSuggestionAfterError()
  .enablePositionalOptions()
  // Before the commands, which take it from here.
  .exitOverride();

const stackOption = (): Option => new Option("--stack <name>", "the stack").default("sandbox");
const engineOption = (): Option =>
  new Option("--engine <engine>", "what carries the program out; auto: pulumi where it is on PATH")
    .choices(["auto", "embedded", "pulumi"])
    .default("auto");

const updates = {
  up: "start the sandbox and deploy in it, or bring what is deployed to what the program says",
  preview: "show what up would do",
  refresh: "bring the state to what the cloud has: what was deleted there is forgotten, and up makes it anew",
  destroy: "remove what is deployed, but for what is protected",
} as const;

for (const [action, description] of Object.entries(updates) as [keyof typeof updates, string][]) {
  const command = program
    .command(action)
    .description(description)
    .addOption(stackOption())
    .addOption(
      new Option(
        "--cloud <cloud>",
        "the emulated cloud; default: the one that the stack is in, or hetzner",
      ).choices(["hetzner", "aws"]),
    )
    .addOption(engineOption())
    .option("--set <key=value>", "a setting of the program, lists as JSON; repeatable", collect, [])
    .option(
      "--program <folder>",
      "another program, which imports the package; it gets what the sandbox needs as its setting common",
    )
    .action(async (options: UpdateOptions) => {
      process.exitCode = await update(action, options);
    });
  if (action === "up") {
    command.option(
      "--no-adopt",
      "after a kill, do as the Pulumi CLI: leave what was being made to scripts/recover",
    );
  }
  if (action === "up" || action === "preview") {
    command.option(
      "--replace <name>",
      "a resource to replace by a new one, e.g. bbb-host-server; repeatable",
      collect,
      [],
    );
  }
}

program
  .command("outputs")
  .description("show the stack's outputs")
  .argument("[name]", "one output only, its value as it is; or the stack, if there is one of that name")
  .addOption(stackOption())
  .addOption(engineOption())
  .option("--json", "as JSON")
  .option("--show-secrets", "secrets in plain text")
  .action(async (name: string | undefined, options: StackOptions & { json?: true; showSecrets?: true }) => {
    process.exitCode = await showOutputs(name, options);
  });

program
  .command("status")
  .description("show hosts, processes, API calls that changed something, and SSH connections")
  .option("--json", "as JSON")
  .action(async (options: { json?: true }) => {
    await showStatus(options);
  });

program
  .command("messages")
  .description("show the e-mails and webhooks that the hosts sent to mail.sandbox.test")
  .option("--json", "as JSON")
  .action(({ json }: { json?: true }) => {
    const messages = readMessages();
    process.stdout.write(json ? `${JSON.stringify(messages)}\n` : renderMessages(messages));
  });

program
  .command("exec")
  .description("run a command as an outside client, or as root on a host")
  .addOption(new Option("--at <fqdn>", "on the host of that name").conflicts("as"))
  .addOption(
    new Option(
      "--as <client>",
      "as which outside client; only operator may use SSH; default: internet",
    ).choices(["internet", "operator"]),
  )
  .argument("<command...>", "behind --")
  .passThroughOptions()
  .action(async (command: string[], options: { at?: string; as?: "internet" | "operator" }) => {
    process.exitCode = await execute(command, options);
  });

program
  .command("start", { hidden: true })
  .description("start the sandbox, where it does not run, without deploying anything")
  .action(startSandbox);

program
  .command("operator", { hidden: true })
  .description("run one of the operator's commands in the sandbox: as scripts/test-server --sandbox does")
  .argument("<name>", "of a file in operator/")
  .argument("[arguments...]")
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (name: string, args: string[]) => {
    process.exitCode = await operate(name, args);
  });

program
  .command("benchmark", { hidden: true })
  .description(
    "deploy a stack of its own, measure the deployment, what an update without changes takes and what alerts cost, and destroy it",
  )
  .addOption(new Option("--runs <count>", "how many updates without changes").default(5).argParser(Number))
  .option("--against <revision>", "compare an update without changes with that of this revision's program")
  .addOption(
    new Option(
      "--images <count>",
      "how many deployments from images to compare with as many without",
    ).argParser(Number),
  )
  .option("--pool", "measure a pool instead of all else")
  .action(async (options: BenchmarkOptions) => {
    process.exitCode = await benchmark(options);
  });

program
  .command("reset")
  .description("remove the sandbox: every process, mount, namespace, loop device and all state")
  .option("--cache", "and what the set-up built")
  .action(async (options: { cache?: true }) => {
    await reset(options);
  });

/** Exit code of an error: 2 for one that the caller can put right, before anything was done; else 1. */
function exitCodeOf(error: unknown): 0 | 1 | 2 {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof Mistake ? 2 : 1;
}

program.parseAsync().catch((error: unknown) => {
  process.exitCode = exitCodeOf(error);
  // Commander has told its own.
  if (error instanceof CommanderError) return;
  const known = error instanceof Mistake || process.env.BBB_SANDBOX_DEBUG === undefined;
  const text =
    error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`error: ${text}\n`);
});
