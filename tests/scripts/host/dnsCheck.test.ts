import { check } from "./checks";
import { dig, GOOD, type Dns } from "./dig";
import { done, FakeHost, SCRIPTS } from "./scripts";

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
});

afterEach(() => host.remove());

const checked = (dns: Dns, ipv4 = "203.0.113.11", ipv6: string | null = "2001:db8:2::1") => {
  host.fake("dig", dig(dns));
  return check(host, "dns_check", "check_name", "example.test", "turn.example.test", ipv4, ipv6);
};

const records = GOOD.servers["192.0.2.1"]!;

test("a name that leads here, by all servers of the zone", async () => {
  expect(await checked(GOOD)).toMatchObject({ verdict: "ok", answer: "203.0.113.11, 2001:db8:2::1" });
});

test("a server of the zone that is silent is told, but no fault of the deployment's", async () => {
  expect(await checked({ ...GOOD, servers: { "192.0.2.1": records } })).toMatchObject({
    verdict: "ok",
    answer: "203.0.113.11, 2001:db8:2::1; ns2.example.net did not answer for turn.example.test",
  });
});

test.each<[string, Dns, string, string]>([
  [
    "another address",
    {
      ...GOOD,
      servers: { ...GOOD.servers, "192.0.2.2": { ...records, "turn.example.test A": ["203.0.113.99"] } },
    },
    "ns2.example.net says of turn.example.test: 203.0.113.99; it should be 203.0.113.11",
    "Set the A record of turn.example.test to 203.0.113.11, and remove others",
  ],
  [
    "no delegation",
    { ...GOOD, delegation: [] },
    "the name servers of test refer to no name servers for example.test: the world can't find it",
    "At the registrar of example.test, set the name servers to those of your DNS provider",
  ],
])("%s", async (_, dns, answer, remedy) => {
  expect(await checked(dns)).toMatchObject({ verdict: "FAIL", answer, remedy });
});

test("an AAAA record where there must be none", async () => {
  expect(await checked(GOOD, "203.0.113.11", null)).toMatchObject({
    verdict: "FAIL",
    answer: expect.stringContaining("where there must be none") as string,
    remedy: "Remove the record",
  });
});

/** Key and its tag of RFC 4034, section 5.4. */
const KEY =
  "256 3 5 AQOeiiR0GOMYkDshWoSKz9Xz fwJr1AYtsmx3TGkJaNXVbfi/ 2pHm822aJ5iI9BMzNXxeYCmZ DRD99WYwYqUSdjMmmAphXdvx egXd/M5+X7OrzKBaMbCVdFLU Uh6DhweJBjEVv5f2wwjM9Xzc nOf+EPbtG9DMBmADjFDc2w/r ljwvFw==";
const DS = "60485 5 1 2BB183AF5F22588179A53B0A 98631FAD1A292118";

const signed = (ds: readonly string[], keys: readonly string[]): Dns => ({
  ...GOOD,
  ds,
  servers: Object.fromEntries(
    Object.entries(GOOD.servers).map(([server, all]) => [server, { ...all, "example.test DNSKEY": keys }]),
  ),
});

test("a DS record that is left over from other name servers is named", async () => {
  expect(await checked(signed([DS], []))).toMatchObject({
    verdict: "FAIL",
    answer: expect.stringMatching(
      /^the name servers of test have a DS record of example\.test, but its name servers \(.*\) have no keys \(DNSKEY\)/,
    ) as string,
    remedy: expect.stringContaining("remove the DS record") as string,
  });
  expect(await checked(signed(["4711 5 1 00"], [KEY]))).toMatchObject({
    answer: expect.stringContaining("have other keys") as string,
  });
  expect(await checked(signed([DS], [KEY]))).toMatchObject({ verdict: "ok" });
});

test("a zone that is delegated elsewhere is told at once, with who is asked and who should be", async () => {
  host.fake("dig", dig(GOOD));
  const began = Date.now();
  const { code, output } = await done(
    host.start(
      [
        ...["/usr/bin/python3", "-B", `${SCRIPTS}/dns_check.py`, "--zone", "example.test", "--wait", "600"],
        ...["--hostname", "turn.example.test", "--ipv4", "203.0.113.11", "--ipv6", "2001:db8:2::1"],
        ...["--name-servers", "hydrogen.ns.example.com.,oxygen.ns.example.com"],
      ],
      {},
    ),
  );
  expect(code).toBe(1);
  expect(Date.now() - began).toBeLessThan(60_000);
  expect(output).toContain(
    "example.test is delegated to ns1.example.net, ns2.example.net, but this deployment's records are at " +
      "hydrogen.ns.example.com, oxygen.ns.example.com, which nobody asks",
  );
  expect(output).toContain(
    "At the registrar of example.test, set the name servers to hydrogen.ns.example.com",
  );
});
