/**
 * Addresses of all hosts and services. All are from ranges reserved for documentation, so that none can be mistaken for
 * a real machine's, or reach one.
 */

/** Name of the zone that the sandbox keeps for its own services, and of the user's zones: at Hetzner, at Route 53. */
export const SERVICE_ZONE = "sandbox.test";
export const USER_ZONE = "example.test";
export const ROUTE53_ZONE = "example-aws.test";

/** IPv4 of the services; each has 2001:db8:ffff::N beside 198.51.100.N. */
export const SERVICES = {
  api: "198.51.100.1",
  rootDns: "198.51.100.2",
  zoneDns: "198.51.100.3",
  resolver: "198.51.100.4",
  acme: "198.51.100.5",
  mirror: "198.51.100.6",
  aws: "198.51.100.7",
  mail: "198.51.100.8",
  storage: "198.51.100.9",
  boxes: "198.51.100.10",
} as const;

/** The IPv6 twin of a service's IPv4 address. */
export function serviceIpv6(ipv4: string): string {
  return `2001:db8:ffff::${ipv4.slice(ipv4.lastIndexOf(".") + 1)}`;
}

export const METADATA_ADDRESS = "169.254.169.254";

export interface Client {
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Outside clients; only `operator` is in sshNetworks. */
export const CLIENTS = {
  operator: { ipv4: "192.0.2.10", ipv6: "2001:db8:fffe:1::10" },
  internet: { ipv4: "192.0.2.20", ipv6: "2001:db8:fffe:2::20" },
} as const satisfies Record<string, Client>;

export type ClientName = keyof typeof CLIENTS;

/** Gateways of every host and client, with Hetzner's addresses. */
export const GATEWAY_IPV4 = "172.31.1.1";
export const GATEWAY_IPV6 = "fe80::1";

export const NAMESPACE_PREFIX = "bbbsb-";
export const ROUTER = "bbbsb-router";

/** Namespace of an outside client. */
export function clientNamespace(client: ClientName): string {
  return `${NAMESPACE_PREFIX}${client}`;
}

/** Namespace of a host. */
export function hostNamespace(id: string): string {
  return `${NAMESPACE_PREFIX}h${id}`;
}

/** The router's end of a host's link. Interface names have at most 15 characters. */
export function hostLink(id: string): string {
  return `h${id}`;
}

/** A host's own address in its /64: ::1. */
export function hostIpv6(network: string): string {
  return `${network.replace(/\/\d+$/, "")}1`;
}
