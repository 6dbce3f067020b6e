export type Protocol = "tcp" | "udp";

/** Inbound rule of a host. For a single port `to` equals `from`. */
export interface PortRule {
  readonly protocol: Protocol;
  readonly from: number;
  readonly to: number;
  /** Purpose of the port; becomes the firewall rule's description. */
  readonly role: string;
  /** Networks in CIDR form that may reach it. @default everybody */
  readonly sources?: readonly string[];
}

/** Port or range in the form of clouds and nftables: "443" or "16384-32768". */
export function portRange(rule: PortRule): string {
  return rule.from === rule.to ? String(rule.from) : `${rule.from}-${rule.to}`;
}

/** Port of coturn for TURN and STUN without TLS, over UDP and TCP (RFC 8656 §3). */
export const TURN_PORT = 3478;

/** Port of coturn for TURN over TLS, TCP only: the one port that restrictive networks allow. */
export const TURNS_PORT = 443;

/** Port of the TURN host's metrics, node_exporter's own. */
export const METRICS_PORT = 9100;

/**
 * UDP ports of coturn's relays. Begins after BigBlueButton's own media range, as in BigBlueButton's docs
 * (administration/turn-server).
 */
export const RELAY_PORTS = { from: 32769, to: 65535 } as const;

/**
 * UDP ports of BigBlueButton's media: FreeSWITCH 16384-24576, mediasoup (Kurento before 2.5) and the recorder
 * 24577-32768 (docs, administration/install).
 */
export const MEDIA_PORTS = { from: 16384, to: 32768 } as const;

function tcp(port: number, role: string): PortRule {
  return { protocol: "tcp", from: port, to: port, role };
}

const http = tcp(80, "HTTP: certificate challenges and the redirect to HTTPS");

/** Inbound ports of the BigBlueButton host, for every release. */
export const bbbPorts: readonly PortRule[] = [
  http,
  tcp(443, "HTTPS: client, API and WebSockets"),
  { protocol: "udp", ...MEDIA_PORTS, role: "Media: audio, camera and screen over WebRTC" },
];

/**
 * Inbound ports that the install page of 2.0 to 2.2 asks for beside {@link bbbPorts}, as quoted in
 * https://github.com/bigbluebutton/bigbluebutton/issues/17146. Later releases reach all of it through nginx on 443, and
 * their maintainers ask to keep these closed (https://github.com/bigbluebutton/bigbluebutton/issues/9132).
 */
export const flashEraPorts: readonly PortRule[] = [
  tcp(1935, "RTMP: the Flash client"),
  tcp(5066, "SIP over WebSocket: audio of pages loaded without TLS"),
  tcp(7443, "SIP over secure WebSocket: audio of pages loaded with TLS"),
];

/** Inbound ports of a TURN host, for every release. */
export const turnPorts: readonly PortRule[] = [
  { ...http, role: "HTTP: certificate challenges, at first issue and at renewals" },
  tcp(TURNS_PORT, "TURN over TLS"),
  tcp(TURN_PORT, "TURN over TCP"),
  { protocol: "udp", from: TURN_PORT, to: TURN_PORT, role: "TURN and STUN over UDP" },
  { protocol: "udp", ...RELAY_PORTS, role: "Relayed media, to and from the BigBlueButton host" },
];

/** Inbound ports of a balancer: meetings go past it. */
export const balancerPorts: readonly PortRule[] = [http, tcp(443, "HTTPS: API")];

/** Inbound port of a TURN host with metrics. @param networks Those that may reach it; none stands for everybody. */
export function metricsPort(networks: readonly string[]): PortRule {
  const rule = tcp(METRICS_PORT, "Metrics over HTTPS, with a password");
  return networks.length > 0 ? { ...rule, sources: networks } : rule;
}
