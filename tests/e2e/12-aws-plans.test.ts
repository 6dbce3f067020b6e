import { allInventory, deleteDefaultVpc, subnetWith } from "./support/clouds";
import { inSubnet, MIXES } from "./support/mixes";
import { must, tryUpdate, update } from "./support/sandbox";

const AWS = ["--cloud", "aws"];
const set = (...settings: string[]): string[] => settings.flatMap((setting) => ["--set", setting]);

beforeAll(() => must(["reset"]));

describe("previews", () => {
  for (const { name, args } of [{ name: "all of it at AWS", args: AWS }, ...MIXES]) {
    test(`${name}: everything is to be made, and nothing is`, async () => {
      const { summary } = await update("preview", "embedded", args);
      expect(Object.keys(summary)).toEqual(["created"]);
      expect(summary.created).toBeGreaterThan(20);
      expect(await allInventory()).toEqual({});
    });
  }

  test("EC2 in a subnet without IPv6: no host has an IPv6 address", async () => {
    const dual = await update("preview", "embedded", AWS);
    expect(dual.stdout).toMatch(/Record turn-aaaa create/);
    const single = await update("preview", "embedded", inSubnet(await subnetWith({ ipv6: false })));
    expect(single.stdout).toMatch(/Record turn-a create/);
    expect(single.stdout).not.toMatch(/Record turn-aaaa create/);
  });
});

describe("what can't be at AWS is one clear message, and nothing is created", () => {
  async function refused(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await tryUpdate("up", "embedded", [...AWS, ...args]);
    expect(code).not.toBe(0);
    expect(await allInventory()).toEqual({});
    return (stdout + stderr).replace(/\s+/g, " ");
  }

  test("a private subnet", async () => {
    const subnet = await subnetWith({ name: "private" });
    expect(await refused(set(`subnetId=${subnet}`))).toMatch(
      new RegExp(`subnetId is ${subnet}, a private subnet`),
    );
  });

  test("processors that BigBlueButton has no packages for, told by name or by AWS", async () => {
    expect(await refused(set("serverType=c7g.2xlarge"))).toMatch(/serverType .*c7g\.2xlarge.* ARM/i);
  });

  test("burstable types in prod, all at once", async () => {
    const output = await refused(
      set("environment=prod", "serverType=t3.2xlarge", "turnServerType=t3.medium"),
    );
    expect(output).toMatch(/:serverType "t3\.2xlarge" gives its cores part of the time only/);
    expect(output).toMatch(/:turnServerType "t3\.medium" gives its cores part of the time only/);
  });

  test("a type that AWS does not have, together with a subnet that is private", async () => {
    const output = await refused(
      set("serverType=c7a.9xlarge", `subnetId=${await subnetWith({ name: "private" })}`),
    );
    expect(output).toMatch(/serverType .*c7a\.9xlarge/);
    expect(output).toMatch(/subnetId .*private subnet/);
  });

  test("a zone that the account does not have", async () => {
    expect(await refused(set("domain=elsewhere.test"))).toMatch(/domain .*elsewhere\.test/);
  });

  test("no default VPC", async () => {
    await deleteDefaultVpc();
    expect(await refused([])).toMatch(/vpcId is not set, and the account has no default VPC/);
  });
});
