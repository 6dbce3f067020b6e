import { type Run, runProgram, settings } from "../support/program";

const RRSET = "hcloud:index/zoneRrset:ZoneRrset";

describe("at Hetzner", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram();
  });

  test("TURN gets A and AAAA; BigBlueButton, whose media has no IPv6, A only", () => {
    const records = run
      .ofType(RRSET)
      .map(({ inputs: { zone, name, type, ttl, records } }) => ({ zone, name, type, ttl, records }));
    expect(records).toHaveLength(3);
    expect(records).toEqual(
      expect.arrayContaining([
        { zone: "example.org", name: "bbb", type: "A", ttl: 300, records: [{ value: "203.0.113.1" }] },
        { zone: "example.org", name: "turn", type: "A", ttl: 300, records: [{ value: "203.0.113.2" }] },
        {
          zone: "example.org",
          name: "turn",
          type: "AAAA",
          ttl: 300,
          records: [{ value: "2001:db8:0:2::1" }],
        },
      ]),
    );
  });

  test("records wait for addresses only, so that they spread while the machines boot", () => {
    expect(run.get("bbb-a").dependsOn).toEqual(["bbb-host-ipv4"]);
    expect(run.get("turn-a").dependsOn).toEqual(["turn-host-ipv4"]);
    expect(run.get("turn-aaaa").dependsOn).toEqual(["turn-host-ipv6"]);
  });

  test("the check of a host waits for its records", () => {
    expect(run.get("bbb-preflight").dependsOn).toContain("bbb-a");
    expect(run.get("turn-preflight").dependsOn).toEqual(expect.arrayContaining(["turn-a", "turn-aaaa"]));
    expect(run.get("bbb-connect").dependsOn).not.toContain("bbb-a");
  });

  test("no zone is created", () => {
    expect(run.resources.map(({ type }) => type)).not.toContain("hcloud:index/zone:Zone");
  });

  test("the zone's own name is written as @, a deeper one whole", async () => {
    const other = await runProgram({
      settings: {
        bbb: { ...settings.bbb, fqdn: "example.org" },
        turn: { ...settings.turn, fqdn: "turn.eu.example.org" },
      },
    });
    expect(other.get("bbb-a").inputs.name).toBe("@");
    expect(other.get("turn-a").inputs.name).toBe("turn.eu");
  });

  test("a zone that isn't there is named, with the remedy", async () => {
    const domain = { domain: "absent.example" };
    await expect(runProgram({ settings: domain })).rejects.toThrow(
      /^1 problem in the settings of the stack "staging"; nothing was changed\.\n\n {2}bigbluebutton:domain is absent\.example, a zone that could not be read at Hetzner Cloud: .*not found\n +→ create it in the project/,
    );
  });
});

describe("by hand", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram({ settings: { dns: "manual" } });
  });

  test("the records to make are told once the addresses are known", () => {
    expect(run.ofType(RRSET)).toEqual([]);
    expect([...run.messages].sort()).toEqual([
      "dns is manual: this record set must exist\n  bbb.example.org. 300 IN A 203.0.113.1",
      "dns is manual: this record set must exist\n" +
        "  turn.example.org. 300 IN A 203.0.113.2\n  turn.example.org. 300 IN AAAA 2001:db8:0:2::1",
    ]);
  });

  test("the hosts wait an hour for them", () => {
    expect(run.get("bbb-preflight").inputs.create).toContain(" --dns-wait 3600 ");
    expect(run.get("turn-preflight").inputs.create).toContain(" --dns-wait 3600 ");
  });

  test("nothing is asked of Hetzner's DNS", () => {
    expect(run.resources.filter(({ type }) => /zone/i.test(type))).toEqual([]);
  });
});
