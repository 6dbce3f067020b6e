import { connect } from "node:net";

import ipaddr from "ipaddr.js";

import type { PortRule } from "../../bigbluebutton/ports";
import { releases, type Release } from "../../bigbluebutton/releases";
import { Doubtful, worst, Wrong } from "./finding";

/** Response of a host at a TCP port: a connection, a refusal by the host, or nothing, as firewalls do. */
export type PortState = "open" | "refused" | "silent";

/** Tries a port. */
export type Probe = (host: string, port: number) => Promise<PortState>;

const SILENCE_MS = 4000;

/**
 * Ports that must be closed from outside, even though programs listen there on every address: FreeSWITCH's event
 * socket, SIP and SIP over WebSocket, LiveKit; coturn's console. Only the cloud's firewall closes them. On a balancer
 * Scalelite, PostgreSQL and Redis listen on loopback.
 */
const CLOSED = { bbb: [8021, 5060, 5066, 7880], turn: [5766], balancer: [3000, 5432, 6379] } as const;

/** Role of a host with ports. */
type PortRole = keyof typeof CLOSED;

/** Ports at which only certbot listens, during a renewal. */
const QUIET = { bbb: [], turn: [80], balancer: [] } as const;

const ATTACH = "attach the firewall again: pulumi refresh, then pulumi up";

const NGINX = "on that host: nginx -t says what is wrong with its settings; then systemctl restart nginx";

const LISTENER = {
  bbb: NGINX,
  balancer: NGINX,
  turn: "on that host: systemctl restart coturn; journalctl -u coturn says why it does not listen",
} as const;

const probe: Probe = (host, port) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: SILENCE_MS });
    const end = (state: PortState) => {
      socket.destroy();
      resolve(state);
    };
    socket.once("connect", () => end("open"));
    socket.once("timeout", () => end("silent"));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.destroy();
      if (error.code === "ECONNREFUSED") resolve("refused");
      else if (error.code === "ETIMEDOUT") resolve("silent");
      else reject(error);
    });
  });

/** Ports of a release's hosts; undefined for one that this program no longer has. */
export function knownPorts(release: string): Release["ports"] | undefined {
  return (releases as Readonly<Record<string, Release | undefined>>)[release]?.ports;
}

/** TCP ports of a table that are single ports; the used ports of a range are unknown. */
export function tcpPorts(rules: readonly PortRule[]): number[] {
  return rules.filter(({ protocol, from, to }) => protocol === "tcp" && from === to).map(({ from }) => from);
}

const SSH_PORT = 22;

/** TCP ports for a host to try at the other one; see scripts/host/port_check.py. */
export interface PortsOfOther {
  readonly host: string;
  readonly open: readonly number[];
  /** Open ports at which no program listens most of the time. */
  readonly quiet: readonly number[];
  readonly closed: readonly number[];
}

/** Arguments of {@link portsOfOther}. */
export interface PortsOfOtherArgs {
  readonly host: string;
  readonly role: PortRole;
  readonly rules: readonly PortRule[];
  /** IPv4 address of the asking host, which may be among the networks that reach SSH. */
  readonly from: string;
  readonly sshNetworks: readonly string[];
}

export function portsOfOther({ host, role, rules, from, sshNetworks }: PortsOfOtherArgs): PortsOfOther {
  const open = tcpPorts(rules);
  const ssh = sshNetworks.some((network) => contains(network, from)) ? [] : [SSH_PORT];
  const closed = [...ssh, ...CLOSED[role]].filter((port) => !open.includes(port));
  return { host, open, quiet: QUIET[role], closed };
}

function contains(network: string, address: string): boolean {
  const [base, bits] = ipaddr.parseCIDR(network);
  const parsed = ipaddr.parse(address);
  return parsed.kind() === base.kind() && parsed.match(base, bits);
}

/** Checks from here that a host is open at the ports of the release's table, and closed at some that must be. */
export async function checkPorts(
  role: PortRole,
  host: string,
  rules: readonly PortRule[],
  tried: Probe = probe,
): Promise<string> {
  const ask = async (port: number) => ({ port, state: await tried(host, port) });
  const open = tcpPorts(rules);
  const closed = CLOSED[role].filter((port) => !open.includes(port));
  const [wanted, unwanted] = await Promise.all([Promise.all(open.map(ask)), Promise.all(closed.map(ask))]);
  const ports = (all: readonly { port: number; state: PortState }[], state: PortState) =>
    all.filter((one) => one.state === state).map(({ port }) => port);
  const idle = ports(wanted, "refused").filter((port) => !(QUIET[role] as readonly number[]).includes(port));
  const wrong = [
    ...finding(ports(wanted, "silent"), noAnswer),
    ...finding(idle, (list) => new Wrong(`nobody listens at ${list}`, LISTENER[role])),
    ...finding(ports(unwanted, "open"), (list) => new Wrong(`open to outside: ${list}`, ATTACH)),
    ...finding(ports(unwanted, "refused"), unfiltered),
  ];
  return worst(wrong.length > 0 ? wrong : [`${open.join(", ")} let in, ${closed.join(", ")} not`]);
}

function finding(ports: readonly number[], tell: (list: string) => Wrong): Wrong[] {
  return ports.length > 0 ? [tell(ports.join(", "))] : [];
}

function noAnswer(list: string): Wrong {
  return new Wrong(
    `no answer at ${list}`,
    `the firewall must let ${list}/tcp in: pulumi refresh, then pulumi up; the host's own check "firewall" tells of one there; does your own network let it out?`,
  );
}

function unfiltered(list: string): Doubtful {
  return new Doubtful(`${list} get to the host, which refuses them itself: is the firewall gone?`, ATTACH);
}
