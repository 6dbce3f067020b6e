import { hostIpv6, hostLink } from "../../../sandbox/network/addresses";
import {
  interfaceAddresses,
  renderInnerEnd,
  renderRouterEnd,
  renderRoutes,
  renderServices,
} from "../../../sandbox/network/namespaces";

test("a host has its addresses and default routes as at Hetzner", () => {
  expect(renderInnerEnd("203.0.113.10", "2001:db8:1::1/64")).toEqual([
    "link set lo up",
    "link set eth0 up",
    "address replace 203.0.113.10/32 dev eth0",
    "route replace 172.31.1.1 dev eth0 src 203.0.113.10",
    "route replace default via 172.31.1.1 dev eth0 src 203.0.113.10 onlink",
    "address replace 2001:db8:1::1/64 dev eth0 nodad",
    "route replace ::/0 via fe80::1 dev eth0 src 2001:db8:1::1",
  ]);
});

test("a host without an address of a family has no route of it either", () => {
  expect(renderInnerEnd(undefined, undefined)).toEqual(["link set lo up", "link set eth0 up"]);
  expect(renderInnerEnd("203.0.113.10", undefined).join()).not.toContain(":");
});

test("a host behind a translation has its private address only, and an IPv6 address of its own", () => {
  const ec2 = { ipv4: "203.0.113.10", privateIpv4: "172.31.5.5", ipv6: "2001:db8:7::5" };
  expect(interfaceAddresses(ec2)).toEqual({ ipv4: "172.31.5.5", ipv6: "2001:db8:7::5/128" });
  expect(interfaceAddresses({ privateIpv4: "172.31.5.5" })).toEqual({ ipv4: "172.31.5.5", ipv6: undefined });
  expect(interfaceAddresses({ ipv4: "203.0.113.10", ipv6Network: "2001:db8:1::/64" })).toEqual({
    ipv4: "203.0.113.10",
    ipv6: "2001:db8:1::1/64",
  });
  const lines = renderInnerEnd("172.31.5.5", "2001:db8:7::5/128");
  expect(lines).toContain("address replace 2001:db8:7::5/128 dev eth0 nodad");
  expect(lines).toContain("route replace ::/0 via fe80::1 dev eth0 src 2001:db8:7::5");
});

test("the router is every host's gateway and has a route to each address", () => {
  expect(renderRouterEnd("h7")).toContain("address add 172.31.1.1/32 dev h7");
  expect(renderRouterEnd("h7")).toContain("address add fe80::1/64 dev h7 nodad");
  expect(renderRoutes("h7", ["203.0.113.10"], ["2001:db8:1::/64"])).toEqual([
    "route replace 203.0.113.10 dev h7 src 198.51.100.1",
    "route replace 2001:db8:1::/64 dev h7 src 2001:db8:ffff::1",
  ]);
});

test("the services have all their addresses, and the metadata service its own", () => {
  const lines = renderServices();
  for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) {
    expect(lines).toContain(`address replace 198.51.100.${n}/32 dev lo`);
    expect(lines).toContain(`address replace 2001:db8:ffff::${n}/128 dev lo nodad`);
  }
  expect(lines).toContain("address replace 169.254.169.254/32 dev lo");
});

test("names and addresses of a host", () => {
  expect(hostIpv6("2001:db8:1::/64")).toBe("2001:db8:1::1");
  expect(hostLink("1234567890").length).toBeLessThanOrEqual(15);
});
