/** Command line of scripts/wake: brings a parked server back. */
import { Command } from "commander";

import { FAILED, FINE } from "../cli/mistake";
import { runCommand } from "./commandLine";
import { agree, say } from "./output";
import { openWorld } from "./park/open";
import { wake } from "./park/wake";
import { minute } from "./park/world";

interface Options {
  readonly yes?: true;
  readonly sandbox?: true;
}

const command = new Command("scripts/wake")
  .description(
    "Brings a server back that scripts/park has parked, as it was, with a certificate that is good, and waits until it works. " +
      "The TURN server comes back with it, if it was parked.",
  )
  .argument("<stack>")
  .option("--yes", "without asking")
  .option("--sandbox", "a stack of the cloud inside this machine")
  .addHelpText(
    "after",
    "\nCut off anywhere, it goes on when it is run again. A snapshot stays until its server works." +
      "\nExit code: 0 fine, 1 something failed, 2 a mistake in the command or nothing is parked.",
  )
  .action(async (stack: string, { yes, sandbox }: Options) => {
    const world = await openWorld(stack, sandbox ?? false);
    const done = await wake(world, {
      confirm: (since) =>
        agree(yes, `Wake ${world.bbb.fqdn}${since === undefined ? "" : `, parked since ${minute(since)}`}?`),
    });
    if (!done) say("nothing was changed");
    process.exitCode = done ? FINE : FAILED;
  });

void runCommand(command, process.argv);
