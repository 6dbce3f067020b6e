/** Command line of scripts/recover, for use after an update that was killed. */
import { readFileSync, writeFileSync } from "node:fs";

import { Command } from "commander";

import { runCommand } from "./commandLine";
import { cloudsOf, openInventories } from "./inventory/open";
import { FAILED, FINE, Mistake } from "../cli/mistake";
import { openStacks } from "./openStacks";
import { agree, say } from "./output";
import type * as AwsRules from "./recover/awsRules";
import { recover } from "./recover/recover";
import { renderPlan } from "./recover/render";
import type { PendingOperation, StackState } from "./recover/state";

interface Options {
  readonly remove?: true;
  readonly yes?: true;
  readonly backup?: string;
  readonly from?: string;
  readonly program?: string;
  readonly sandbox?: true;
}

const command = new Command("scripts/recover")
  .description(
    "After an update that was killed or lost its machine: looks at what it had begun, finds by name and labels what it has " +
      "made at the clouds, and takes that into the stack's state, so that pulumi up goes on. All or nothing; what does " +
      "not bear this stack's labels is not touched.",
  )
  .argument("<stack>")
  .option("--remove", "remove what bears the stack's labels, but is in no state; volumes never")
  .option("--backup <file>", "where the state is kept as it was; default: state-STACK-TIME.json")
  .option(
    "--from <file>",
    "a state that was kept: take the pending operations from there, as after a recovery that failed",
  )
  .option("--yes", "without asking")
  .option("--program <folder>", "of a program that imports the package, whose stack it is")
  .option("--sandbox", "a stack of the cloud inside this machine")
  .addHelpText(
    "after",
    "\nTo have the state as it was: pulumi stack import --stack STACK --file state-STACK-TIME.json" +
      "\nExit code: 0 fine, 1 something failed or is left, 2 a mistake in the command.",
  )
  .action(async (stack: string, { yes, backup, sandbox, program, ...options }: Options) => {
    const remove = options.remove ?? false;
    const stacks = await openStacks(sandbox ?? false, process.stderr, program);
    const settings = await stacks.settings(stack);
    const done = await recover({
      stacks,
      stack,
      inventories: openInventories([settings], [], process.env),
      findRules: (pending) => rulesIn(cloudsOf(settings).regions, pending),
      from: options.from === undefined ? undefined : readState(options.from),
      backUp: (state) => {
        const time = new Date().toISOString().replaceAll(/[-:]|\..*/g, "");
        const file = backup ?? `state-${stack}-${time}.json`;
        writeFileSync(file, JSON.stringify(state, undefined, 2), { mode: 0o600 });
        return file;
      },
      confirm: async (plan) => {
        say(renderPlan(plan, remove));
        if (plan.remedies.length === 0 && !remove) return true;
        return agree(yes, `Bring this into the state of ${stack}${remove ? ", and remove the rest" : ""}?`);
      },
      remove,
      say,
    });
    if (done) say(`now: ${sandbox ? `./scripts/sandbox up --stack ${stack}` : `pulumi up --stack ${stack}`}`);
    process.exitCode = done ? FINE : FAILED;
  });

/** Reads a state from a file. @throws Mistake for any other content */
function readState(file: string): StackState {
  try {
    const { deployment } = JSON.parse(readFileSync(file, "utf8")) as Partial<StackState>;
    if (deployment !== undefined) return { deployment };
  } catch (error) {
    throw new Mistake(`--from ${file}: ${(error as Error).message}`, { cause: error });
  }
  throw new Mistake(`--from ${file}: this is no state of a stack`);
}

async function rulesIn(
  regions: readonly string[],
  pending: readonly PendingOperation[],
): Promise<ReadonlyMap<string, string>> {
  if (regions.length === 0) return new Map();
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loads AWS's clients only where they are needed
  const { findRules } = require("./recover/awsRules") as typeof AwsRules;
  const found = await Promise.all(regions.map((region) => findRules(region, pending)));
  return new Map(found.flatMap((ids) => [...ids]));
}

void runCommand(command, process.argv);
