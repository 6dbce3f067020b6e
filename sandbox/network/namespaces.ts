import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";

import {
  CLIENTS,
  type ClientName,
  clientNamespace,
  GATEWAY_IPV4,
  GATEWAY_IPV6,
  hostIpv6,
  hostLink,
  hostNamespace,
  METADATA_ADDRESS,
  NAMESPACE_PREFIX,
  ROUTER,
  SERVICES,
  serviceIpv6,
} from "./addresses";
import type { Addresses } from "../runtime";
import { renderHost, renderHostRemoval, renderTable } from "./firewall";
import { run, runIn, tryRun } from "./run";
import { renderHops, renderHopsRemoval, renderTranslations, renderTranslationTable } from "./translation";

/** Interface of every host and client in its own namespace. */
export const INTERFACE = "eth0";

/** Lines for `ip -batch` that set up one end of the network. */
export type Batch = readonly string[];

/** True while a namespace of this name exists. */
export function namespaceExists(name: string): boolean {
  return existsSync(`/run/netns/${name}`);
}

/** The sandbox's namespaces that exist. */
export async function listNamespaces(): Promise<string[]> {
  const names = await readdir("/run/netns").catch(() => [] as string[]);
  return names.filter((name) => name.startsWith(NAMESPACE_PREFIX)).sort();
}

/** Addresses of all services, on the router's loopback interface. */
export function renderServices(): Batch {
  return [
    "link set lo up",
    ...Object.values(SERVICES).flatMap((address) => [
      `address replace ${address}/32 dev lo`,
      `address replace ${serviceIpv6(address)}/128 dev lo nodad`,
    ]),
    `address replace ${METADATA_ADDRESS}/32 dev lo`,
  ];
}

/** Router's side of a link. */
export function renderRouterEnd(link: string): Batch {
  return [
    `link set ${link} addrgenmode none`,
    `link set ${link} up`,
    `address add ${GATEWAY_IPV4}/32 dev ${link}`,
    `address add ${GATEWAY_IPV6}/64 dev ${link} nodad`,
  ];
}

/**
 * Router's routes to the hosts behind a link, for a public address before its translation also. The source is the
 * address of the answers of the router's own services.
 */
export function renderRoutes(link: string, ipv4: readonly string[], ipv6: readonly string[]): Batch {
  return [
    ...ipv4.map((address) => `route replace ${address} dev ${link} src ${SERVICES.api}`),
    ...ipv6.map((address) => `route replace ${address} dev ${link} src ${serviceIpv6(SERVICES.api)}`),
  ];
}

/**
 * Inner side of a link: addresses and default routes, as cloud-init sets them at Hetzner. A private address on EC2 is
 * part of its subnet's network; here all its neighbours are behind the gateway.
 *
 * @param ipv6 With its prefix length.
 */
export function renderInnerEnd(ipv4: string | undefined, ipv6: string | undefined): Batch {
  return [
    "link set lo up",
    `link set ${INTERFACE} up`,
    ...(ipv4
      ? [
          `address replace ${ipv4}/32 dev ${INTERFACE}`,
          `route replace ${GATEWAY_IPV4} dev ${INTERFACE} src ${ipv4}`,
          `route replace default via ${GATEWAY_IPV4} dev ${INTERFACE} src ${ipv4} onlink`,
        ]
      : []),
    ...(ipv6
      ? [
          `address replace ${ipv6} dev ${INTERFACE} nodad`,
          `route replace ::/0 via ${GATEWAY_IPV6} dev ${INTERFACE} src ${ipv6.replace(/\/\d+$/, "")}`,
        ]
      : []),
  ];
}

async function batch(namespace: string, lines: Batch): Promise<void> {
  await run("ip", ["-n", namespace, "-batch", "-"], { input: `${lines.join("\n")}\n` });
}

async function sysctl(namespace: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const args = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  await runIn(namespace, ["sysctl", "-qe", ...args]);
}

/** Makes the router and the two clients, if they don't exist. A router of earlier code gets the addresses that it lacks. */
export async function ensureNetwork(): Promise<void> {
  if (namespaceExists(ROUTER)) await batch(ROUTER, renderServices());
  else await makeNamespace(ROUTER, makeRouter);
  for (const client of Object.keys(CLIENTS) as ClientName[]) {
    const namespace = clientNamespace(client);
    if (!namespaceExists(namespace)) await makeNamespace(namespace, () => makeClient(client));
  }
}

/** Makes a namespace that remains only when all of its set-up succeeds. */
async function makeNamespace(name: string, setUp: () => Promise<void>): Promise<void> {
  await run("ip", ["netns", "add", name]);
  try {
    await setUp();
  } catch (error) {
    await tryRun("ip", ["netns", "delete", name]);
    throw error;
  }
}

async function makeRouter(): Promise<void> {
  await sysctl(ROUTER, {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.ipv6.conf.default.accept_dad": "0",
    "net.ipv4.icmp_ratelimit": "0",
    // A host that reaches itself by its public address would be told that it need not ask the router.
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.ip_nonlocal_bind": "1",
    "net.netfilter.nf_conntrack_max": "1048576",
  });
  await batch(ROUTER, renderServices());
  await applyRules(renderTable() + renderTranslationTable());
}

async function makeClient(client: ClientName): Promise<void> {
  const { ipv4, ipv6 } = CLIENTS[client];
  const namespace = clientNamespace(client);
  await makeLink(namespace, client);
  await batch(ROUTER, renderRoutes(client, [ipv4], [`${ipv6}/128`]));
  await batch(namespace, renderInnerEnd(ipv4, `${ipv6}/64`));
}

/** Joins a namespace to the router by a link whose router end has this name. */
async function makeLink(namespace: string, link: string): Promise<void> {
  await sysctl(namespace, {
    "net.ipv6.conf.all.accept_ra": "0",
    "net.ipv6.conf.default.accept_ra": "0",
    "net.ipv6.conf.default.accept_dad": "0",
    "net.ipv4.ping_group_range": "0 2147483647",
  });
  await run("ip", [
    "-n",
    ROUTER,
    "link",
    "add",
    link,
    "type",
    "veth",
    "peer",
    "name",
    INTERFACE,
    "netns",
    namespace,
  ]);
  await batch(ROUTER, renderRouterEnd(link));
}

async function applyRules(rules: string): Promise<void> {
  await runIn(ROUTER, ["nft", "-f", "-"], { input: rules });
}

/**
 * Makes a host's namespace, link and (open) firewall, if they don't exist.
 *
 * @param metadataHopLimit See ServerSpec.
 */
export async function ensureHostNetwork(id: string, metadataHopLimit?: number): Promise<void> {
  const namespace = hostNamespace(id);
  if (namespaceExists(namespace)) return;
  await makeNamespace(namespace, async () => {
    await makeLink(namespace, hostLink(id));
    const hops = metadataHopLimit === undefined ? "" : renderHops(id, metadataHopLimit);
    await applyRules(renderHost(id) + hops);
  });
}

/** Addresses of a host's own interface, the IPv6 address with its prefix length. */
export function interfaceAddresses(addresses: Addresses): { ipv4?: string; ipv6?: string } {
  const { ipv4, privateIpv4, ipv6Network, ipv6 } = addresses;
  return {
    ipv4: privateIpv4 ?? ipv4,
    ipv6: ipv6Network !== undefined ? `${hostIpv6(ipv6Network)}/64` : ipv6 && `${ipv6}/128`,
  };
}

/** Connects a host with exactly these addresses; {@link setTranslations} sets those to be translated. */
export async function connectHost(id: string, addresses: Addresses): Promise<void> {
  const link = hostLink(id);
  const { ipv4, ipv6 } = interfaceAddresses(addresses);
  const routed = [ipv4, addresses.ipv4].filter((address) => address !== undefined);
  const network = addresses.ipv6Network ?? ipv6;
  await run("ip", ["-n", ROUTER, "route", "flush", "dev", link, "proto", "boot"]);
  await tryRun("ip", ["-n", ROUTER, "-6", "route", "flush", "dev", link, "proto", "boot"]);
  await batch(ROUTER, renderRoutes(link, [...new Set(routed)], network ? [network] : []));
  await run("ip", ["-n", hostNamespace(id), "address", "flush", "dev", INTERFACE, "scope", "global"]);
  await batch(hostNamespace(id), renderInnerEnd(ipv4, ipv6));
}

/** Translates the addresses of these hosts, and of no others. */
export async function setTranslations(hosts: readonly Addresses[]): Promise<void> {
  await applyRules(renderTranslations(hosts));
}

/** Disconnects a host whose power is off. */
export async function disconnectHost(id: string): Promise<void> {
  await run("ip", ["-n", hostNamespace(id), "link", "set", INTERFACE, "down"]);
}

/** Applies the rules that firewall.ts rendered for a host. */
export async function setHostFirewall(rules: string): Promise<void> {
  await applyRules(rules);
}

export async function removeHostNetwork(id: string): Promise<void> {
  const namespace = hostNamespace(id);
  if (!namespaceExists(namespace)) return;
  await applyRules(renderHostRemoval(id)).catch(() => undefined);
  await applyRules(renderHopsRemoval(id)).catch(() => undefined);
  await run("ip", ["-n", ROUTER, "link", "delete", hostLink(id)]).catch(() => undefined);
  await run("ip", ["netns", "delete", namespace]);
}

/** Number of SSH connections from the operator to each host so far, by host id. */
export async function sshConnections(): Promise<Record<string, number>> {
  const listed = await runIn(ROUTER, ["nft", "-j", "list", "counters"]).catch(() => '{"nftables":[]}');
  const { nftables } = JSON.parse(listed) as { nftables: { counter?: { name: string; packets: number } }[] };
  return Object.fromEntries(
    nftables.flatMap(({ counter }) =>
      counter?.name.startsWith("ssh_h")
        ? [[counter.name.slice("ssh_h".length), counter.packets] as const]
        : [],
    ),
  );
}

export async function removeNamespace(name: string): Promise<void> {
  await run("ip", ["netns", "delete", name]);
}
