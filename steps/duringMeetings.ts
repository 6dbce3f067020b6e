import { quote } from "shell-quote";
import type { Client } from "ssh2";

import { converse } from "./converse";

/** Folder in which scripts/host/lib.sh keeps its state. */
const STATE = "/var/lib/bbb-deploy";

/**
 * Writes the setting `duringMeetings` to BigBlueButton's host, for the steps' scripts. In their command lines, a change
 * of it would run them again.
 *
 * @param value Value of the setting; "" removes the one written before.
 * @throws Error
 */
export async function leaveDuringMeetings(
  client: Client,
  { fqdn, user }: { readonly fqdn: string; readonly user: string },
  value: string,
): Promise<void> {
  const { code, stderr } = await converse(client, keepDuringMeetings(user), { input: value });
  if (code === 0) return;
  const said = stderr.trim().split("\n").at(-1);
  const reason = code === undefined ? "the connection was lost" : said || `the command ended with ${code}`;
  throw new Error(
    `The setting duringMeetings could not be written to ${STATE} on ${fqdn}, so no step was run: ${reason}. ${remedy(user)}`,
  );
}

/**
 * Command that keeps its standard input for the scripts, even over a restart of the host; empty input keeps nothing.
 */
export function keepDuringMeetings(user: string, state = STATE): string {
  const script =
    'umask 077 && mkdir -p "$0" && cat >"$0/during-meetings.new" && ' +
    'if [ -s "$0/during-meetings.new" ]; then mv "$0/during-meetings.new" "$0/during-meetings"; ' +
    'else rm -f "$0/during-meetings.new" "$0/during-meetings"; fi';
  return quote([...(user === "root" ? [] : ["sudo", "-n"]), "sh", "-c", script, state]);
}

function remedy(user: string): string {
  const sudo = user === "root" ? "" : `let ${user} use sudo without a password there, `;
  return `Look for a full or read-only disk, ${sudo}then run pulumi up again`;
}
