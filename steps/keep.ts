import { quote } from "shell-quote";
import type { Client } from "ssh2";

import { contentOf, type ScriptFile } from "./bundle";
import { converse } from "./converse";

/** Directory of a host's state, as in scripts/host/lib.sh. */
export const STATE = "/var/lib/bbb-deploy";

/** Values that the steps' scripts find on a host. A command line with them would run again when they change. */
export interface Kept {
  /** Value of the setting; "" removes an earlier one. Undefined when the host has no use for it. */
  readonly duringMeetings?: string;
  /** Lines, one for each step: its script, a blank and its number, e.g. "install-bbb.sh 5/7". */
  readonly numbers: string;
  /** Text that connect.sh installs the scripts by, where it is about to run. */
  readonly installation?: string;
}

/** Host that keeps them. */
export interface Keeper {
  readonly fqdn: string;
  readonly user: string;
  /** Files of scripts/host, with keep.sh. */
  readonly files: readonly ScriptFile[];
}

/**
 * Leaves values on a host for its steps.
 *
 * @throws Error with the reason and a remedy
 */
export async function keep(
  client: Client,
  host: Keeper,
  { duringMeetings, numbers, installation }: Kept,
): Promise<void> {
  await keepOne(client, host, "numbers", "the numbers of the steps", numbers);
  if (duringMeetings !== undefined)
    await keepOne(client, host, "during-meetings", "the setting duringMeetings", duringMeetings);
  if (installation !== undefined)
    await keepOne(client, host, "installation", "the scripts of the steps", installation);
}

async function keepOne(
  client: Client,
  { fqdn, user, files }: Keeper,
  file: string,
  what: string,
  input: string,
) {
  const command = keepCommand(contentOf(files, "keep.sh"), user, `${STATE}/${file}`);
  const { code, stderr } = await converse(client, command, { input });
  if (code === 0) return;
  const said = stderr.trim().split("\n").at(-1);
  const reason = code === undefined ? "the connection was lost" : said || `the command ended with ${code}`;
  throw new Error(
    `${what[0]!.toUpperCase()}${what.slice(1)} could not be written to ${STATE} on ${fqdn}, so no step was run: ${reason}. ${remedy(user)}`,
  );
}

/** Renders the command that keeps its standard input in a file, which outlives a restart of the host. */
export function keepCommand(script: string, user: string, path: string): string {
  return quote([...(user === "root" ? [] : ["sudo", "-n"]), "sh", "-c", script, "keep.sh", path]);
}

function remedy(user: string): string {
  const sudo = user === "root" ? "" : `let ${user} use sudo without a password there, `;
  return `Look for a full or read-only disk, ${sudo}then run pulumi up again`;
}
