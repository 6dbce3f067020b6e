import { signedApiUrl } from "../../../bigbluebutton/api";
import { accountObjects } from "./account";
import { MEDIA_PORT } from "./checks";
import {
  apiOf,
  apiOn,
  BALANCER,
  call,
  joinUrl,
  meetingsOf,
  node,
  PASSWORDS,
  serverOf,
  TURN,
  type PoolOutputs,
} from "./pool";
import { turn, WAYS_IN } from "./turn";
import { onHost, PYTHON, startTool, TOOLS } from "./sandbox";

/** A pool of two servers on its bad days: what its balancer takes its servers for, what front ends are told, and what runs all the same. */

export const rake = (task: string) => onHost(BALANCER, ["docker", "exec", "scalelite-api", "bin/rake", task]);
/** Has the balancer poll its servers now. */
export const poll = () => rake("poll:all");

/** Server as the balancer has it. */
interface Known {
  readonly state: string;
  readonly online: boolean;
  readonly leaving: boolean;
}

export async function known(): Promise<Readonly<Record<string, Known>>> {
  const text = await onHost(BALANCER, ["python3", "-B", "/usr/local/lib/bbb-deploy/pool.py", "show"]);
  return (JSON.parse(text) as { servers: Readonly<Record<string, Known>> }).servers;
}

export type FrontEnd = ReturnType<typeof frontEnd>;

/** Front end of a pool. */
export function frontEnd(out: PoolOutputs) {
  const api = apiOf(out);
  const tryCreate = (id: string) => call(api, "create", { meetingID: id, name: id, ...PASSWORDS });
  return {
    call: (name: string, parameters?: Readonly<Record<string, string>>) => call(api, name, parameters),
    /** Tries to create a meeting: the answer. */
    tryCreate,
    /** Creates a meeting, and has its load count. */
    async create(id: string): Promise<void> {
      expect(await tryCreate(id)).toContain("<returncode>SUCCESS</returncode>");
      await poll();
    },
    joinUrl: (id: string) => joinUrl(api, id),
    getMeetingsUrl: signedApiUrl(api.url, "getMeetings", {}, api.secret),
    /** Server to which a join leads; undefined where it is refused. */
    serverOf: (id: string) => serverOf(api, id),
  };
}

/** Ids of the meetings that a server itself has. */
export const meetingsOn = async (number: number) => (await meetingsOf(number)).map(({ id }) => id);

/** Opens a meeting on a server, of which the balancer knows nothing. */
export async function openOn(number: number, id: string): Promise<void> {
  const answer = await call(await apiOn(number), "create", { meetingID: id, name: id, ...PASSWORDS });
  expect(answer).toContain("<returncode>SUCCESS</returncode>");
}

/** Ends meetings of a server, by default all, at the server itself. */
export async function endOn(number: number, ids?: readonly string[]): Promise<void> {
  const api = await apiOn(number);
  const going = ids ?? (await meetingsOn(number));
  for (const meetingID of going) await call(api, "end", { meetingID, password: PASSWORDS.moderatorPW });
  expect((await meetingsOn(number)).filter((id) => going.includes(id))).toEqual([]);
}

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
