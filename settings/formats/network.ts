import ipaddr from "ipaddr.js";

import { isDocumentation } from "./addresses";

/**
 * Result of reading a network: its canonical text, or the reason why it is none and the text that was perhaps meant.
 */
export type NetworkResult =
  { readonly network: string } | { readonly reason: string; readonly suggestion?: string };

/** Reads an IPv4 or IPv6 network in CIDR form, whose host bits must be zero. */
export function parseNetwork(text: string): NetworkResult {
  const [address = "", prefix, ...rest] = text.split("/");
  if (
    !ipaddr.IPv4.isValidFourPartDecimal(address) &&
    !(ipaddr.IPv6.isValid(address) && !address.includes("%"))
  ) {
    return { reason: "is not a network in CIDR form" };
  }
  const parsed = ipaddr.parse(address);
  const bits = parsed.kind() === "ipv4" ? 32 : 128;
  if (prefix === undefined) {
    return {
      reason: "is an address, not a network in CIDR form",
      suggestion: `${parsed.toString()}/${bits}`,
    };
  }
  if (rest.length > 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) {
    return { reason: `needs a prefix length from 0 to ${bits}` };
  }
  const network = `${edge(parsed, Number(prefix), "first").toString()}/${Number(prefix)}`;
  if (network !== `${parsed.toString()}/${Number(prefix)}`) {
    return { reason: "has bits set behind its prefix", suggestion: network };
  }
  return { network };
}

/** First or last address of a network. */
function edge(address: ipaddr.IPv4 | ipaddr.IPv6, prefix: number, which: "first" | "last") {
  const family = address.kind() === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6;
  const cidr = `${address.toString()}/${prefix}`;
  return which === "first" ? family.networkAddressFromCIDR(cidr) : family.broadcastAddressFromCIDR(cidr);
}

/** Ranges from which no connection over the internet comes, by ipaddr.js's names, with their meanings. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  private: "a private network (RFC 1918)",
  uniqueLocal: "a private network (RFC 4193)",
  carrierGradeNat: "a provider's inner network (carrier-grade NAT, RFC 6598)",
  loopback: "this machine's own (loopback)",
  linkLocal: "a link's own (link-local)",
  multicast: "for groups of receivers (multicast)",
  broadcast: "for all hosts of a link (broadcast)",
  unspecified: "nobody's (unspecified)",
  reserved: "reserved, and nobody's",
  benchmarking: "for benchmarks, and nobody's",
};

/** Range of all IPv6 addresses that are given to anybody. */
const IPV6_IN_USE = ipaddr.IPv6.parseCIDR("2000::/3");

/**
 * Reason why no connection over the internet can come from any address of a canonical network; undefined if some can.
 * Networks for documentation are accepted.
 */
export function unreachableProblem(network: string): Exclude<NetworkResult, { network: string }> | undefined {
  const [address, prefix] = ipaddr.parseCIDR(network);
  const first = edge(address, prefix, "first");
  const range = first.range();
  if (first instanceof ipaddr.IPv6 && first.isIPv4MappedAddress() && prefix >= 96) {
    return {
      reason: "is an IPv4 network written as an IPv6 one, which a firewall takes for IPv6",
      suggestion: `${first.toIPv4Address().toString()}/${prefix - 96}`,
    };
  }
  const whole = edge(address, prefix, "last").range() === range;
  const what = whole ? UNREACHABLE[range] : undefined;
  const unused = first instanceof ipaddr.IPv6 && prefix >= 3 && !first.match(IPV6_IN_USE);
  if (isDocumentation(first) || (!what && !unused)) return undefined;
  return {
    reason: `is ${what ?? "of IPv6 addresses that nobody has"}: no connection over the internet comes from there. Name the public address that you come from (curl -4 https://ifconfig.me)`,
  };
}

/**
 * Share of all IPv4 addresses, or of all IPv6 addresses in use (2000::/3), that networks have together, from 0 to 1.
 */
export function coveredShare(networks: readonly string[], family: "ipv4" | "ipv6"): number {
  const all = networks.map((network) => ipaddr.parseCIDR(network)).filter(([base]) => base.kind() === family);
  // Two networks are either apart, or one is in the other.
  const outermost = all.filter(([base, prefix], i) =>
    all.every(([other, wider], j) => {
      const within = wider < prefix || (wider === prefix && j < i);
      return i === j || !(within && contains(other, wider, base));
    }),
  );
  const share = outermost.reduce((sum, [, prefix]) => sum + 2 ** -prefix, 0);
  return family === "ipv4" ? share : Math.min(1, share * 8);
}

function contains(base: ipaddr.IPv4 | ipaddr.IPv6, prefix: number, address: ipaddr.IPv4 | ipaddr.IPv6) {
  return address.kind() === base.kind() && address.match(base, prefix);
}
