import { ask } from "../../../operator/check/finding";
import { checkName, type Lookups, type NameArgs } from "../../../operator/check/names";

type Records = Readonly<Record<string, readonly string[]>>;

const RIGHT = { "A turn.example.org": ["203.0.113.2"], "AAAA turn.example.org": ["2001:db8:0:2::1"] };
const SERVERS = { "NS example.org": ["ns1.dns.test"], "A ns1.dns.test": ["192.0.2.53"] };

/** Look-ups with these records; undefined for a server that is silent. */
function lookups(records: Records | undefined): Lookups {
  const find = (type: string) => (name: string) => {
    const found = records?.[`${type} ${name}`];
    if (found) return Promise.resolve([...found]);
    return Promise.reject(Object.assign(new Error("x"), { code: records ? "ENODATA" : "ETIMEOUT" }));
  };
  return { resolve4: find("A"), resolve6: find("AAAA"), resolveNs: find("NS") };
}

const name: NameArgs = {
  fqdn: "turn.example.org",
  zone: "example.org",
  ipv4: "203.0.113.2",
  ipv6: "2001:DB8:0:2:0::1",
};

function checked(own: Records | undefined, zone: Records | undefined, args = name) {
  return ask("name", "", () =>
    checkName(args, (server) => {
      expect([undefined, "192.0.2.53"]).toContain(server);
      return lookups(server === undefined ? own : zone);
    }),
  );
}

test("a name that leads to its host, for the resolver and the zone's own servers", async () => {
  expect(await checked({ ...RIGHT, ...SERVERS }, RIGHT)).toMatchObject({
    verdict: "ok",
    answer: "203.0.113.2, 2001:DB8:0:2:0::1",
  });
});

test.each([
  [
    "another address",
    { ...RIGHT, "A turn.example.org": ["203.0.113.9"] },
    "ns1.dns.test says 203.0.113.9, 2001:db8:0:2::1",
  ],
  [
    "one address too many",
    { ...RIGHT, "A turn.example.org": ["203.0.113.2", "203.0.113.9"] },
    "ns1.dns.test says 203.0.113.2, 203.0.113.9, 2001:db8:0:2::1",
  ],
  ["no AAAA record", { "A turn.example.org": ["203.0.113.2"] }, "ns1.dns.test says 203.0.113.2"],
  ["nothing", {}, "ns1.dns.test says no address"],
])("a zone whose server says %s", async (_, zone, answer) => {
  expect(await checked({ ...RIGHT, ...SERVERS }, zone)).toMatchObject({
    verdict: "FAIL",
    answer,
    remedy: expect.stringContaining(
      "the records of turn.example.org must be 203.0.113.2, 2001:DB8",
    ) as string,
  });
});

test("an AAAA record where there must be none", async () => {
  const args = { ...name, ipv6: undefined };
  const only = { "A turn.example.org": ["203.0.113.2"] };
  expect(await checked({ ...only, ...SERVERS }, only, args)).toMatchObject({
    verdict: "ok",
    answer: "203.0.113.2, no AAAA",
  });
  expect(await checked({ ...RIGHT, ...SERVERS }, RIGHT, args)).toMatchObject({
    verdict: "FAIL",
  });
});

test("servers of the zone that can't be asked from here are told, no more", async () => {
  expect(await checked({ ...RIGHT, ...SERVERS }, undefined)).toMatchObject({
    verdict: "ok",
    answer: expect.stringContaining("no server of example.org could be asked from here") as string,
  });
});

test("a resolver that does not answer", async () => {
  expect(await checked(undefined, undefined)).toMatchObject({
    verdict: "FAIL",
    answer: "this machine's resolver does not answer",
  });
});
