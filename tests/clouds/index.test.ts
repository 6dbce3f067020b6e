import { atAws, runProgram, turnPeersIn, type Run, type Variation } from "../support/program";

const mixes: Readonly<Record<string, Variation["settings"]>> = {
  "Hetzner with its own DNS": {},
  "Hetzner with Route 53": { dns: "route53" },
  "AWS with Route 53": { ...atAws, dns: "route53" },
  "AWS with Hetzner's DNS": { ...atAws },
  "AWS with records made by hand": { ...atAws, dns: "manual" },
  "BigBlueButton at Hetzner, TURN at AWS": { turn: atAws.turn },
  "BigBlueButton at AWS, TURN at Hetzner": { bbb: atAws.bbb, dns: "route53" },
};

const kinds = (run: Run) => ["bbb", "turn"].map((role) => run.get(`${role}-host-server`).type.split(":")[0]);
const records = (run: Run) =>
  run.resources
    .filter(({ type }) => /:(Record|ZoneRrset)$/.test(type))
    .map(({ type, name }) => `${name} ${type}`);

describe("each of the mixes", () => {
  const HCLOUD = "hcloud:index/zoneRrset:ZoneRrset";
  const ROUTE53 = "aws:route53/record:Record";
  const all = (type: string) => [`bbb-a ${type}`, `turn-a ${type}`, `turn-aaaa ${type}`];

  test.each<[mix: string, servers: string[], records: string[]]>([
    ["Hetzner with its own DNS", ["hcloud", "hcloud"], all(HCLOUD)],
    ["Hetzner with Route 53", ["hcloud", "hcloud"], all(ROUTE53)],
    ["AWS with Route 53", ["aws", "aws"], all(ROUTE53)],
    ["AWS with Hetzner's DNS", ["aws", "aws"], all(HCLOUD)],
    ["AWS with records made by hand", ["aws", "aws"], []],
    ["BigBlueButton at Hetzner, TURN at AWS", ["hcloud", "aws"], all(HCLOUD)],
    ["BigBlueButton at AWS, TURN at Hetzner", ["aws", "hcloud"], all(ROUTE53)],
  ])("%s", async (mix, servers, expected) => {
    const run = await runProgram({ settings: mixes[mix] });
    expect(kinds(run)).toEqual(servers);
    expect(records(run).sort()).toEqual(expected);
    for (const role of ["bbb", "turn"]) {
      expect(run.get(`${role}-host-server`).beforeUpdate).toEqual(["no-meetings-while-a-server-is-off"]);
    }
    expect(run.get("turn-configure").beforeUpdate).toContain("no-meetings-while-coturn-restarts");
    expect(run.get("bbb-verify").dependsOn).toEqual(expect.arrayContaining(["turn-configure", "bbb-wire"]));
  });
});

test("a record in Route 53 has the host's full name, and takes no other's place", async () => {
  const run = await runProgram({ settings: mixes["Hetzner with Route 53"] });
  expect(run.get("turn-aaaa").inputs).toEqual({
    zoneId: "Z0EXAMPLE",
    name: "turn.example.org",
    type: "AAAA",
    ttl: 300,
    records: ["2001:db8:0:2::1"],
    allowOverwrite: false,
  });
  expect(run.get("bbb-a").dependsOn).toEqual(["bbb-host-ipv4"]);
  expect(run.get("bbb-preflight").dependsOn).toContain("bbb-a");
  expect(run.get("bbb-preflight").inputs.create).toContain(" --dns-wait 600 ");
});

test("Route 53 alone needs no host's region, and nothing else of AWS", async () => {
  const run = await runProgram({ settings: mixes["Hetzner with Route 53"] });
  expect(run.get("aws").inputs).toMatchObject({ region: "eu-central-1" });
  const aws = run.lookUps.map(({ token }) => token).filter((token) => token.startsWith("aws:"));
  expect(aws).toEqual(["aws:route53/getZone:getZone", "aws:route53/getRecords:getRecords"]);
});

test("the provider's region is the TURN server's where only that is at AWS", async () => {
  const turn = { ...atAws.turn, location: "eu-west-1" };
  const run = await runProgram({ settings: { turn } });
  expect(run.get("aws").inputs).toMatchObject({ region: "eu-west-1" });
});

test("a TURN server that is not in BigBlueButton's network is let to its public addresses only", async () => {
  const peers = async (mix: string) => turnPeersIn(await runProgram({ settings: mixes[mix] }));
  expect(await peers("BigBlueButton at AWS, TURN at Hetzner")).toEqual(["203.0.113.11", "2001:db8:a::1"]);
  expect(await peers("BigBlueButton at Hetzner, TURN at AWS")).toEqual(["203.0.113.1", "2001:db8:0:1::1"]);
});

test("a missing zone is told before anything is made, with what the other cloud lacks", async () => {
  const variation = { settings: { ...atAws, domain: "absent.example" }, aws: { vpcs: [] } };
  await expect(runProgram(variation)).rejects.toThrow(
    /^2 problems [^]*:domain is absent\.example, a zone that could not be read at Hetzner Cloud[^]*:vpcId is not set/,
  );
});

describe("packages", () => {
  const PACKAGES = { "@pulumi/aws": /^aws:/, "@pulumi/hcloud": /^hcloud:/ } as const;
  const missing = () => {
    throw Object.assign(new Error("Cannot find module\nRequire stack:"), { code: "MODULE_NOT_FOUND" });
  };
  afterEach(() => {
    for (const name of Object.keys(PACKAGES)) jest.unmock(name);
  });

  test.each([
    ["@pulumi/aws", "Hetzner with its own DNS"],
    ["@pulumi/hcloud", "AWS with Route 53"],
    ["@pulumi/hcloud", "AWS with records made by hand"],
  ] as const)("%s need not be installed for %s", async (name, mix) => {
    jest.doMock(name, missing);
    const run = await runProgram({ settings: mixes[mix] });
    expect(run.resources.filter(({ type }) => PACKAGES[name].test(type))).toEqual([]);
  });

  test("one that is missing is asked for under ts-node, too, which finds its types missing first", async () => {
    jest.doMock("@pulumi/aws", () => {
      const message =
        "⨯ Unable to compile TypeScript:\ncomponents/awsCloud.ts(1,22): error TS2307: Cannot find module '@pulumi/aws' or its corresponding type declarations.\n";
      throw Object.assign(new Error(message), { diagnosticCodes: [2307] });
    });
    await expect(runProgram({ settings: mixes["Hetzner with Route 53"] })).rejects.toThrow(
      "The settings use aws, whose package is not installed: Cannot find module '@pulumi/aws'. Run npm ci without --omit=optional.",
    );
  });

  test.each([
    ["@pulumi/aws", "Hetzner with Route 53", "aws"],
    ["@pulumi/aws", "BigBlueButton at Hetzner, TURN at AWS", "aws"],
    ["@pulumi/hcloud", "AWS with Hetzner's DNS", "hetzner"],
  ] as const)("%s, missing, is asked for by %s", async (name, mix, cloud) => {
    jest.doMock(name, missing);
    await expect(runProgram({ settings: mixes[mix] })).rejects.toThrow(
      `The settings use ${cloud}, whose package is not installed: Cannot find module. Run npm ci without --omit=optional.`,
    );
  });
});
