/** A class that meets in a pool: people in meetings, and their sound by the TURN server. */
import { MEDIA_PORT } from "./checks";
import {
  apiOf,
  joinUrl,
  meetingsOf,
  meetingsOn,
  node,
  TURN,
  type Api,
  type Meeting,
  type PoolOutputs,
} from "./pool";
import { outside, PYTHON, startTool, TOOLS } from "./sandbox";

/** Joins by all the redirects of a browser, then enters as the client's page does; prints the client's addresses. */
const ENTER = `set -euo pipefail
for url in "$@"; do
  jar=$(mktemp)
  page=$(curl -sSfL -c "$jar" -o /dev/null -w '%{url_effective}' "$url")
  curl -sSf -b "$jar" "\${page%%/html5client*}/bigbluebutton/api/enter?\${page#*\\?}" | grep -q '"returncode": *"SUCCESS"'
  echo "$page"
done`;

/** People join meetings by the balancer. @returns the address that each one's browser shows */
export async function joinAll(api: Api, ids: readonly string[]): Promise<string[]> {
  const urls = ids.map((id, i) => joinUrl(api, id, `Pupil ${i + 1}`));
  const { code, stdout, stderr } = await outside(["bash", "-c", ENTER, "bash", ...urls]);
  if (code !== 0) throw new Error(`a join failed: ${stdout}${stderr}`);
  return stdout.trim().split("\n");
}

/** Traffic of one relay: an echo of the meeting's server. */
export interface Relayed {
  readonly sent: number;
  readonly lost: number;
  /** Seconds without any. */
  readonly longest: number;
}

export interface Relays {
  /** Ends them. @returns the traffic of each, in the order of the meetings */
  stop(): Promise<readonly Relayed[]>;
}

/** Opens a relay of the TURN server for each meeting, to its server, which is used all the time. */
export async function openRelays(out: PoolOutputs, meetings: readonly Meeting[]): Promise<Relays> {
  const peers = meetings.map(({ server }) => [out.servers[node(server)]!.ipv4, MEDIA_PORT]);
  const wish = { server: TURN, port: 443, transport: "tls", secret: out.turnSecret, lifetime: 86_400 };
  const relays = await startTool(
    ["--", PYTHON, `${TOOLS}/turn_load.py`],
    "relaying",
    `${JSON.stringify({ ...wish, do: "class", peers })}\n`,
  );
  return { stop: () => relays.stop<readonly Relayed[]>() };
}

/** Meetings with people in them, each with a relay. */
export interface SchoolClass extends Relays {
  /** Meetings as they were when it began, which nothing may change. */
  readonly meetings: readonly Meeting[];
}

/** Two people join each of the meetings on these servers; then a relay is opened for each meeting. */
export async function startClass(out: PoolOutputs, ...numbers: readonly number[]): Promise<SchoolClass> {
  const ids = await meetingsOn(...numbers);
  await joinAll(apiOf(out), [...ids, ...ids]);
  const meetings = await meetingsOf(...numbers);
  return { meetings, ...(await openRelays(out, meetings)) };
}
