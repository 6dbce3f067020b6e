import { allInventory, deleteDefaultVpc, subnetWith } from "./support/clouds";
import { inSubnet, MIXES } from "./support/mixes";
import { must, tryUpdate, update } from "./support/sandbox";

const AWS = ["--cloud", "aws"];
const set = (...settings: string[]): string[] => settings.flatMap((setting) => ["--set", setting]);

beforeAll(() => must(["reset"]));
// An account without a VPC is none to go on with.
afterAll(() => must(["reset"]));

describe("previews", () => {
  const shown = new Map<string, string>();

  for (const { name, args } of [{ name: "all of it at AWS", args: AWS }, ...MIXES]) {
    test(`${name}: everything is to be made`, async () => {
      const { summary, stdout } = await update("preview", "embedded", args);
      expect(Object.keys(summary)).toEqual(["created"]);
      expect(summary.created).toBeGreaterThan(20);
      shown.set(name, stdout);
    });
  }

  test("EC2 in a subnet without IPv6: no host has an IPv6 address", async () => {
    const { stdout } = await update("preview", "embedded", inSubnet(await subnetWith({ ipv6: false })));
    expect(shown.get("all of it at AWS")).toContain("Record turn-aaaa create");
    expect(stdout).toContain("Record turn-a create");
    expect(stdout).not.toContain("Record turn-aaaa create");
  });

  test("nothing is made", async () => {
    expect(await allInventory()).toEqual({});
  });
});

describe("what can't be at AWS is one clear message", () => {
  async function refused(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await tryUpdate("up", "embedded", [...AWS, ...args]);
    expect(code).not.toBe(0);
    return (stdout + stderr).replace(/\s+/g, " ");
  }

  test("a private subnet", async () => {
    const subnet = await subnetWith({ name: "private" });
    expect(await refused(set(`subnetId=${subnet}`))).toMatch(
      new RegExp(`subnetId is ${subnet}, a private subnet`),
    );
  });

  test("processors that BigBlueButton has no packages for", async () => {
    expect(await refused(set("serverType=c7g.2xlarge"))).toMatch(/serverType .*c7g\.2xlarge.* ARM/i);
  });

  test("burstable types in prod, all at once", async () => {
    const output = await refused(
      set("environment=prod", "serverType=t3.2xlarge", "turnServerType=t3.medium"),
    );
    expect(output).toMatch(/:serverType "t3\.2xlarge" gives its cores part of the time only/);
    expect(output).toMatch(/:turnServerType "t3\.medium" gives its cores part of the time only/);
  });

  test("a type that AWS does not have, a private subnet and an unknown zone, all at once", async () => {
    const subnet = await subnetWith({ name: "private" });
    const output = await refused(
      set("serverType=c7a.9xlarge", `subnetId=${subnet}`, "domain=elsewhere.test"),
    );
    expect(output).toMatch(/serverType .*c7a\.9xlarge/);
    expect(output).toMatch(/subnetId .*private subnet/);
    expect(output).toMatch(/domain .*elsewhere\.test/);
  });

  test("no default VPC", async () => {
    await deleteDefaultVpc();
    expect(await refused([])).toMatch(/vpcId is not set, and the account has no default VPC/);
  });

  test("nothing is created", async () => {
    expect(await allInventory()).toEqual({});
  });
});
