import { parseNetwork } from "../../settings/network";

test.each([
  ["198.51.100.7/32", "198.51.100.7/32"],
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["2001:DB8:0:0::/32", "2001:db8::/32"],
  ["::/0", "::/0"],
])("%s is the network %s", (text, network) => {
  expect(parseNetwork(text)).toEqual({ network });
});

test.each([
  ["192.0.2.1/24", "has bits set behind its prefix", "192.0.2.0/24"],
  ["2001:db8::1/64", "has bits set behind its prefix", "2001:db8::/64"],
  ["192.0.2.1", "is an address, not a network in CIDR form", "192.0.2.1/32"],
  ["2001:db8::1", "is an address, not a network in CIDR form", "2001:db8::1/128"],
  ["192.0.2.0/33", "needs a prefix length from 0 to 32", undefined],
  ["2001:db8::/129", "needs a prefix length from 0 to 128", undefined],
  ["192.0.2.0/", "needs a prefix length from 0 to 32", undefined],
  ["192.0.2.0/24/8", "needs a prefix length from 0 to 32", undefined],
  ["192.0/16", "is not a network in CIDR form", undefined],
  ["fe80::1%eth0/64", "is not a network in CIDR form", undefined],
  ["office", "is not a network in CIDR form", undefined],
  ["", "is not a network in CIDR form", undefined],
])("%s is no network: %s", (text, reason, suggestion) => {
  const result = parseNetwork(text);
  expect(result).toMatchObject({ reason });
  expect("suggestion" in result ? result.suggestion : undefined).toBe(suggestion);
});
