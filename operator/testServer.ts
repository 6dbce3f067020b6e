/** Command line of scripts/test-server: test servers that remove themselves. */
import { Command, Option } from "commander";

import { runCommand } from "./commandLine";
import type { CloudName } from "./inventory";
import { collect } from "../cli/collect";
import { FAILED, FINE, Mistake } from "../cli/mistake";
import { openStacks, PROJECT_DIR } from "./openStacks";
import { takeInterrupts } from "./interrupts";
import { agree, printJson, say } from "./output";
import { parseSets, readProjectFile, type StackSettings } from "../cli/stackFiles";
import type { Stacks } from "./stacks";
import { down, extend, up } from "./testServers/change";
import { iso, parseTtl, relative } from "./testServers/duration";
import { assertLike, defaultLike, settingsLike } from "./testServers/like";
import { reap } from "./testServers/reap";
import * as render from "./testServers/render";
import { stackOf } from "./testServers/settings";
import { openWorld } from "./testServers/open";
import { look, type World } from "./testServers/world";
import { terminalWidth } from "../cli/width";

interface Common {
  readonly json?: true;
  readonly sandbox?: true;
  readonly cloud?: CloudName;
}

const program = new Command("scripts/test-server")
  .description("Test servers that remove themselves: each with a stack, host names and an expiry of its own.")
  .option("--json", "one JSON document on standard output, everything else on standard error")
  .option("--sandbox", "on a cloud inside this machine, which needs no account and no pulumi")
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    "after",
    "\nExit code: 0 fine, 1 something failed or is left, 2 a mistake in the command or its settings.",
  )
  .showSuggestionAfterError();

const cloudOption = (text: string): Option => new Option("--cloud <cloud>", text).choices(["hetzner", "aws"]);

function command(name: string, description: string): Command {
  return program.command(name).description(description);
}

command("up", "make a test server, or go on with one whose making was cut off")
  .option("--ttl <time>", "how long it lives, from now: 30m, 4h, 2d; default: 4h")
  .option("--name <name>", "letters, digits, hyphens; default: six at random")
  .option("--release <release>", "the BigBlueButton release; default: that of the stack that it is made like")
  .addOption(cloudOption("where; default: as the stack that it is made like"))
  .option(
    "--like <stack>",
    "take domain, e-mail, SSH networks and place from Pulumi.<stack>.yaml; default: test, or staging",
  )
  .option("--set <key=value>", "a setting of the program, lists as JSON; repeatable", collect, [])
  .action(
    run(async (options: Common & UpArguments) => {
      const set = parseSets(options.set, readProjectFile(PROJECT_DIR).types);
      if (options.ttl !== undefined) parseTtl(options.ttl);
      if (options.name !== undefined) stackOf(options.name);
      if (options.like !== undefined) assertLike(options.like);
      const stacks = await openStacks(options.sandbox ?? false, process.stderr);
      const world = open(stacks, options);
      const made = await up(world, { ...options, set, like: () => likeSettings(stacks, options) });
      if (options.json) printJson(render.madeJson(made));
      else process.stdout.write(`${render.renderMade(made, self(options), new Date())}\n`);
      if (made.problem === undefined) return FINE;
      say(`error: ${made.problem}`);
      say(
        `go on with it: ${self(options)} up --name ${made.name}; take it down: ${self(options)} down ${made.name}; ` +
          `left alone, reap removes it ${relative(made.expires, new Date())}`,
      );
      return FAILED;
    }),
  );

command("list", "show the test servers, and when each of them goes")
  .addOption(cloudOption("look there too, whatever the settings use"))
  .action(
    run(async (options: Common) => {
      const stacks = await openStacks(options.sandbox ?? false, process.stderr);
      const { servers, problems } = await look(open(stacks, options));
      const now = new Date();
      if (options.json) printJson(servers.map((server) => render.serverJson(server, now)));
      else process.stdout.write(`${render.renderServers(servers, now, terminalWidth())}\n`);
      return problems.length === 0 ? FINE : FAILED;
    }),
  );

command("extend", "have a test server stay longer; only its labels change")
  .argument("<name>")
  .option("--ttl <time>", "how much longer: 30m, 4h, 2d", "2h")
  .action(
    run(async ({ ttl, ...options }: Common & { ttl: string }, name: string) => {
      parseTtl(ttl);
      stackOf(name);
      const stacks = await openStacks(options.sandbox ?? false, process.stderr);
      const { expires, ...rest } = await extend(open(stacks, options), name, ttl);
      if (options.json) printJson({ ...rest, expires: iso(expires) });
      else process.stdout.write(`${rest.name} expires ${iso(expires)}, ${relative(expires, new Date())}\n`);
      return FINE;
    }),
  );

command("down", "take a test server down")
  .argument("<name>")
  .option("--force", "even while meetings run on it")
  .option("--if-there", "one that is gone already is no mistake, as for a CI job")
  .option("--yes", "without asking")
  .action(
    run(async (options: Common & { force?: true; ifThere?: true; yes?: true }, name: string) => {
      stackOf(name);
      const stacks = await openStacks(options.sandbox ?? false, process.stderr);
      const world = open(stacks, options);
      const retirement = await down(world, name, {
        force: options.force ?? false,
        ifThere: options.ifThere ?? false,
        confirm: (server) =>
          agree(options.yes, `Remove test server ${server.name} (${server.url ?? server.stack}) for good?`),
      });
      const { stack, outcome, reason } = retirement;
      if (options.json) printJson({ name, stack, outcome, ...(reason === undefined ? {} : { reason }) });
      else process.stdout.write(`${render.renderRetirement(retirement)}\n`);
      return outcome === "removed" || outcome === "gone" ? FINE : FAILED;
    }),
  );

command("reap", "remove every test server whose time is up; show, and if told remove, what belongs to none")
  .option("--yes", "without asking")
  .option("--orphans", "look for resources with an expiry that no stack known here has")
  .option("--remove", "and remove them")
  .option("--expired", "only those of them whose time is up, as where people use backends of their own")
  .option("--wait <time>", "for a test server that another command is at work on: 0, 30m", "10m")
  .addOption(cloudOption("look there too, whatever the settings use"))
  .action(
    run(async (options: Common & ReapArguments) => {
      if (options.remove && !options.orphans) throw new Mistake("--remove is for orphans: add --orphans");
      const waitSeconds = options.wait === "0" ? 0 : parseTtl(options.wait, "--wait");
      const stacks = await openStacks(options.sandbox ?? false, process.stderr);
      const world = open(stacks, options);
      const result = await reap(world, {
        orphans: options.orphans ?? false,
        remove: options.remove ?? false,
        expiredOnly: options.expired ?? false,
        waitSeconds,
        confirm: (due) =>
          agree(
            options.yes,
            `Remove ${render.summaryOfDue(due)} for good?`,
            render.renderDue(due, new Date(), terminalWidth(process.stderr)),
          ),
      });
      if (options.json) printJson(render.reapJson(result));
      else process.stdout.write(`${render.renderReap(result, self(options), new Date(), terminalWidth())}\n`);
      return result.clean ? FINE : FAILED;
    }),
  );

interface UpArguments {
  readonly ttl?: string;
  readonly name?: string;
  readonly release?: string;
  readonly cloud?: CloudName;
  readonly like?: string;
  readonly set: string[];
}

interface ReapArguments {
  readonly yes?: true;
  readonly orphans?: true;
  readonly remove?: true;
  readonly expired?: true;
  readonly wait: string;
  readonly cloud?: CloudName;
}

/** Command with which the caller runs this again. */
function self({ sandbox }: Common): string {
  return `./scripts/test-server${sandbox ? " --sandbox" : ""}`;
}

function open(stacks: Stacks, { cloud }: Common): World {
  return openWorld(stacks, { cloud, like: () => likeSettings(stacks, {}), interrupted });
}

/** Settings of the stack that new test servers resemble: --like, or Pulumi.test.yaml, or Pulumi.staging.yaml. */
function likeSettings(stacks: Stacks, options: Partial<UpArguments>): Promise<StackSettings> {
  const asked = [...(options.set ?? []), ...(options.release ? [`release=${options.release}`] : [])];
  return settingsLike(stacks, options.like ?? defaultLike(), { asked, cloud: options.cloud });
}

/** Makes an action whose result is the exit code. */
function run<A, O extends object>(
  action: (options: O & Common, argument: A) => Promise<number>,
): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const [argument, options] = args.length > 2 ? args : [undefined, args[0]];
    process.exitCode = await action({ ...program.opts<Common>(), ...(options as O) }, argument as A);
  };
}

const interrupted = takeInterrupts();

void runCommand(program, process.argv);
