import type { Addresses } from "../runtime";
import { GATEWAY_IPV4, hostLink, METADATA_ADDRESS, SERVICES } from "./addresses";

/**
 * The router's second nftables table: hosts whose interface has a private address, as on EC2. It translates between
 * public and private address, one to one and both ways; private addresses reach each other without translation.
 */
const TRANSLATION_TABLE = "ip translation";

/** Addresses that the router lets a host without public address reach: the network's own services. */
const INFRASTRUCTURE = [METADATA_ADDRESS, SERVICES.resolver, GATEWAY_IPV4];

/**
 * Table without any host. Cuts off connections that began with a public address which is no longer a host's: otherwise
 * the kernel would translate them for as long as it remembers them.
 */
export function renderTranslationTable(): string {
  return `table ${TRANSLATION_TABLE} {
  map to_private {
    type ipv4_addr : ipv4_addr
  }
  map to_public {
    type ipv4_addr : ipv4_addr
  }
  set public {
    type ipv4_addr
  }
  set private {
    type ipv4_addr
  }
  set unreachable {
    type ipv4_addr
  }
  map hops {
    type ifname : verdict
  }
  chain inbound {
    type nat hook prerouting priority -100; policy accept;
    dnat to ip daddr map @to_private
  }
  chain inbound_local {
    type nat hook output priority -100; policy accept;
    dnat to ip daddr map @to_private
  }
  chain outbound {
    type nat hook postrouting priority 100; policy accept;
    ip daddr @private ct status & dnat == 0 accept
    snat to ip saddr map @to_public
  }
  chain outbound_local {
    type nat hook input priority 100; policy accept;
    ip daddr != { ${INFRASTRUCTURE.join(", ")} } snat to ip saddr map @to_public
  }
  chain isolate {
    type filter hook forward priority 0; policy accept;
    ct status & dnat != 0 ct original ip daddr != @public drop
    ct status & snat != 0 ct reply ip daddr != @public drop
    ip saddr @unreachable ip daddr != @private drop
    ip saddr @unreachable ct status & dnat != 0 drop
    ip daddr @private ip saddr != @private ct direction original ct status & dnat == 0 drop
  }
  chain isolate_local {
    type filter hook input priority 0; policy accept;
    ip saddr @unreachable ip daddr != { ${INFRASTRUCTURE.join(", ")} } drop
  }
  chain answers {
    type filter hook output priority 0; policy accept;
    ip saddr ${METADATA_ADDRESS} oifname vmap @hops
  }
}
`;
}

/**
 * Replaces the translations of all hosts in one transaction. Of two hosts with the same address, as while one replaces
 * the other, the later one counts.
 */
export function renderTranslations(hosts: readonly Addresses[]): string {
  const privateOf = new Map<string, string>();
  for (const { ipv4, privateIpv4 } of hosts) {
    if (ipv4 !== undefined && privateIpv4 !== undefined) privateOf.set(ipv4, privateIpv4);
  }
  const publicOf = new Map([...privateOf].map(([ipv4, privateIpv4]) => [privateIpv4, ipv4]));
  const all = new Set(hosts.flatMap(({ privateIpv4 }) => privateIpv4 ?? []));
  return [
    ...renderElements("map to_private", renderPairs(privateOf)),
    ...renderElements("map to_public", renderPairs(publicOf)),
    ...renderElements("set public", [...privateOf.keys()]),
    ...renderElements("set private", [...all]),
    ...renderElements(
      "set unreachable",
      [...all].filter((address) => !publicOf.has(address)),
    ),
    "",
  ].join("\n");
}

function renderPairs(pairs: ReadonlyMap<string, string>): string[] {
  return [...pairs].map(([key, value]) => `${key} : ${value}`);
}

/** Lines that give a named set or map exactly these elements. */
function renderElements(what: `${"map" | "set"} ${string}`, elements: readonly string[]): string[] {
  const [kind, name] = what.split(" ");
  const flush = `flush ${kind} ${TRANSLATION_TABLE} ${name}`;
  if (elements.length === 0) return [flush];
  return [flush, `add element ${TRANSLATION_TABLE} ${name} { ${elements.join(", ")} }`];
}

/** Limits the reach of the metadata service's answers for a new host: its own interface, or a hop or more beyond. */
export function renderHops(id: string, limit: number): string {
  const link = hostLink(id);
  return `table ${TRANSLATION_TABLE} {
  chain hops_${link} {
    ip ttl set ${limit}
  }
}
add element ${TRANSLATION_TABLE} hops { "${link}" : goto hops_${link} }
`;
}

/** Removes the rules of renderHops. */
export function renderHopsRemoval(id: string): string {
  const link = hostLink(id);
  return `delete element ${TRANSLATION_TABLE} hops { "${link}" }
flush chain ${TRANSLATION_TABLE} hops_${link}
delete chain ${TRANSLATION_TABLE} hops_${link}
`;
}
