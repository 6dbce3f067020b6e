import ipaddr from "ipaddr.js";

/** Networks for documentation (RFC 5737, RFC 3849): nobody's, and the sandbox's. */
const DOCUMENTATION = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"].map((network) =>
  ipaddr.parseCIDR(network),
);

/** Problem of a text as the address of one server on the internet; undefined for a good one. */
export function publicAddressProblem(text: string): string | undefined {
  const address = parse(text);
  if (!address) return "is not an IPv4 or IPv6 address";
  const range = address.range();
  return range === "unicast" || isDocumentation(address)
    ? undefined
    : `is no public address of a server (${range})`;
}

/** True for an address of a network for documentation. */
export function isDocumentation(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return DOCUMENTATION.some((network) => {
    const [base] = network;
    return base.kind() === address.kind() && address.match(network);
  });
}

/** Address in ipaddr.js's form; any other text unchanged. */
export function canonicalAddress(text: string): string {
  return parse(text)?.toString() ?? text;
}

function parse(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const valid =
    ipaddr.IPv4.isValidFourPartDecimal(text) || (ipaddr.IPv6.isValid(text) && !text.includes("%"));
  return valid ? ipaddr.parse(text) : undefined;
}
