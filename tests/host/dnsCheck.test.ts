import { check } from "./checks";
import { dig, GOOD, type Dns } from "./dig";
import { FakeHost } from "./scripts";

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
