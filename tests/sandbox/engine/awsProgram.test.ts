/** Whole programs with AWS: an explicit provider, look-ups before any resource, an asynchronous entry, kills. */

import { session } from "../../../sandbox/engine/drivers/aws/client";
import { publicKey, type Json } from "../hetzner/harness";
import { EngineAccount } from "./awsAccount";
import { Workbench } from "./support";

jest.setTimeout(600_000);

const account = new EngineAccount({ delays: { instance: 50, volume: 50, dns: 50 } });
let bench: Workbench;

const PROGRAM = `
  import * as aws from "@pulumi/aws";
  export = async () => {
    const provider = new aws.Provider("aws", { region: "eu-central-1" });
    const opts = { provider };
    const vpc = await aws.ec2.getVpc({ default: true }, opts);
    const { ids } = await aws.ec2.getSubnets({ filters: [{ name: "vpc-id", values: [vpc.id] }] }, opts);
    const subnets = await Promise.all(ids.map((id) => aws.ec2.getSubnet({ id }, opts)));
    const subnet = subnets.find(({ ipv6CidrBlock }) => ipv6CidrBlock !== "");
    const image = await aws.ec2.getAmi({
      owners: ["099720109477"], mostRecent: true, includeDeprecated: true,
      filters: [{ name: "name", values: ["ubuntu/images/hvm-ssd*/ubuntu-noble-24.04-amd64-server-*"] }],
    }, opts);
    const zone = await aws.route53.getZone({ name: "example-aws.test" }, opts);
    const tags = (name: string) => ({ Name: name, project: "demo", stack: "dev" });

    const eip = new aws.ec2.Eip("ipv4", { domain: "vpc", tags: tags("bbb") }, opts);
    const group = new aws.ec2.SecurityGroup("firewall", { vpcId: vpc.id, description: "d", tags: tags("bbb") }, opts);
    for (const port of [80, 443]) {
      new aws.vpc.SecurityGroupIngressRule("firewall-" + port, {
        securityGroupId: group.id, ipProtocol: "tcp", fromPort: port, toPort: port, cidrIpv4: "0.0.0.0/0", tags: tags("bbb"),
      }, opts);
    }
    const nic = new aws.ec2.NetworkInterface("interface", {
      subnetId: subnet!.id, securityGroups: [group.id], ipv6AddressCount: 1, tags: tags("bbb"),
    }, { ...opts, ignoreChanges: ["subnetId"] });
    new aws.ec2.EipAssociation("address", { allocationId: eip.allocationId, networkInterfaceId: nic.id },
      { ...opts, deleteBeforeReplace: true });
    const key = new aws.ec2.KeyPair("operator", { keyName: "demo-dev", publicKey: "${publicKey}", tags: tags("k") },
      { ...opts, deleteBeforeReplace: true });
    const server = new aws.ec2.Instance("server", {
      ami: image.id, instanceType: "c7i.2xlarge", keyName: "demo-dev",
      primaryNetworkInterface: { networkInterfaceId: nic.id },
      rootBlockDevice: { volumeType: "gp3", volumeSize: 50, encrypted: true, tags: tags("bbb disk") },
      userData: pulumi.secret("#cloud-config"), tags: tags("bbb"),
    }, { ...opts, dependsOn: [key], deleteBeforeReplace: true, ignoreChanges: ["ami", "userData", "keyName"] });
    const place = aws.ec2.getSubnetOutput({ id: nic.subnetId }, opts);
    const volume = new aws.ebs.Volume("volume", {
      availabilityZone: place.availabilityZone, size: 10, type: "gp3", encrypted: true, tags: tags("recordings"),
    }, { ...opts, ignoreChanges: ["availabilityZone"] });
    new aws.ec2.VolumeAttachment("attachment", {
      deviceName: "/dev/sdf", volumeId: volume.id, instanceId: server.id, stopInstanceBeforeDetaching: true,
    }, { ...opts, deleteBeforeReplace: true });
    const record = new aws.route53.Record("dns", {
      zoneId: zone.zoneId, name: "bbb.example-aws.test", type: "A", ttl: 60, records: [eip.publicIp],
    }, opts);
    return { address: eip.publicIp, ipv6: nic.ipv6Addresses[0], fqdn: record.fqdn, token: pulumi.secret("hidden") };
  };
`;
/** Number of resources, the provider included. */
const RESOURCES = 13;

beforeAll(() => account.start());
afterAll(() => account.close());
beforeEach(() => {
  bench = new Workbench(PROGRAM);
  bench.env = account.env;
});
afterEach(async () => {
  expect((await bench.destroy()).errors).toEqual([]);
  bench.close();
  // whatever happened, nothing is left over
  expect(await account.objects()).toEqual([]);
});

async function count(type: string): Promise<number> {
  return (await account.objects()).filter((object: Json) => object.type === type).length;
}

test("a refresh without a difference changes nothing; an instance that is gone is forgotten with its attachment", async () => {
  expect((await bench.up()).errors).toEqual([]);
  expect((await bench.refresh()).summary).toMatchObject({ updated: 0, deleted: 0 });
  const { id = "" } = bench.resource("server")!;
  const { ec2 } = await session(account.context("server"));
  await ec2.terminateInstances({ InstanceIds: [id] });
  await account.settled();
  const { summary, errors } = await bench.refresh();
  expect(errors).toEqual([]);
  expect(summary.deleted).toBeGreaterThanOrEqual(2);
  for (const gone of ["server", "attachment"]) expect(bench.resource(gone)).toBeUndefined();
  expect((await bench.up()).errors).toEqual([]);
  expect(await count("instance")).toBe(1);
});

test("a deployment, a second up without any change at AWS, a new server with the old addresses, and its end", async () => {
  const begun = account.changes();
  const preview = await bench.preview();
  expect(preview.errors).toEqual([]);
  expect(preview.summary).toMatchObject({ created: RESOURCES });
  expect(account.changes()).toEqual(begun);

  const first = await bench.up();
  expect(first.errors).toEqual([]);
  expect(first.summary).toMatchObject({ created: RESOURCES });
  expect(first.output).toContain("aws:ec2:Instance server created");
  const outputs = await bench.outputs();
  expect(outputs).toEqual({
    address: expect.stringMatching(/^203\.0\.113\.\d+$/),
    ipv6: expect.stringMatching(/^2001:db8:/),
    fqdn: "bbb.example-aws.test",
    token: "[secret]",
  });
  await expect(bench.outputs(true)).resolves.toMatchObject({ token: "hidden" });
  for (const secret of ["#cloud-config", "hidden", account.env.AWS_SECRET_ACCESS_KEY!])
    expect(bench.text()).not.toContain(secret);
  const provider = bench.resource("aws");
  expect(provider).toMatchObject({ type: "pulumi:providers:aws", inputs: { region: "eu-central-1" } });
  expect(bench.resource("server")?.provider).toBe(`${provider?.urn}::${provider?.id}`);

  const before = account.changes().length;
  expect((await bench.up()).summary).toMatchObject({ unchanged: RESOURCES });
  expect(account.changes()).toHaveLength(before);

  const [server, volume] = [bench.resource("server")?.id, bench.resource("volume")?.id];
  const replaced = await bench.up(["server"]);
  expect(replaced.errors).toEqual([]);
  expect(replaced.summary).toMatchObject({ replaced: 2, unchanged: RESOURCES - 2 });
  expect(account.changes().slice(before)).toEqual([
    "ec2:StopInstances",
    "ec2:DetachVolume",
    "ec2:TerminateInstances",
    "ec2:RunInstances",
    "ec2:CreateTags",
    "ec2:AttachVolume",
  ]);
  expect(bench.resource("server")?.id).not.toBe(server);
  expect(bench.resource("volume")?.id).toBe(volume);
  await expect(bench.outputs()).resolves.toEqual(outputs);
});

test("what the entry throws, and a look-up that finds nothing, ends the update before anything is made", async () => {
  const before = account.changes().length;
  bench.program(PROGRAM.replace("getVpc({ default: true }", 'getVpc({ id: "vpc-00000000000000000" }'));
  const missing = await bench.up();
  expect(missing.errors.join()).toContain("no matching EC2 VPC found");
  bench.program(PROGRAM.replace("const tags =", 'throw new Error("domain: is not ours"); const tags ='));
  const thrown = await bench.preview();
  expect(thrown.output).toContain("domain: is not ours");
  expect(thrown.errors).toHaveLength(1);
  expect(account.changes()).toHaveLength(before);
});

test("without credentials the update says so, once", async () => {
  bench.env = { AWS_ENDPOINT_URL: account.endpoint };
  const { output, errors } = await bench.up();
  expect(errors.length).toBeGreaterThan(0);
  expect(output.match(/missing AWS credentials/g)).toHaveLength(1);
  bench.env = account.env;
});

test("a provider that changes is for the real engine", async () => {
  bench.program(`
    import * as aws from "@pulumi/aws";
    new aws.Provider("aws", { region: "eu-central-1" });`);
  await bench.up();
  bench.program(`
    import * as aws from "@pulumi/aws";
    new aws.Provider("aws", { region: "eu-west-1" });`);
  expect((await bench.up()).errors).toEqual([
    'a change of region of the provider "aws" is not served by the embedded engine: use --engine pulumi',
  ]);
});

test("an up that is killed while an instance is made goes on with that instance", async () => {
  const asked = account.changes().filter((change) => change === "ec2:RunInstances").length;
  const release = account.recorder.hold("createServer");
  const servers = account.recorder.of("createServer").length;
  await bench.killed("up", () => account.recorder.of("createServer").length > servers);
  release();
  await account.settled();
  const { errors, output } = await bench.up();
  expect(errors).toEqual([]);
  expect(output).toMatch(/server: found what the killed update had created, i-\w+; going on with it/);
  expect(account.changes().filter((change) => change === "ec2:RunInstances")).toHaveLength(asked + 1);
  expect(await count("instance")).toBe(1);
  expect((await bench.up()).summary).toMatchObject({ unchanged: RESOURCES });
});

test("killed again and again, it still comes to the same end, with one of each", async () => {
  for (const wanted of [2, 5]) {
    const before = account.changes().length;
    await bench.killed("up", () => account.changes().length >= before + wanted);
    await account.settled();
  }
  expect((await bench.up()).errors).toEqual([]);
  for (const type of ["instance", "elastic-ip", "security-group", "network-interface", "key-pair"])
    expect([type, await count(type)]).toEqual([type, 1]);
  expect((await bench.up()).summary).toMatchObject({ unchanged: RESOURCES });
});
