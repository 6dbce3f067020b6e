/** A pool in the sandbox: its hosts, calls of its API, and a class that meets in it. */
import { signedApiUrl } from "../../../bigbluebutton/api";
import { MEDIA_PORT } from "./checks";
import { must, onHost, outside, PYTHON, startTool, TOOLS } from "./sandbox";

export const BALANCER = "bbb.example.test";
export const TURN = "turn.example.test";
/** Full name of a server. */
export const node = (number: number) => `bbb-${number}.example.test`;

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
export async function serverOf(api: Api, id: string): Promise<string | undefined> {
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

/** Meetings with people in them, each with a relay of the TURN server to its server. */
export interface SchoolClass {
  /** Meetings as they were when it began, which nothing may change. */
  readonly meetings: readonly Meeting[];
  /** Ends the relays. */
  stop(): Promise<readonly Relayed[]>;
}

/** Two people join each of the meetings on these servers; then a relay is opened for each meeting, and used all the time. */
export async function startClass(out: PoolOutputs, ...numbers: readonly number[]): Promise<SchoolClass> {
  const ids = (await meetingsOf(...numbers)).map(({ id }) => id);
  await joinAll(apiOf(out), [...ids, ...ids]);
  const meetings = await meetingsOf(...numbers);
  const peers = meetings.map(({ server }) => [out.servers[node(server)]!.ipv4, MEDIA_PORT]);
  const wish = { server: TURN, port: 443, transport: "tls", secret: out.turnSecret, lifetime: 86_400 };
  const relays = await startTool(
    ["--", PYTHON, `${TOOLS}/turn_load.py`],
    "relaying",
    `${JSON.stringify({ ...wish, do: "class", peers })}\n`,
  );
  return { meetings, stop: () => relays.stop<readonly Relayed[]>() };
}
