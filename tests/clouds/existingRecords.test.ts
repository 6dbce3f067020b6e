import * as pulumi from "@pulumi/pulumi";

import { warnOfDeletedRecords } from "../../clouds/ownRecords";
import { atAws, runProgram, settings, type Variation } from "../support/program";

const OURS = { project: "bigbluebutton", stack: "staging" };
const rrset = (name: string, type: string, value: string, labels: object = {}) => ({
  ...{ id: `${name}/${type}`, name, type, labels },
  records: [{ value }],
});
const hetznerHas = (...rrsets: object[]) => ({ rrsets });
const route53 = { ...atAws, dns: "route53" } as const;
const made = (name: string, type: string, ...records: string[]) => ({
  type: "aws:route53/record:Record",
  outputs: { name, type, records, ttl: 300, zoneId: "Z0EXAMPLE" },
});
const madeAtHetzner = (name: string, type: string, value: string) => ({
  type: "hcloud:index/zoneRrset:ZoneRrset",
  outputs: { zone: "example.org", name, type, records: [{ value, comment: "" }], labels: {} },
});
const record = (name: string, type: string, ...values: string[]) => ({ name, type, values });

async function refusal(variation: Variation): Promise<string> {
  return runProgram(variation).then(
    ({ resources }) => `none, and ${resources.length} resources`,
    (error: Error) => error.message,
  );
}

/** Looks up records in a run that refuses nothing. */
async function asked(variation: Variation): Promise<string[]> {
  const { lookUps } = await runProgram(variation);
  return lookUps.map(({ token }) => token.split(":").at(-1)!);
}

describe("at Hetzner", () => {
  test.each([
    ["A", "198.51.100.9"],
    ["AAAA", "2001:db8:9::9"],
    ["CNAME", "www.example.com."],
  ])("an %s record of another owner is told before anything is made", async (type, value) => {
    const told = await refusal({ hetznerHas: hetznerHas(rrset("bbb", type, value)) });
    expect(told).toContain('1 problem in the settings of the stack "staging"; nothing was changed.');
    expect(told).toContain(
      "bigbluebutton:hostname makes the name bbb.example.org, which leads elsewhere already: " +
        `the zone example.org at Hetzner Cloud has ${type} ${value}\n    → pulumi config set hostname NAME`,
    );
    expect(told).toContain("If that record is yours and nobody uses it any more, remove it there");
  });

  test("in one listing with all else that is wrong, each name by its setting", async () => {
    const told = await refusal({
      settings: { turn: { ...settings.turn, location: "mars" } },
      hetznerHas: hetznerHas(
        rrset("bbb", "A", "198.51.100.9", { ...OURS, stack: "prod" }),
        rrset("turn", "AAAA", "2001:db8:9::9"),
        rrset("turn", "A", "198.51.100.10"),
      ),
    });
    expect(told).toMatch(
      /^3 problems[^]*:hostname makes the name bbb\.[^]*:turnHostname makes the name turn\.[^]* has AAAA 2001:db8:9::9; A 198\.51\.100\.10\n[^]*:turnLocation is mars/,
    );
  });

  test("the stack's own, and those that lead to no host or have other names, are no obstacle", async () => {
    await expect(
      refusal({
        hetznerHas: hetznerHas(
          rrset("bbb", "A", "203.0.113.1", OURS),
          rrset("turn", "AAAA", "2001:db8:0:2::1", { ...OURS, role: "turn" }),
          rrset("bbb", "TXT", '"hello"'),
          rrset("@", "A", "198.51.100.9"),
          rrset("www", "CNAME", "@"),
          rrset("*", "A", "198.51.100.9"),
          rrset("bbb.sub", "A", "198.51.100.9"),
        ),
      }),
    ).resolves.toMatch(/^none/);
  });

  test("one without labels that leads to the stack's own address is its own, of IPv6 to the one that the host has", async () => {
    const rrsets = [rrset("bbb", "A", "203.0.113.1"), rrset("turn", "AAAA", "2001:db8:0:2:0::1")];
    const primaryIps = [
      { type: "ipv4", ipAddress: "203.0.113.1" },
      { type: "ipv6", ipAddress: "2001:db8:0:2::" },
    ];
    await expect(refusal({ hetznerHas: { rrsets, primaryIps } })).resolves.toMatch(/^none/);
    const told = await refusal({ hetznerHas: { rrsets, primaryIps: primaryIps.slice(0, 1) } });
    expect(told).toMatch(/^1 problem[^]*turnHostname makes[^]*let it lead to 203\.0\.113\.1 again/);
  });

  test("another stack's TURN server has its name by right", async () => {
    const variation = {
      settings: { turn: { kind: "shared" as const, stack: "prod" } },
      stacks: {
        "organization/bigbluebutton/prod": { turnHost: "turn.example.org", turnSecret: "s".repeat(64) },
      },
      hetznerHas: hetznerHas(rrset("turn", "A", "198.51.100.9")),
    };
    expect(await refusal(variation)).not.toContain("leads elsewhere");
  });

  test("a first deployment asks for no addresses", async () => {
    expect(await asked({})).toEqual(expect.arrayContaining(["getZoneRrsets"]));
    expect(await asked({})).not.toContain("getPrimaryIps");
  });
});

describe("in Route 53", () => {
  test.each([
    record("bbb.example.org", "A", "198.51.100.9"),
    record("bbb.example.org.", "CNAME", "www.example.com"),
  ])("another owner's $type record is told with what else AWS lacks", async (foreign) => {
    const bbb = { ...atAws.bbb, serverType: "unheard.of" };
    const told = await refusal({ settings: { ...route53, bbb }, aws: { records: [foreign] } });
    expect(told).toContain("2 problems");
    expect(told).toContain(
      `:hostname makes the name bbb.example.org, which leads elsewhere already: the zone example.org at Route 53 has ${foreign.type} ${foreign.values.join()}`,
    );
    expect(told).toContain(":serverType is unheard.of");
  });

  test("those that lead to the stack's own addresses are its own", async () => {
    const records = [
      record("bbb.example.org", "A", "203.0.113.11"),
      record("turn.example.org", "AAAA", "2001:db8:a::2"),
    ];
    const eips = [{ ...OURS, publicIp: "203.0.113.11" }];
    const interfaces = [{ ...OURS, id: "eni-2", subnetId: "subnet-a", ipv6Addresses: ["2001:db8:a::2"] }];
    await expect(refusal({ settings: route53, aws: { records, eips, interfaces } })).resolves.toMatch(
      /^none/,
    );
    const others = eips.map((eip) => ({ ...eip, stack: "prod" }));
    const told = await refusal({ settings: route53, aws: { records, eips: others, interfaces } });
    expect(told).toMatch(/^1 problem[^]*:hostname makes the name bbb\.example\.org/);
  });

  test("those that are as the stack made them are its own after a move to another region or cloud", async () => {
    // Of another region, where the stack's tags are not looked for.
    const records = [
      record("bbb.example.org.", "A", "203.0.113.81"),
      record("turn.example.org.", "AAAA", "2001:db8:f::2"),
    ];
    const state = [
      made("BBB.example.org", "A", "203.0.113.81"),
      made("turn.example.org", "AAAA", "2001:db8:f:0:0::2"),
    ];
    const moved: Variation = { settings: route53, aws: { records } };
    expect(await refusal(moved)).toMatch(/^2 problems/);
    expect(await refusal({ ...moved, state })).toMatch(/^none/);
  });

  test("one that was led elsewhere since the stack made it is another's, and so is one of another type", async () => {
    const state = [
      made("bbb.example.org", "A", "203.0.113.81"),
      made("turn.example.org", "A", "203.0.113.82"),
    ];
    const records = [
      record("bbb.example.org", "A", "198.51.100.9"),
      record("turn.example.org", "CNAME", "203.0.113.82"),
    ];
    const told = await refusal({ settings: route53, aws: { records }, state });
    expect(told).toMatch(
      /^2 problems[^]*:hostname makes[^]*A 198\.51\.100\.9[^]*:turnHostname makes[^]*CNAME/,
    );
    const beside = [record("bbb.example.org", "A", "203.0.113.81", "198.51.100.9")];
    expect(await refusal({ settings: route53, aws: { records: beside }, state })).toMatch(/^1 problem/);
  });

  test("with hosts at Hetzner, its addresses count", async () => {
    const variation: Variation = {
      settings: { dns: "route53" },
      aws: { records: [record("bbb.example.org", "A", "203.0.113.1")] },
    };
    expect(await refusal(variation)).toMatch(/^1 problem[^]*:hostname makes/);
    const primaryIps = [{ type: "ipv4", ipAddress: "203.0.113.1" }];
    expect(await refusal({ ...variation, hetznerHas: { primaryIps } })).toMatch(/^none/);
  });

  test("a first deployment asks for no addresses", async () => {
    expect(await asked({ settings: route53 })).toContain("getRecords");
    expect(await asked({ settings: route53 })).not.toContain("getEips");
  });
});

describe("by hand", () => {
  const manual = { dns: "manual" } as const;

  test("nothing is refused", async () => {
    const foreign = hetznerHas(rrset("bbb", "A", "198.51.100.9"));
    expect(await refusal({ settings: manual, hetznerHas: foreign })).toMatch(/^none/);
  });

  test("records that the stack has made at Hetzner are named before they are deleted", async () => {
    const { warnings } = await runProgram({
      settings: manual,
      state: [
        madeAtHetzner("bbb", "A", "203.0.113.1"),
        madeAtHetzner("@", "AAAA", "2001:db8:0:2::1"),
        { type: "hcloud:index/server:Server", outputs: { name: "bbb" } },
      ],
    });
    expect(warnings).toEqual([
      "dns is manual, so this update deletes the records that this stack has made at Hetzner Cloud, " +
        "and nothing makes them anew: until they are made where the zone is, nobody reaches the servers. " +
        "To keep them: pulumi config set dns hetzner\n" +
        "  bbb.example.org. 300 IN A 203.0.113.1\n  example.org. 300 IN AAAA 2001:db8:0:2::1",
    ]);
  });

  test("so are those of a component, with the argument that keeps them", async () => {
    const { type, outputs } = madeAtHetzner("bbb", "A", "203.0.113.1");
    const urn = "urn:pulumi:prod::schools::hcloud:index/zoneRrset:ZoneRrset::school-a-bbb-a";
    jest.spyOn(pulumi.runtime, "invoke").mockResolvedValue({ outputs: { [urn]: { type, outputs } } });
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    await warnOfDeletedRecords({
      ...{ project: "schools", stack: "prod", labels: { deployment: "school-a" } },
      component: { type: "BigBlueButton", name: "school-a" },
    });
    expect(warn.mock.calls).toEqual([[expect.stringContaining('To keep them: dns: "hetzner"\n')]]);
    jest.restoreAllMocks();
  });

  test.each([
    ["with hosts at AWS", { ...manual, ...atAws }],
    ["with hosts at Hetzner", manual],
  ])("so are those at Route 53, %s, though nothing of Route 53 is asked", async (_, settings) => {
    const { warnings, lookUps } = await runProgram({
      settings,
      state: [made("bbb.example.org", "A", "203.0.113.1")],
    });
    expect(warnings).toEqual([
      "dns is manual, so this update deletes the records that this stack has made at Route 53, " +
        "and nothing makes them anew: until they are made where the zone is, nobody reaches the servers. " +
        "To keep them: pulumi config set dns route53\n  bbb.example.org. 300 IN A 203.0.113.1",
    ]);
    expect(lookUps.filter(({ token }) => token.includes("route53"))).toEqual([]);
  });

  test.each([
    ["that has made none", []],
    ["whose engine does not tell", undefined],
  ])("a stack %s needs no word", async (_, state) => {
    expect((await runProgram({ settings: manual, state })).warnings).toEqual([]);
  });
});
