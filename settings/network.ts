import ipaddr from "ipaddr.js";

/** What reading a network gave: its canonical text, or why it is none and what was perhaps meant. */
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
  const network = `${networkAddress(parsed, Number(prefix))}/${Number(prefix)}`;
  if (network !== `${parsed.toString()}/${Number(prefix)}`) {
    return { reason: "has bits set behind its prefix", suggestion: network };
  }
  return { network };
}

function networkAddress(address: ipaddr.IPv4 | ipaddr.IPv6, prefix: number): string {
  const cidr = `${address.toString()}/${prefix}`;
  return address.kind() === "ipv4"
    ? ipaddr.IPv4.networkAddressFromCIDR(cidr).toString()
    : ipaddr.IPv6.networkAddressFromCIDR(cidr).toString();
}
