/** Command line of scripts/check, which tells whether the running deployment is still as it should be. */
import { Command } from "commander";

import { check } from "./check/deployment";
import { listObjects } from "./check/listObjects";
import { exitCode, renderReport, reportAsJson } from "./check/report";
import { runCommand } from "./commandLine";
import { onlyStack } from "./deployments";
import { openStacks } from "./openStacks";
import { openServers } from "./servers/open";
import { printJson } from "./output";
import { terminalWidth } from "../cli/width";

interface Options {
  readonly json?: true;
  readonly strict?: true;
  readonly meeting?: true;
  readonly all?: true;
  readonly deployment?: string;
  readonly program?: string;
  readonly sandbox?: true;
}

const command = new Command("scripts/check")
  .description(
    "Whether a running deployment is still what it should be, asked from here, at its clouds and on both servers. " +
      "Changes nothing. Secrets stay in memory.",
  )
  .argument("[stack]", "the stack; not needed where there is only one")
  .option("--json", "one JSON document on standard output")
  .option("--strict", "warnings count as failures, too")
  .option("--meeting", "make, join and end a meeting, too; it shows in the server's logs and statistics")
  .option("--all", "every line of a pool's page, which else counts those in which all is well")
  .option("--program <folder>", "of a program that imports the package, whose stack it is")
  .option("--deployment <name>", "one of those that its program makes; default: all")
  .option("--sandbox", "a stack of the cloud inside this machine")
  .addHelpText(
    "after",
    "\nExit code, for monitoring: 0 all is well, 1 something is not (FAIL), 2 a mistake in the command or no such stack, " +
      "3 the server is parked, and nothing else is wrong.",
  )
  .action(async (name: string | undefined, { json, strict, all, ...options }: Options) => {
    const { meeting, deployment, program, sandbox } = options;
    const stacks = await openStacks(sandbox ?? false, process.stderr, program);
    const stack = name ?? (await onlyStack(stacks, "scripts/check"));
    const list = listObjects(() => stacks.settings(stack), process.env);
    const report = await check(stacks, list, {
      ...{ stack, deployment, meeting: meeting ?? false },
      // A component's server is parked by nothing.
      ...(program === undefined && {
        servers: async () => openServers(await stacks.settings(stack), process.env),
      }),
    });
    if (json) printJson(reportAsJson(report));
    else process.stdout.write(renderReport(report, terminalWidth(), all));
    process.exitCode = exitCode(report, strict ?? false);
  });

void runCommand(command, process.argv).finally(() => {
  // What did not answer in time may still be waited for.
  process.stdout.write("", () => process.exit());
});
