import { renderAuthoritative, renderResolver } from "../../../sandbox/services/named";
import {
  delegation,
  renderZone,
  reverseName,
  ROOT_SERVER,
  serviceRecords,
} from "../../../sandbox/services/zoneFile";

test("a zone's SOA and name servers are the sandbox's, whatever was asked for", () => {
  const text = renderZone("example.test", 7, [
    { name: "@", type: "SOA", ttl: 3600, value: "elsewhere. nobody. 1 1 1 1 1" },
    { name: "@", type: "NS", ttl: 3600, value: "ns.elsewhere." },
    { name: "bbb", type: "A", ttl: 300, value: "203.0.113.10" },
    { name: "sub", type: "NS", ttl: 300, value: "ns.sub.example.test." },
  ]);
  expect(text).toBe(`$ORIGIN example.test.
@ 1 IN SOA ns1.sandbox.test. hostmaster.sandbox.test. 7 3600 600 604800 1
@ 60 IN NS ns1.sandbox.test.
@ 60 IN NS ns2.sandbox.test.
bbb 300 IN A 203.0.113.10
sub 300 IN NS ns.sub.example.test.
`);
});

test("the root has a name server of its own", () => {
  const text = renderZone(".", 1, delegation("test"), [ROOT_SERVER]);
  expect(text).toContain("$ORIGIN .\n@ 1 IN SOA root.sandbox.test.");
  expect(text).toContain("test. 60 IN NS ns1.sandbox.test.\n");
});

test("names of the services lead to their addresses, of both families where both are served", () => {
  const at = (name: string): string[] => serviceRecords().flatMap((r) => (r.name === name ? [r.value] : []));
  expect(at("api")).toEqual(["198.51.100.1", "2001:db8:ffff::1"]);
  expect(at("mirror")).toEqual(["198.51.100.6", "2001:db8:ffff::6"]);
  expect(at("acme")).toEqual(["198.51.100.5"]);
});

test.each([
  ["203.0.113.10", "10.113.0.203.in-addr.arpa"],
  ["2001:db8:1::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"],
])("the reverse name of %s", (address, name) => {
  expect(reverseName(address)).toBe(name);
});

test("the name servers answer for their zones only, the resolver forgets within a second", () => {
  const zones = renderAuthoritative("198.51.100.3", [{ name: "example.test", file: "zone-example.test" }]);
  expect(zones).toContain("recursion no;");
  expect(zones).toContain(
    'zone "example.test" { type primary; file "/etc/bbb-sandbox/zone-example.test"; };',
  );
  for (const setting of ["max-cache-ttl 1;", "max-ncache-ttl 1;", "listen-on { 198.51.100.4; };"]) {
    expect(renderResolver()).toContain(setting);
  }
  // BIND would answer for documentation ranges by itself.
  expect(renderResolver()).toContain("empty-zones-enable no;");
});
