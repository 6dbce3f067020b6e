import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

import { onHost, startTool, tool, TOOLS, type Addresses } from "./sandbox";

export interface TurnWish {
  /** Name of the TURN server. */
  readonly server: string;
  readonly port: number;
  readonly transport: "udp" | "tcp" | "tls";
  readonly secret: string;
  readonly family?: "ipv4" | "ipv6";
  readonly relayed?: "ipv4" | "ipv6";
  readonly echo?: readonly (readonly [string, number])[];
  readonly permissions?: readonly (readonly [string, number])[];
  readonly channels?: readonly (readonly [string, number])[];
  /** Seconds until the credentials expire; negative for expired ones. */
  readonly lifetime?: number;
}

export type Answer = "ok" | "timeout" | number;

export interface TurnResult {
  readonly allocate: Answer;
  readonly relayed?: [string, number];
  readonly echo?: Record<string, Answer>;
  readonly permissions?: Record<string, Answer>;
  readonly channels?: Record<string, Answer>;
}

/** Ways in that BigBlueButton's clients are given. */
export const WAYS_IN = [
  { port: 3478, transport: "udp" },
  { port: 443, transport: "tls" },
] as const;

/** All ways in: {@link WAYS_IN}, and a third of the server's. */
export const ALL_WAYS_IN = [...WAYS_IN, { port: 3478, transport: "tcp" }] as const;

/** Opens a TURN session with a deployed TURN server, from the internet, by an independent client. */
export function turn(wish: TurnWish): Promise<TurnResult> {
  return tool<TurnResult>("turn_client", wish);
}

export interface Attempts {
  /** Answers to Allocate, CreatePermission and ChannelBind, by address. */
  readonly answers: Readonly<Record<string, readonly Answer[]>>;
  /** Destinations of datagrams from the TURN host, its loopback included. */
  readonly relayed: readonly string[];
}

/** Tries to have something relayed to each address, with a relay for each; see "try" of turn_client.py. */
export async function tryPeers(
  wish: Omit<TurnWish, "echo" | "permissions" | "channels">,
  addresses: readonly string[],
  port: number,
): Promise<Attempts> {
  const token = `TOKEN${randomBytes(8).toString("hex")}`;
  const watch = await watchRelayed(wish.server, token);
  const peers = addresses.map((address) => [address, port]);
  const result = await tool<{ try: Attempts["answers"] }>("turn_client", { ...wish, token, try: peers });
  return { answers: result.try, relayed: await watch.stop() };
}

async function watchRelayed(fqdn: string, token: string): Promise<{ stop(): Promise<string[]> }> {
  const script = readFileSync(`${TOOLS}/watch_relayed.py`, "utf8");
  const watcher = await startTool(["--at", fqdn, "--", "python3", "-c", script, token], "recording");
  return {
    async stop() {
      await new Promise((done) => setTimeout(done, 500)); // what is still under way
      const { seen, dropped } = await watcher.stop<{ seen: [string, string][]; dropped: number }>();
      if (dropped > 0) throw new Error(`the watcher on ${fqdn} lost ${dropped} packets`);
      return [...new Set(seen.map(([destination]) => destination))].sort();
    },
  };
}

/** First column of a question to coturn's database on a host, as text. */
async function inDatabase(fqdn: string, question: string): Promise<string[]> {
  const rows = await onHost(fqdn, ["sqlite3", "/var/lib/turn/turndb", question]);
  return rows.split("\n").filter(Boolean);
}

/** Addresses that a TURN server relays to. */
export function turnPeers(fqdn: string): Promise<string[]> {
  return inDatabase(fqdn, "SELECT ip_range FROM allowed_peer_ip ORDER BY rowid");
}

/** Secrets by whose credentials a TURN server is used, the newest last. */
export function turnSecrets(fqdn: string): Promise<string[]> {
  return inDatabase(fqdn, "SELECT value FROM bbb_deploy_secret ORDER BY until IS NULL");
}

/** Peers that an open or half-open relay would give access to. */
export function forbiddenPeers(turnHost: Addresses, bbbIpv4: string) {
  const neighbour = bbbIpv4.replace(/\d+$/, (last) => String((Number(last) % 250) + 3));
  const ipv4 = [
    turnHost.ipv4,
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "169.254.169.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.1.1",
    "192.168.1.1",
    "100.64.0.1",
    "192.0.2.10",
    "192.0.2.20",
    "198.51.100.1",
    "8.8.8.8",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "192.0.0.1",
    "198.18.0.1",
    "255.255.255.255",
    neighbour === turnHost.ipv4 ? "203.0.113.254" : neighbour,
  ];
  const ipv6 = [
    turnHost.ipv6,
    "::1",
    "::",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:198.51.100.1",
    `::ffff:${bbbIpv4}`,
    `::ffff:${turnHost.ipv4}`,
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "2002:a00:1::1",
    "2001:0:7f00:1::1",
    "2001:0:c633:6401:0:0:5601:5601",
    "fe80::a9fe:a9fe",
    "fc00::1",
    "fd00:ec2::254",
    "ff05::2",
    "ff0e::1",
    "2000::1",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "2001:db8:ffff::1",
    "2001:db8:fffe:2::20",
  ];
  return { ipv4, ipv6 };
}
