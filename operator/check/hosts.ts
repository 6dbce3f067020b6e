import type { Client } from "ssh2";
import { z } from "zod";

import type { BalancerRequest, HostCheck, HostRequest } from "../../bigbluebutton/verification";
import { scriptsDirectory } from "../../steps/bundle";
import { converse } from "../../steps/converse";
import { connect, OtherHostKey } from "../../steps/ssh";
import { ask, oneLine, reasonOf, Wrong, type Finding } from "./finding";
import type { PortsOfOther } from "./ports";

/** Distance of a host's clock from this machine's. */
export interface ClockOffset {
  /** Difference in seconds; positive when the host's clock is ahead. */
  readonly seconds: number;
  /** Largest error of the difference, in seconds. */
  readonly uncertainty: number;
}

/** Server of a pool by its own account; null for what it does not know. */
const nodeFigures = z.object({
  meetings: z.number().nullable(),
  breakouts: z.number().nullable(),
  people: z.number().nullable(),
  /** Seconds since the balancer asked it last. */
  polled: z.number().nullable(),
});

/** Server of a pool by its balancer's account, and what it told that one of itself. */
const memberFigures = z.object({
  state: z.enum(["online", "offline", "leaving", "cordoned", "missing"]),
  load: z.number().nullable().catch(null),
  meetings: z.number().nullable(),
  breakouts: z.number().nullable(),
  people: z.number().nullable(),
});

export type NodeFigures = z.infer<typeof nodeFigures>;
export type MemberFigures = z.infer<typeof memberFigures>;

/** Host's findings about itself, and about the deployment as seen from there. */
export interface HostAnswer {
  readonly findings: readonly Finding[];
  /** Clock of the host; undefined for a host that could not be asked. */
  readonly clock?: ClockOffset;
  /** Figures of a pool's server. */
  readonly node?: NodeFigures;
  /** Servers of a pool, by the balancer's account; undefined where Scalelite does not tell. */
  readonly servers?: Readonly<Record<string, MemberFigures>>;
}

/** Options of a host's check, beside the deployment's own request. */
export interface HostOptions {
  /** Also makes, joins and ends a meeting, which leaves traces in logs, statistics and webhooks. */
  readonly meeting: boolean;
  /** Ports of the other host to try. @default none */
  readonly ports?: PortsOfOther;
  /** Has a pool's host tell its figures. `balancer`: the address from which the balancer asks. @default none are told */
  readonly figures?: { readonly balancer: string };
  /** @default 300 */
  readonly limitSeconds?: number;
  /** Command on the host. @default host_check.py, as the deployment installed it */
  readonly command?: string;
}

const line = z.string().transform(oneLine);
const record = z.object({
  name: line,
  asked: line,
  verdict: z.enum(["ok", "warn", "FAIL", "skip"]),
  answer: line,
  seconds: z.number(),
  remedy: line.optional(),
});
const message = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ now: z.number() }),
  z.object({ end: z.literal(true) }),
  z.object({ node: nodeFigures }),
  z.object({ servers: z.record(z.string(), memberFigures) }),
  record,
]);

/** Logs in to a host and has it check itself, by scripts/host/host_check.py there. Changes nothing. */
export async function askHost(
  access: HostCheck<HostRequest | BalancerRequest> & { readonly port?: number },
  privateKey: string,
  options: HostOptions,
): Promise<HostAnswer> {
  const { host, user } = access;
  let client: Client | undefined;
  const login = await ask("SSH", `${user}@${host}`, async () => {
    client = await connect({ ...access, privateKey }).catch((error: Error) => {
      throw new Wrong(reasonOf(error), loginRemedy(error, host));
    });
    return "logged in, the host key is the deployed one";
  });
  if (!client) return { findings: [login] };
  try {
    const answer = await converseWith(client, access, options);
    return { ...answer, findings: [login, ...answer.findings] };
  } finally {
    client.end();
  }
}

function loginRemedy(error: Error & { level?: string }, host: string): string {
  if (error instanceof OtherHostKey) {
    return (
      "find out who answers there; if somebody re-installed the server, have the program make it anew: " +
      "pulumi up --replace with the server's URN (pulumi stack --show-urns)"
    );
  }
  if (error.level === "client-authentication") {
    return (
      `the deployment's key is no more in the authorized_keys of that account on ${host}: put it back by the ` +
      `cloud's console, it is in ${scriptsDirectory}/authorized_keys`
    );
  }
  return "is the server running, is your address among the sshNetworks, and does your own network let port 22 out?";
}

async function converseWith(
  client: Client,
  { user, request }: HostCheck<HostRequest | BalancerRequest>,
  { meeting, ports, figures, limitSeconds = 300, command = hostCheck(user) }: HostOptions,
): Promise<HostAnswer> {
  const findings: Finding[] = [];
  let sent = 0;
  let clock: ClockOffset | undefined;
  let told: Pick<HostAnswer, "node" | "servers"> = {};
  let ended = false;
  const began = performance.now();
  const timer = setTimeout(() => client.destroy(), limitSeconds * 1000);
  const { code, stderr } = await converse(client, command, {
    onLine(line, send) {
      const heard = parse(line);
      if (heard === undefined) return;
      if ("ready" in heard) {
        sent = Date.now();
        send(`${JSON.stringify({ ...request, meeting, ports, figures, wait: 0 })}\n`);
      } else if ("now" in heard) clock = offset(heard.now, sent, Date.now());
      else if ("end" in heard) ended = true;
      else if ("node" in heard || "servers" in heard) told = heard;
      else findings.push(heard);
    },
  })
    .catch((error: unknown) => ({ code: undefined, stderr: reasonOf(error) }))
    .finally(() => clearTimeout(timer));
  if (ended) return { ...told, findings, clock };
  const seconds = Math.round(performance.now() - began) / 1000;
  const broken = { name: "the host's own check", asked: "host_check.py", verdict: "FAIL" as const, seconds };
  return {
    findings: [...findings, { ...broken, ...whyBroken(code, stderr, seconds >= limitSeconds) }],
    clock,
    ...told,
  };
}

function hostCheck(user: string): string {
  return `${user === "root" ? "" : "sudo -n "}/usr/bin/python3 -B ${scriptsDirectory}/host_check.py --json`;
}

/** Parses one line; undefined for other programs' output and for messages of a newer host_check.py. */
function parse(line: string): z.infer<typeof message> | undefined {
  try {
    return message.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Offset of a host's clock that was read between `sent` and `heard`, both of this machine's clock, in milliseconds. */
export function offset(hostSeconds: number, sent: number, heard: number): ClockOffset {
  return { seconds: hostSeconds - (sent + heard) / 2000, uncertainty: (heard - sent) / 2000 };
}

function whyBroken(
  code: number | undefined,
  stderr: string,
  late: boolean,
): Pick<Finding, "answer" | "remedy"> {
  const last = stderr.trim().split("\n").at(-1) ?? "";
  if (late)
    return {
      answer: "not at its end in time",
      remedy: "the host may be overloaded: see uptime and top there",
    };
  if (last.includes("No such file") || last.includes("can't open file")) {
    return {
      answer: "the host does not have it",
      remedy: "an older version deployed it: run pulumi up once",
    };
  }
  if (last.includes("sudo:")) {
    return { answer: last, remedy: "let the account use sudo without a password, as the cloud's images do" };
  }
  return code === undefined
    ? {
        answer: "the connection was lost",
        remedy: "try again; if it stays, look at the host by the cloud's console",
      }
    : {
        answer: `ended with ${code}: ${last || "it said nothing"}`,
        remedy: "run pulumi up once; it installs the scripts anew",
      };
}
