import { accountObjects } from "./account";
import { MEDIA_PORT } from "./checks";
import { endOn, meetingsOn, node, poll, TURN, type FrontEnd, type PoolOutputs } from "./pool";
import { turn, WAYS_IN } from "./turn";
import { PYTHON, startTool, TOOLS } from "./sandbox";

/** A pool of two servers on its bad days: what front ends are told, and what runs all the same. */

/** Opens meetings by the front end until one of them is on that server. @returns its id */
export async function createOn(front: FrontEnd, number: number, id: string): Promise<string> {
  for (let i = 0; i < 6; i++) {
    const one = `${id}-${i}`;
    await front.create(one);
    if ((await meetingsOn(number)).includes(one)) return one;
  }
  throw new Error(`no meeting came to ${node(number)}`);
}

/** Ends all meetings of both servers. */
export async function endAll(): Promise<void> {
  for (const number of [1, 2]) await endOn(number);
  await poll();
}

/** Answer to a relay to a server's media, as a browser behind a strict firewall needs it. */
export async function relayed({ turnSecret: secret, servers }: PoolOutputs, number: number) {
  const { ipv4 } = servers[node(number)]!;
  const { echo } = await turn({ server: TURN, ...WAYS_IN[0], secret, echo: [[ipv4, MEDIA_PORT]] });
  return echo?.[`${ipv4} ${MEDIA_PORT}`];
}

/** Id of a host at the cloud. */
export async function serverId(fqdn: string): Promise<string> {
  const found = (await accountObjects()).find(({ kind, name }) => kind === "servers" && name === fqdn);
  if (!found) throw new Error(`there is no server ${fqdn}`);
  return found.id;
}

/** Answers to a call that was repeated: seconds since 1970, seconds that it took, and the answer; where it changes. */
export type Seen = readonly (readonly [at: number, took: number, answer: string])[];

/** Repeats calls from the internet, each every half second, until it is stopped. */
export async function watchCalls(urls: Readonly<Record<string, string>>) {
  const watching = await startTool(
    ["--", PYTHON, `${TOOLS}/watch_calls.py`],
    "watching",
    `${JSON.stringify(urls)}\n`,
  );
  return { stop: () => watching.stop<Record<string, Seen>>() };
}
