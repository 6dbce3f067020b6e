import { isIP } from "node:net";

import { RELAY_PORTS, TURN_PORT, TURNS_PORT } from "./ports";

/** Paths on the TURN host: {@link renderTurnServerConf} refers to them, and the host's scripts write them. */
export const coturnPaths = {
  config: "/etc/turnserver.conf",
  certificate: "/etc/turnserver/fullchain.pem",
  privateKey: "/etc/turnserver/privkey.pem",
  /** SQLite database that the package makes: peers and secrets, which coturn reads as it runs. */
  database: "/var/lib/turn/turndb",
  /** Log, in a directory of its own, which user turnserver can write to and logrotate watches. */
  log: "/var/log/turnserver/turnserver.log",
} as const;

/**
 * Limits of coturn. A browser takes a relay for each of its connections, by each URL of turnStunServers.ts and each of
 * IPv4 and IPv6, even if it never uses it: 4 a connection (measured with Chromium 156, tests/e2e/browser).
 * BigBlueButton has a connection for each stream; LiveKit has all streams in one.
 */
export const quotas = {
  /**
   * Simultaneous relays of one client. BigBlueButton's FAQ reckons with 20 cameras in a meeting: with sound, screen and
   * its own camera that is 23 connections, 92 relays. A laptop with Wi-Fi and a cable takes them on both, and a client
   * that was cut off comes back before its old ones expire: 4 times 92 are 368.
   */
  perUser: 384,
  /**
   * Simultaneous relays of all clients: 200 people, the most that a server is for (FAQ), each with 12 connections.
   * There are 32767 ports. coturn needs up to 75 kB for each (measured over TLS): 720 MB.
   */
  total: 9600,
  /**
   * Bytes a second, each way, of one relay: 10 Mbit/s. 20 cameras of 0.4 Mbit/s, the screen's 1 and sound make 9.1
   * (https://wiki.meet.coop/wiki/BBB_Bandwidth). coturn drops the excess.
   */
  maxBps: 1_250_000,
} as const;

/** Arguments of {@link renderTurnServerConf}. */
export interface TurnServerConfArgs {
  /** Name of the TURN server. */
  readonly realm: string;
  /** Addresses of the host's interface, IPv4 or IPv6: behind NAT the private IPv4 one. */
  readonly listeningAddresses: readonly string[];
  /** Public address, and the interface's address that it leads to. Only behind NAT. */
  readonly externalIp?: { readonly public: string; readonly private: string };
  /** @default coturnPaths.certificate */
  readonly certificate?: string;
  /** @default coturnPaths.privateKey */
  readonly privateKey?: string;
}

/**
 * Renders /etc/turnserver.conf of a TURN server apart from BigBlueButton's host, for the coturn 4.6.1 of Ubuntu 24.04.
 * Peers and secrets are not in it, which would need a restart for each: {@link renderTurnAccess}.
 *
 * Sources: BigBlueButton's docs (administration/turn-server), the hardening of ebbba's Ansible role, and the faults of
 * bbb-install's own (https://github.com/bigbluebutton/bbb-install/issues/703).
 *
 * @throws Error naming an argument that the file would not hold unchanged, or that would open the relay
 */
export function renderTurnServerConf(args: TurnServerConfArgs): string {
  checkArgs(args);
  const { realm, listeningAddresses, externalIp } = args;
  return [
    "# Written by the deployment; changes made here are lost at the next update.",
    "",
    "# STUN and TURN over UDP and TCP; TURN over TLS on TCP only",
    `listening-port=${TURN_PORT}`,
    `tls-listening-port=${TURNS_PORT}`,
    "no-dtls",
    ...listeningAddresses.map((address) => `listening-ip=${address}`),
    ...listeningAddresses.map((address) => `relay-ip=${address}`),
    ...(externalIp ? [`external-ip=${externalIp.public}/${externalIp.private}`] : []),
    `min-port=${RELAY_PORTS.from}`,
    `max-port=${RELAY_PORTS.to}`,
    "",
    "# Time-limited credentials, made by BigBlueButton from the shared secret, which is in the database",
    "use-auth-secret",
    `userdb=${coturnPaths.database}`,
    `realm=${realm}`,
    "fingerprint",
    "stale-nonce=600",
    "",
    "# TLS 1.2, the newest that coturn 4.6 takes, with forward secrecy and authenticated encryption",
    `cert=${args.certificate ?? coturnPaths.certificate}`,
    `pkey=${args.privateKey ?? coturnPaths.privateKey}`,
    "no-tlsv1",
    "no-tlsv1_1",
    "cipher-list=ECDHE+AESGCM:ECDHE+CHACHA20",
    "",
    "# Relay to nobody but the BigBlueButton servers: those of the database win over what is denied",
    "denied-peer-ip=0.0.0.0-255.255.255.255",
    "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "no-multicast-peers",
    "no-tcp-relay",
    "",
    "# Nothing that a BigBlueButton client does not use",
    "no-cli",
    "no-rfc5780",
    "no-stun-backward-compatibility",
    "response-origin-only-with-rfc5780",
    "no-software-attribute",
    "",
    "# Relays of one client and of all, and the bytes a second of each; the capacity books that for every relay, idle or not",
    `user-quota=${quotas.perUser}`,
    `total-quota=${quotas.total}`,
    `max-bps=${quotas.maxBps}`,
    `bps-capacity=${quotas.total * quotas.maxBps}`,
    "max-allocate-timeout=60",
    "",
    `log-file=${coturnPaths.log}`,
    "simple-log",
    "new-log-timestamp",
    "",
  ].join("\n");
}

function checkArgs(args: TurnServerConfArgs): void {
  for (const key of ["realm", "certificate", "privateKey"] as const) checkPlain(key, args[key]);
  checkAddresses([
    ...args.listeningAddresses,
    ...(args.externalIp ? [args.externalIp.public, args.externalIp.private] : []),
  ]);
  if (args.listeningAddresses.length === 0) {
    throw new Error("coturn: no listening address, so it would listen on every one");
  }
}

/** Arguments of {@link renderTurnAccess}. */
export interface TurnAccessArgs {
  /** Name of the TURN server. */
  readonly realm: string;
  /** Secret shared with BigBlueButton, which makes each client's time-limited credentials from it. */
  readonly secret: string;
  /** Addresses of the BigBlueButton servers, public and private, IPv4 and IPv6: the only ones relayed to. */
  readonly peers: readonly string[];
}

/**
 * Renders the request of scripts/host/turn_access.py: whom coturn relays to, and whose credentials it takes, from now on
 * and without a restart. It holds the secret.
 *
 * @throws Error naming an argument that would open the relay, or close it
 */
export function renderTurnAccess({ realm, secret, peers }: TurnAccessArgs): string {
  checkPlain("realm", realm);
  checkPlain("secret", secret);
  checkAddresses(peers);
  if (peers.length === 0) throw new Error("coturn: no peer, so nothing could be relayed");
  return `${JSON.stringify({ realm, secret, peers, relayPorts: RELAY_PORTS })}\n`;
}

function checkPlain(key: string, value: string | undefined): void {
  if (value !== undefined && !/^[\w.+/=-]+$/.test(value)) {
    throw new Error(`coturn: ${key} must be letters, digits and . _ + / = - only`);
  }
}

function checkAddresses(addresses: readonly string[]): void {
  for (const address of addresses) {
    if (isIP(address) === 0) throw new Error(`coturn: "${address}" is not an IP address`);
  }
}
