import ipaddr from "ipaddr.js";

import type { InboundRule } from "../runtime";
import { CLIENTS, hostLink } from "./addresses";

/** The router's nftables table: cloud firewalls, and counters of the operator's SSH connections. */
const TABLE = "inet cloud";

/**
 * Table without any host. It filters at postrouting, where forwarded packets and those of the router's own services
 * (the ACME authority's, for example) look alike. That is after the translation of addresses (translation.ts, at 100):
 * rules see the same sender as the host.
 */
export function renderTable(): string {
  return `table ${TABLE} {
  map firewalls {
    type ifname : verdict
  }
  map ssh_counters {
    type ifname : verdict
  }
  chain firewall {
    type filter hook postrouting priority 150; policy accept;
    oifname vmap @firewalls
  }
  chain count {
    type filter hook postrouting priority 200; policy accept;
    ip saddr ${CLIENTS.operator.ipv4} tcp dport 22 tcp flags & (syn | ack) == syn oifname vmap @ssh_counters
    ip6 saddr ${CLIENTS.operator.ipv6} tcp dport 22 tcp flags & (syn | ack) == syn oifname vmap @ssh_counters
  }
}
`;
}

/** Chains of a new host: an open firewall and a counter at zero. */
export function renderHost(id: string): string {
  const link = hostLink(id);
  return `table ${TABLE} {
  counter ssh_${link} { }
  chain fw_${link} { }
  chain ssh_${link} {
    counter name ssh_${link}
  }
}
add element ${TABLE} firewalls { "${link}" : jump fw_${link} }
add element ${TABLE} ssh_counters { "${link}" : jump ssh_${link} }
`;
}

/** Removes the chains of renderHost. */
export function renderHostRemoval(id: string): string {
  const link = hostLink(id);
  return `delete element ${TABLE} firewalls { "${link}" }
delete element ${TABLE} ssh_counters { "${link}" }
flush chain ${TABLE} fw_${link}
flush chain ${TABLE} ssh_${link}
delete chain ${TABLE} fw_${link}
delete chain ${TABLE} ssh_${link}
delete counter ${TABLE} ssh_${link}
`;
}

/**
 * Replaces a host's inbound rules in one transaction.
 *
 * @param rules Allowed traffic; undefined for no firewall, which lets everything pass. All else is dropped, except
 * answers to the host's own connections and neighbour discovery.
 */
export function renderRules(id: string, rules: readonly InboundRule[] | undefined): string {
  const chain = `${TABLE} fw_${hostLink(id)}`;
  const lines = [`flush chain ${chain}`];
  if (rules === undefined) return `${lines.join("\n")}\n`;
  const add = (rule: string): number => lines.push(`add rule ${chain} ${rule}`);
  add("ct state established,related accept");
  add("icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept");
  for (const rule of rules) for (const match of renderMatches(rule)) add(`${match} accept`);
  add("drop");
  return `${lines.join("\n")}\n`;
}

/** Renders one match per source: sources that contain each other, as users write them, are no valid nft set. */
function renderMatches(rule: InboundRule): string[] {
  return rule.sources.map((source) => {
    const [address, prefix] = ipaddr.parseCIDR(source);
    const kind = address.kind();
    const from =
      prefix === 0
        ? `meta nfproto ${kind}`
        : `${kind === "ipv4" ? "ip" : "ip6"} saddr ${address.toString()}/${prefix}`;
    return `${from} ${renderProtocol(rule, kind)}`;
  });
}

function renderProtocol(rule: InboundRule, kind: "ipv4" | "ipv6"): string {
  switch (rule.protocol) {
    case "icmp":
      return kind === "ipv4" ? "meta l4proto icmp" : "meta l4proto icmpv6";
    case "esp":
    case "gre":
      return `meta l4proto ${rule.protocol}`;
    default:
      return rule.ports === undefined || rule.ports === "any"
        ? `meta l4proto ${rule.protocol}`
        : `${rule.protocol} dport ${rule.ports}`;
  }
}
