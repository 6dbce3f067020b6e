import { coveredShare, parseNetwork, unreachableProblem } from "../../../settings/formats/network";

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

test.each([
  ["10.0.0.0/8", "a private network (RFC 1918)"],
  ["192.168.1.7/32", "a private network (RFC 1918)"],
  ["100.64.12.0/24", "carrier-grade NAT"],
  ["127.0.0.1/32", "loopback"],
  ["169.254.0.0/16", "link-local"],
  ["224.0.0.0/4", "multicast"],
  ["fd12:3456::/32", "a private network (RFC 4193)"],
  ["fe80::/10", "link-local"],
  ["::1/128", "loopback"],
  ["4000::/8", "nobody has"],
])("nobody comes from %s: %s", (network, what) => {
  expect(unreachableProblem(network)).toEqual({
    reason: expect.stringMatching(/: no connection over the internet comes from there/) as string,
  });
  expect(unreachableProblem(network)?.reason).toContain(what);
});

test("an IPv4 network in IPv6's clothes is told in its own", () => {
  expect(unreachableProblem("::ffff:c633:6400/120")).toEqual({
    reason: expect.stringContaining("an IPv4 network written as an IPv6 one") as string,
    suggestion: "198.51.100.0/24",
  });
});

test.each([
  ["8.8.8.0/24", "0.0.0.0/0", "10.0.0.0/7", "::/0", "2a01:4f8::/32"],
  ["198.51.100.7/32", "203.0.113.0/24", "192.0.2.0/24", "2001:db8::/32"],
])("somebody may come from %s, %s and the like; the sandbox's clients do", (...networks) => {
  expect(networks.map(unreachableProblem)).toEqual(networks.map(() => undefined));
});

test("networks in networks, or there twice, are counted once", () => {
  expect(coveredShare(["0.0.0.0/1", "128.0.0.0/1", "8.0.0.0/8", "0.0.0.0/1"], "ipv4")).toBe(1);
  expect(coveredShare(["8.0.0.0/8", "8.8.0.0/16", "2a00::/16"], "ipv4")).toBe(2 ** -8);
  expect(coveredShare(["2a00::/16", "8.0.0.0/8"], "ipv6")).toBe(2 ** -13);
  expect(coveredShare(["8.8.8.8/32"], "ipv6")).toBe(0);
});
