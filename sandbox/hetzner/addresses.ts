import { isIPv4, isIPv6 } from "node:net";

import ipaddr from "ipaddr.js";

import { ApiError, invalidField } from "./errors";
import type { AddressPool, PrimaryIp, State } from "./model";

/**
 * Last numbers of the addresses: 203.0.113.10 to .199 and 2001:db8:1::/64 to 2001:db8:fff::/64, from the documentation
 * ranges. Those above are the emulated AWS's.
 */
const last = { ipv4: 199, ipv6: 0xfff };

/** Hands out an address: a fresh one, else the one that was freed longest ago. */
export function takeAddress(state: State, type: PrimaryIp["type"]): string {
  const pool = state.pools[type];
  const number = pool.next <= last[type] ? pool.next++ : pool.freed.shift();
  if (number === undefined) {
    throw new ApiError("resource_limit_exceeded", `all ${type} addresses of the sandbox are in use`);
  }
  return type === "ipv4" ? `203.0.113.${number}` : `2001:db8:${number.toString(16)}::/64`;
}

/** Gives an address back. */
export function freeAddress(state: State, { type, ip }: Pick<PrimaryIp, "type" | "ip">): void {
  const pool: AddressPool = state.pools[type];
  pool.freed.push(type === "ipv4" ? Number(ip.split(".")[3]) : parseInt(ip.split(":")[2] ?? "", 16));
}

/** Canonical text of `address`; throws for one that does not belong to the primary IP. */
export function addressWithin(primaryIp: PrimaryIp, address: string): string {
  if (primaryIp.type === "ipv4" && isIPv4(address) && address === primaryIp.ip) return address;
  if (primaryIp.type === "ipv6" && isIPv6(address)) {
    const parsed = ipaddr.IPv6.parse(address);
    if (parsed.match(ipaddr.IPv6.parseCIDR(primaryIp.ip))) return parsed.toString();
  }
  throw invalidField("ip", `'${address}' does not belong to primary IP ${primaryIp.ip}`);
}

/** A CIDR in its canonical text: lower case, compressed, host bits cut. */
export function canonicalCidr(cidr: string): string | undefined {
  const [address = "", length] = cidr.split("/");
  if (length === undefined || !/^\d{1,3}$/.test(length)) return undefined;
  try {
    if (isIPv4(address)) return `${ipaddr.IPv4.networkAddressFromCIDR(cidr).toString()}/${Number(length)}`;
    if (isIPv6(address)) return `${ipaddr.IPv6.networkAddressFromCIDR(cidr).toString()}/${Number(length)}`;
  } catch {
    return undefined;
  }
  return undefined;
}
