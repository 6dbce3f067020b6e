import { lastWords } from "../../../sandbox/services/lastWords";
import { parseBind, renderAuthoritative, renderResolver } from "../../../sandbox/services/named";
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
  expect(at("mail")).toEqual(["198.51.100.8"]);
});

test.each([
  ["203.0.113.10", "10.113.0.203.in-addr.arpa"],
  ["2001:db8:1::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"],
])("the reverse name of %s", (address, name) => {
  expect(reverseName(address)).toBe(name);
});

test("the name servers answer for their zones only, the resolver forgets within a second", () => {
  const bind = { lockFile: true };
  const zones = renderAuthoritative(
    "198.51.100.3",
    [{ name: "example.test", file: "zone-example.test" }],
    bind,
  );
  expect(zones).toContain("recursion no;");
  expect(zones).toContain(
    'zone "example.test" { type primary; file "/etc/bbb-sandbox/zone-example.test"; };',
  );
  for (const setting of ["max-cache-ttl 1;", "max-ncache-ttl 1;", "listen-on { 198.51.100.4; };"]) {
    expect(renderResolver(bind)).toContain(setting);
  }
  // BIND would answer for documentation ranges by itself.
  expect(renderResolver(bind)).toContain("empty-zones-enable no;");
});

test.each([
  ["BIND 9.18.33-1~deb12u2-Debian (Extended Support Version) <id:>", true],
  ["BIND 9.20.11-4-Debian (Stable Release) <id:>", false],
  ["BIND 10.0.1", false],
])("%s: a lock file, which only BIND before 9.20 knows: %s", (printed, lockFile) => {
  const bind = parseBind(`${printed}\n`);
  for (const text of [renderAuthoritative("198.51.100.3", [], bind), renderResolver(bind)])
    expect(text.includes("lock-file none;")).toBe(lockFile);
});

test("what tells no version is no BIND", () => {
  expect(() => parseBind("named: not found")).toThrow(/told no version: named: not found/);
});

test("a service that has ended is told with its reason", () => {
  expect(
    lastWords(
      "29-Nov-2026 02:31:19.123 starting BIND 9.20.11\n29-Nov-2026 02:31:19.123 loading configuration from 'x'\n" +
        "29-Nov-2026 02:31:19.124 /etc/x.conf:7: unknown option 'lock-file'\n" +
        "29-Nov-2026 02:31:19.124 loading configuration: failure\n29-Nov-2026 02:31:19.124 exiting (due to fatal error)\n\n",
    ),
  ).toBe(
    "/etc/x.conf:7: unknown option 'lock-file' / loading configuration: failure / exiting (due to fatal error)",
  );
  expect(lastWords("one\ntwo\nthree\nfour\n")).toBe("two / three / four");
  expect(lastWords("")).toBe("its log is empty");
});
