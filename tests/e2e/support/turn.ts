import { tool, type Addresses } from "./sandbox";

export interface TurnWish {
  /** The TURN server's name. */
  readonly server: string;
  readonly port: number;
  readonly transport: "udp" | "tcp" | "tls";
  readonly secret: string;
  readonly family?: "ipv4" | "ipv6";
  readonly relayed?: "ipv4" | "ipv6";
  readonly echo?: readonly (readonly [string, number])[];
  readonly permissions?: readonly (readonly [string, number])[];
  readonly channels?: readonly (readonly [string, number])[];
}

export type Answer = "ok" | "timeout" | number;

export interface TurnResult {
  readonly allocate: Answer;
  readonly relayed?: [string, number];
  readonly echo?: Record<string, Answer>;
  readonly permissions?: Record<string, Answer>;
  readonly channels?: Record<string, Answer>;
}

/** The two ways in that BigBlueButton's clients are given. */
export const WAYS_IN = [
  { port: 3478, transport: "udp" },
  { port: 443, transport: "tls" },
] as const;

/** A TURN session with a deployed TURN server, from the internet, by an independent client. */
export function turn(wish: TurnWish): Promise<TurnResult> {
  return tool<TurnResult>("turn_client", wish);
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
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::1",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "2001:db8:ffff::1",
    "2001:db8:fffe:2::20",
  ];
  return { ipv4, ipv6 };
}
