/** A pool in the sandbox: its hosts, calls of its API and of its servers' own, and what its balancer knows. */
import { signedApiUrl } from "../../../bigbluebutton/api";
import { must, onHost, outside } from "./sandbox";

let zone = "example.test";
export let BALANCER = `bbb.${zone}`;
export let TURN = `turn.${zone}`;
/** Full name of a server. */
export const node = (number: number) => `bbb-${number}.${zone}`;

/** Has the pool of a test file be in another zone. */
export function poolIsIn(other: string): void {
  zone = other;
  BALANCER = `bbb.${zone}`;
  TURN = `turn.${zone}`;
}

export interface PoolOutputs {
  readonly apiUrl: string;
  readonly sharedSecret: string;
  readonly turnUrls: readonly string[];
  readonly turnSecret: string;
  readonly servers: Readonly<Record<string, { readonly ipv4: string }>>;
}

/** Arguments of an update to a pool of so many servers. */
export const poolOf = (servers: number, more: readonly string[] = []) => [
  ...["--set", `servers=${servers}`, "--set", "recordingsGb=0", "--set", "drainMinutes=0"],
  ...["--set", 'meetings={"recording":"never"}', ...more],
];

export const poolOutputs = async (stack: readonly string[] = []) =>
  JSON.parse(await must(["outputs", "--json", "--show-secrets", ...stack])) as PoolOutputs;

/** API and its secret: the balancer's, or a server's. */
export interface Api {
  readonly url: string;
  readonly secret: string;
}

export const apiOf = ({ apiUrl, sharedSecret }: PoolOutputs): Api => ({ url: apiUrl, secret: sharedSecret });

export const secretOf = async (number: number) => {
  const text = await onHost(node(number), ["cat", "/etc/bigbluebutton/bbb-web.properties"]);
  return /^securitySalt=(\S+)$/m.exec(text)![1]!;
};

/** API of a server, which only the balancer calls but for tests. */
export const apiOn = async (number: number): Promise<Api> => ({
  url: `https://${node(number)}/bigbluebutton/api`,
  secret: await secretOf(number),
});

/** Answer to a signed call. */
export async function call(
  { url, secret }: Api,
  name: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<string> {
  return (await outside(["curl", "-sS", signedApiUrl(url, name, parameters, secret)])).stdout;
}

/** Passwords of all meetings. */
export const PASSWORDS = { moderatorPW: "moderator", attendeePW: "attendee" };

/** Address by which a browser joins. */
export const joinUrl = ({ url, secret }: Api, meetingID: string, fullName = "Pupil") =>
  signedApiUrl(url, "join", { fullName, meetingID, password: PASSWORDS.attendeePW }, secret);

/** Server to which a join leads. */
async function serverOf(api: Api, id: string): Promise<string | undefined> {
  const url = joinUrl(api, id);
  const { stdout } = await outside(["curl", "-sS", "-o", "/dev/null", "-w", "%{redirect_url}", url]);
  return stdout === "" ? undefined : new URL(stdout).hostname;
}

/** Meeting as its server has it. */
export interface Meeting {
  readonly id: string;
  /** Number of the server. */
  readonly server: number;
  /** A meeting that is made anew under the same id has another. */
  readonly internalId: string;
  readonly people: number;
}

/** Meetings of servers, by their own account, sorted. */
export async function meetingsOf(...numbers: readonly number[]): Promise<Meeting[]> {
  const found = await Promise.all(
    numbers.map(async (server) => {
      const answer = await call(await apiOn(server), "getMeetings");
      return [...answer.matchAll(/<meeting>[^]*?<\/meeting>/g)].map(([text]) => {
        const of = (name: string) => new RegExp(`<${name}>([^<]*)<`).exec(text)?.[1] ?? "";
        return {
          id: of("meetingID"),
          server,
          internalId: of("internalMeetingID"),
          people: Number(of("participantCount")),
        };
      });
    }),
  );
  return found.flat().sort((one, other) => one.id.localeCompare(other.id));
}

/** Ids of the meetings that servers themselves have. */
export const meetingsOn = async (...numbers: readonly number[]) =>
  (await meetingsOf(...numbers)).map(({ id }) => id);

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

/** Run of a unit on a host, which is another after a restart. */
export const runOf = (fqdn: string, unit: string) =>
  onHost(fqdn, ["systemctl", "show", "-P", "InvocationID", unit]);

/** Runs of BigBlueButton on servers. */
export const runsOf = (...numbers: readonly number[]) =>
  Promise.all(numbers.map((number) => runOf(node(number), "bbb-web")));
