/** Command line of scripts/restore: brings a backup back to a stack's BigBlueButton server. */
import { Command, InvalidArgumentError } from "commander";

import { FAILED, FINE } from "../cli/mistake";
import { runOnServer, serverOf, type ServerOptions } from "./backup/server";
import { runCommand } from "./commandLine";
import { agree, say } from "./output";

const PARTS = ["state", "greenlight", "recordings"] as const;

interface Options extends ServerOptions {
  readonly what: string;
  readonly from?: string;
  readonly host?: string;
  readonly yes?: true;
}

const command = new Command("scripts/restore")
  .description(
    "Brings a backup back to a stack's BigBlueButton server, mostly one that pulumi up has just made anew. Looks at everything " +
      "before it changes anything. What is here already stays: no recording is overwritten, and Greenlight's database as it was is kept in a file.",
  )
  .argument("<stack>")
  .requiredOption("--what <parts>", `what: ${PARTS.join(", ")}, with commas`, parts)
  .option("--from <id>", "of scripts/backup list; default: the latest")
  .option("--host <name>", "server that was saved, if that had another name")
  .option("--yes", "without asking")
  .option("--program <folder>", "of a program that imports the package, whose stack it is")
  .option("--deployment <name>", "one of those that its program makes")
  .option("--sandbox", "a stack of the cloud inside this machine")
  .addHelpText(
    "after",
    "\nKilled, it goes on where it was when it is run again." +
      "\nExit code: 0 fine, 1 something failed or is in the way, 2 a mistake in the command or no such stack.",
  )
  .action(async (stack: string, { what, from, host, yes, ...options }: Options) => {
    const server = await serverOf(stack, options);
    if (!(await agree(yes, `Restore ${what} to ${server.access.request.bbbHost}?`, consequences(what)))) {
      say("nothing was changed");
      process.exitCode = FAILED;
      return;
    }
    const more = [
      ...(from === undefined ? [] : ["--from", from]),
      ...(host === undefined ? [] : ["--host", host]),
    ];
    const well = await runOnServer(server, {
      words: ["restore.py", "now", what, ...more],
      onLine: (line) => void process.stdout.write(`${line}\n`),
    });
    process.exitCode = well ? FINE : FAILED;
  });

/** What each part does, for who is asked. */
function consequences(what: string): string {
  const lines: Readonly<Record<string, string>> = {
    state:
      "state: sets BigBlueButton's keys as they were, puts back files, and restarts it if that changed anything",
    greenlight:
      "greenlight: replaces Greenlight's users and rooms by the backup's; those of now are kept in a file",
    recordings: "recordings: adds those that are missing, and leaves the others as they are",
  };
  return what
    .split(",")
    .map((part) => lines[part])
    .join("\n");
}

function parts(text: string): string {
  const unknown = text.split(",").filter((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown.length === 0) return text;
  throw new InvalidArgumentError(`${unknown.join(", ")}: there are ${PARTS.join(", ")}.`);
}

void runCommand(command, process.argv);
