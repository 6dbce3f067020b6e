/**
 * The driver against the sandbox's AWS: moto with its errors corrected. The real provider, which these tests can't use,
 * is known from its sources and documentation.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import {
  CreateImageCommand,
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
} from "@aws-sdk/client-ec2";

import { PartialCreate, type Context, type Created, type Kind } from "../../../sandbox/engine/driver";
import { aws } from "../../../sandbox/engine/drivers/aws";
import type { Values } from "../../../sandbox/engine/wire";
import { publicKey, type Json } from "../hetzner/harness";
import { eventually } from "../aws/harness";
import { EngineAccount } from "./awsAccount";

const account = new EngineAccount({ delays: { instance: 50, volume: 50, image: 50, dns: 50 } });
let before = 0;
let context: Context;

beforeAll(() => account.start());
afterAll(() => account.close());
beforeEach(() => {
  before = account.changes().length;
  context = account.context(expect.getState().currentTestName ?? "");
});

/** Changes by the test since the last call. */
function taken(): string[] {
  const all = account.changes();
  return all.slice(before, (before = all.length));
}

type Made = Created & { inputs: Values };

function kind(name: string): Kind {
  const found = Object.entries(aws.kinds).find(([type]) => type.endsWith(`:${name}`));
  if (found === undefined) throw new Error(`no ${name}`);
  return found[1];
}

async function make(name: string, asked: Values): Promise<Made> {
  const inputs = { ...kind(name).defaults?.(asked, undefined, "logical"), ...asked };
  return { ...(await kind(name).create(inputs, context)), inputs };
}

async function change(name: string, state: Made, inputs: Values): Promise<Made> {
  const now = { ...state.inputs, ...inputs };
  const outputs = (await kind(name).update?.(state, now, context)) ?? {};
  return { id: state.id, inputs: now, outputs };
}

async function remove(name: string, state: Made): Promise<void> {
  await kind(name).delete?.(state, context);
}

async function adopt(name: string, state: Made, ids: readonly string[] = []): Promise<Created | undefined> {
  return kind(name).adopt?.(state.inputs, { ...context, taken: ids });
}

async function look(token: string, args: Values): Promise<Json> {
  const found = aws.invokes?.[`aws:${token}`];
  if (found === undefined) throw new Error(`no ${token}`);
  return found(args, context);
}

const tagged = (name: string) => ({ tags: { Name: name, project: "demo", stack: "dev", role: "bbb" } });

async function publicSubnet(): Promise<Json> {
  const vpc = await look("ec2/getVpc:getVpc", { default: true });
  const filters = [
    { name: "vpc-id", values: [vpc.id as string] },
    { name: "default-for-az", values: ["true"] },
  ];
  const { ids } = await look("ec2/getSubnets:getSubnets", { filters });
  const subnets = await Promise.all(ids.map((id: string) => look("ec2/getSubnet:getSubnet", { id })));
  return subnets.sort((a, b) => (a.availabilityZone < b.availabilityZone ? -1 : 1))[0];
}

async function image(): Promise<string> {
  const found = await look("ec2/getAmi:getAmi", {
    owners: ["099720109477"],
    mostRecent: true,
    includeDeprecated: true,
    filters: [
      { name: "name", values: ["ubuntu/images/hvm-ssd*/ubuntu-noble-24.04-amd64-server-*"] },
      { name: "architecture", values: ["x86_64"] },
    ],
  });
  return found.id as string;
}

/** Makes an instance with all its parts. */
async function host(name: string, extra: Values = {}) {
  const subnet = await publicSubnet();
  const group = await make("SecurityGroup", { vpcId: subnet.vpcId, description: "a host", ...tagged(name) });
  const networkInterface = await make("NetworkInterface", {
    ...{ subnetId: subnet.id, securityGroups: [group.id], ipv6AddressCount: 1, description: name },
    ...tagged(name),
  });
  const key = await make("KeyPair", { keyName: name, publicKey, ...tagged(name) });
  const instance = await make("Instance", {
    ...{ ami: await image(), instanceType: "c7i.2xlarge", keyName: name },
    primaryNetworkInterface: { networkInterfaceId: networkInterface.id },
    metadataOptions: { httpTokens: "required", httpEndpoint: "enabled", httpPutResponseHopLimit: 1 },
    rootBlockDevice: {
      ...{ volumeType: "gp3", volumeSize: 50, encrypted: true, deleteOnTermination: true },
      ...tagged(`${name} disk`),
    },
    ...{ userData: "#cloud-config\n", userDataReplaceOnChange: false, ...tagged(name), ...extra },
  });
  const end = async () => {
    await remove("Instance", instance);
    await remove("NetworkInterface", networkInterface);
    await remove("SecurityGroup", group);
    await remove("KeyPair", key);
  };
  return { subnet, group, networkInterface, key, instance, end };
}

describe("look-ups", () => {
  test("a network: the default VPC, its subnets in every zone, which of them are public", async () => {
    const vpc = await look("ec2/getVpc:getVpc", { default: true });
    expect(vpc.id).toMatch(/^vpc-/);
    await expect(look("ec2/getVpc:getVpc", { id: vpc.id })).resolves.toMatchObject({ id: vpc.id });
    const { ids } = await look("ec2/getRouteTables:getRouteTables", { vpcId: vpc.id });
    const tables = await Promise.all(
      ids.map((routeTableId: string) => look("ec2/getRouteTable:getRouteTable", { routeTableId })),
    );
    const main = tables.find(({ associations }) => associations.some(({ main }: Json) => main));
    // local routes are left out
    expect(
      main.routes.map(({ cidrBlock, ipv6CidrBlock }: Json) => cidrBlock || ipv6CidrBlock).sort(),
    ).toEqual(["0.0.0.0/0", "::/0"]);
    expect(main.routes[0].gatewayId).toMatch(/^igw-/);
    await expect(publicSubnet()).resolves.toMatchObject({
      availabilityZone: "eu-central-1a",
      ipv6CidrBlock: expect.stringMatching(/^2001:db8:.*\/64$/),
      vpcId: vpc.id,
    });
    expect(taken()).toEqual([]);
  });

  test("a machine: the newest image, a type and the zones that offer it", async () => {
    await expect(image()).resolves.toMatch(/^ami-/);
    const owners = ["099720109477"];
    await expect(look("ec2/getAmi:getAmi", { owners, includeDeprecated: true })).rejects.toThrow(
      "returned more than one result",
    );
    await expect(
      look("ec2/getInstanceType:getInstanceType", { instanceType: "c7i.2xlarge" }),
    ).resolves.toMatchObject({
      burstablePerformanceSupported: false,
      supportedArchitectures: ["x86_64"],
      hypervisor: "nitro",
    });
    const { locations } = await look("ec2/getInstanceTypeOfferings:getInstanceTypeOfferings", {
      locationType: "availability-zone",
      filters: [{ name: "instance-type", values: ["c7i.2xlarge"] }],
    });
    expect(locations).toContain("eu-central-1a");
  });

  test("an image of the account by its tags, the newest that is available", async () => {
    const { instance, end } = await host("baked");
    const { ec2 } = account.clients;
    const bake = async (release: string): Promise<string> => {
      const Tags = [
        { Key: "image", Value: "bbb" },
        { Key: "release", Value: release },
      ];
      const { ImageId } = await ec2.send(
        new CreateImageCommand({
          ...{ InstanceId: instance.id, Name: `baked ${Date.now()}`, NoReboot: true },
          TagSpecifications: [{ ResourceType: "image", Tags }],
        }),
      );
      return ImageId!;
    };
    const ask = (release: string) =>
      look("ec2/getAmi:getAmi", {
        ...{ owners: ["self"], mostRecent: true },
        filters: [
          { name: "tag:image", values: ["bbb"] },
          { name: "tag:release", values: [release] },
          { name: "state", values: ["available"] },
        ],
      });
    const first = await bake("noble-40");
    const begun = await ask("noble-40").catch((error: unknown) => (error as Error).message);
    expect(begun).toContain("returned no results");
    await eventually(() => ask("noble-40").catch(() => undefined));
    // Dates of images are whole seconds.
    await sleep(1100);
    const second = await bake("noble-40");
    await bake("jammy-30");
    await eventually(async () => (await ask("noble-40")).id === second);
    await expect(ask("noble-40")).resolves.toMatchObject({
      tags: { image: "bbb", release: "noble-40" },
      architecture: "x86_64",
    });
    await expect(
      look("ec2/getAmi:getAmi", { owners: ["self"], filters: [{ name: "image-id", values: [first] }] }),
    ).resolves.toMatchObject({ id: first });
    const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Owners: ["self"] }));
    for (const { ImageId, BlockDeviceMappings } of Images) {
      await ec2.send(new DeregisterImageCommand({ ImageId }));
      await ec2.send(new DeleteSnapshotCommand({ SnapshotId: BlockDeviceMappings![0]!.Ebs!.SnapshotId }));
    }
    await end();
  });

  test("a zone by its name", async () => {
    const zone = await look("route53/getZone:getZone", { name: "example-aws.test", privateZone: false });
    expect(zone.nameServers).not.toEqual([]);
    expect(zone.zoneId).toMatch(/^[A-Z0-9]+$/);
  });

  test.each([
    ["ec2/getVpc:getVpc", { id: "vpc-00000000000000000" }, "no matching EC2 VPC found"],
    ["ec2/getSubnet:getSubnet", { id: "subnet-00000000000000000" }, "no matching EC2 Subnet found"],
    [
      "ec2/getNetworkInterface:getNetworkInterface",
      { id: "eni-00000000000000000" },
      "no matching EC2 Network Interface found",
    ],
    ["ec2/getAmi:getAmi", { owners: ["self"], mostRecent: true }, "Your query returned no results"],
    ["ec2/getInstanceType:getInstanceType", { instanceType: "c99.huge" }, "InvalidInstanceType"],
    [
      "ebs/getVolume:getVolume",
      { filters: [{ name: "volume-id", values: ["vol-00000000000000000"] }] },
      "no matching EBS Volume found",
    ],
    ["route53/getZone:getZone", { name: "none.test" }, "no matching Route 53 Hosted Zone found"],
    ["ec2/getSubnet:getSubnet", {}, "multiple EC2 Subnets matched"],
    [
      "ec2/getVpc:getVpc",
      { dhcpOptionsId: "dopt-1" },
      "dhcpOptionsId of aws:ec2/getVpc:getVpc is not served",
    ],
  ])("%s says what is wrong with %j", async (token, args, message) => {
    await expect(look(token, args)).rejects.toThrow(message);
  });
});

describe("a host's resources", () => {
  test("an Elastic IP, and the interface that it leads to", async () => {
    const subnet = await publicSubnet();
    const eip = await make("Eip", { domain: "vpc", ...tagged("eip") });
    expect(eip.outputs).toMatchObject({
      allocationId: eip.id,
      publicIp: expect.stringMatching(/^203\.0\.113\./),
    });
    const networkInterface = await make("NetworkInterface", { subnetId: subnet.id, ...tagged("eip") });
    const ours = { filters: [{ name: "tag:Name", values: ["eip"] }] };
    await expect(look("ec2/getNetworkInterfaces:getNetworkInterfaces", ours)).resolves.toMatchObject({
      ids: [networkInterface.id],
    });
    await expect(
      look("ec2/getNetworkInterface:getNetworkInterface", { id: networkInterface.id }),
    ).resolves.toMatchObject({ subnetId: subnet.id, ipv6Addresses: [] });
    await expect(look("ec2/getEips:getEips", ours)).resolves.toMatchObject({
      publicIps: [eip.outputs.publicIp],
    });
    const association = await make("EipAssociation", {
      allocationId: eip.id,
      networkInterfaceId: networkInterface.id,
    });
    await expect(adopt("EipAssociation", association)).resolves.toMatchObject({ id: association.id });
    await expect(adopt("EipAssociation", association, [association.id])).resolves.toBeUndefined();
    taken();
    await change("Eip", eip, { tags: { Name: "other", project: "demo" } });
    await remove("EipAssociation", association);
    await remove("EipAssociation", association);
    await remove("Eip", eip);
    await remove("Eip", eip);
    await remove("NetworkInterface", networkInterface);
    expect(taken()).toEqual([
      "ec2:DeleteTags",
      "ec2:CreateTags",
      "ec2:DisassociateAddress",
      "ec2:DisassociateAddress InvalidAssociationID.NotFound",
      "ec2:ReleaseAddress",
      "ec2:ReleaseAddress InvalidAllocationID.NotFound",
      "ec2:DeleteNetworkInterface",
    ]);
  });

  test("an interface, whose IPv6 address stays when there are more", async () => {
    const subnet = await publicSubnet();
    const inputs = { subnetId: subnet.id, ipv6AddressCount: 1, description: "one", ...tagged("v6") };
    const made = await make("NetworkInterface", inputs);
    const [first] = made.outputs.ipv6Addresses as string[];
    expect(first).toMatch(/^2001:db8:/);
    expect(made.outputs).toMatchObject({
      subnetId: subnet.id,
      privateIp: expect.stringMatching(/^172\.31\./),
    });
    taken();
    const more = await change("NetworkInterface", made, { ipv6AddressCount: 2, description: "two" });
    expect(more.outputs).toMatchObject({ ipv6Addresses: [first, expect.anything()], description: "two" });
    const fewer = await change("NetworkInterface", more, { ipv6AddressCount: 1 });
    expect(fewer.outputs.ipv6Addresses).toEqual([first]);
    await remove("NetworkInterface", fewer);
    await remove("NetworkInterface", fewer);
    expect(taken()).toEqual([
      "ec2:ModifyNetworkInterfaceAttribute",
      "ec2:AssignIpv6Addresses",
      "ec2:UnassignIpv6Addresses",
      "ec2:DeleteNetworkInterface",
      "ec2:DeleteNetworkInterface InvalidNetworkInterfaceID.NotFound",
    ]);
  });

  test("a security group without the rule that AWS gives it, and rules of its own", async () => {
    const { vpcId } = await publicSubnet();
    const group = await make("SecurityGroup", { vpcId, description: "rules", ...tagged("rules") });
    expect(group.outputs.name).toMatch(/^logical-[0-9a-f]{7}$/);
    const base = { securityGroupId: group.id, ...tagged("rules") };
    const rules: [string, Made][] = [];
    for (const [name, rule] of [
      ["SecurityGroupIngressRule", { ipProtocol: "tcp", fromPort: 443, toPort: 443, cidrIpv4: "0.0.0.0/0" }],
      ["SecurityGroupIngressRule", { ipProtocol: "icmpv6", fromPort: -1, toPort: -1, cidrIpv6: "::/0" }],
      // neither is there already: the group came with the first of them
      ["SecurityGroupEgressRule", { ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" }],
      ["SecurityGroupEgressRule", { ipProtocol: "-1", cidrIpv6: "::/0" }],
    ] as const) {
      rules.push([name, await make(name, { ...base, ...rule, description: "let through" })]);
    }
    for (const [name, rule] of rules) {
      // all have the same tags: what they let through tells them apart
      await expect(adopt(name, rule)).resolves.toMatchObject({ id: rule.id });
    }
    taken();
    await change(...rules[0]!, { description: "HTTPS" });
    for (const [name, rule] of rules) await remove(name, rule);
    await remove(...rules[0]!);
    await remove("SecurityGroup", group);
    await remove("SecurityGroup", group);
    expect(taken()).toEqual([
      "ec2:ModifySecurityGroupRules",
      "ec2:RevokeSecurityGroupIngress",
      "ec2:RevokeSecurityGroupIngress",
      "ec2:RevokeSecurityGroupEgress",
      "ec2:RevokeSecurityGroupEgress",
      "ec2:DeleteSecurityGroup",
      expect.stringMatching(/^ec2:DeleteSecurityGroup InvalidGroup(Id)?\.NotFound$/),
    ]);
  });

  test("a security group in use is deleted as soon as it is free", async () => {
    const subnet = await publicSubnet();
    const group = await make("SecurityGroup", { vpcId: subnet.vpcId, description: "busy" });
    const user = await make("NetworkInterface", { subnetId: subnet.id, securityGroups: [group.id] });
    taken();
    const deletion = remove("SecurityGroup", group);
    while (!account.changes().includes("ec2:DeleteSecurityGroup DependencyViolation"))
      await new Promise((resolve) => setTimeout(resolve, 20));
    await remove("NetworkInterface", user);
    await deletion;
    expect(new Set(taken())).toEqual(
      new Set([
        "ec2:DeleteSecurityGroup DependencyViolation",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteSecurityGroup",
      ]),
    );
  });

  test("a key pair", async () => {
    const key = await make("KeyPair", { keyName: "key", publicKey: `${publicKey}\n`, ...tagged("key") });
    expect(key.id).toBe("key");
    expect(key.outputs).toMatchObject({ keyPairId: expect.stringMatching(/^key-/) });
    taken();
    await change("KeyPair", key, { tags: { Name: "renamed" } });
    await remove("KeyPair", key);
    await remove("KeyPair", key);
    expect(taken().slice(0, 3)).toEqual(["ec2:DeleteTags", "ec2:CreateTags", "ec2:DeleteKeyPair"]);
  });

  test("an instance: changes in place, one outage for its type, and its end", async () => {
    const { instance, end } = await host("changes");
    expect(instance.outputs).toMatchObject({
      instanceState: "running",
      rootBlockDevice: { deviceName: "/dev/sda1", volumeId: expect.stringMatching(/^vol-/) },
    });
    taken();
    const larger = await change("Instance", instance, { instanceType: "c7i.4xlarge" });
    expect(larger.outputs).toMatchObject({ instanceType: "c7i.4xlarge", instanceState: "running" });
    expect(taken()).toEqual(["ec2:StopInstances", "ec2:ModifyInstanceAttribute", "ec2:StartInstances"]);
    const root = { ...(instance.inputs.rootBlockDevice as Values), volumeSize: 60, ...tagged("disk") };
    const disk = await change("Instance", larger, { rootBlockDevice: root });
    expect(disk.outputs).toMatchObject({ rootBlockDevice: { volumeSize: 60, tags: tagged("disk").tags } });
    const open = { ...(instance.inputs.metadataOptions as Values), httpPutResponseHopLimit: 2 };
    const hops = await change("Instance", disk, { metadataOptions: open });
    expect(hops.outputs).toMatchObject({ metadataOptions: { httpPutResponseHopLimit: 2 } });
    await change("Instance", hops, { tags: { ...tagged("changes").tags, more: "1" } });
    expect(taken()).toEqual([
      "ec2:ModifyVolume",
      "ec2:CreateTags",
      "ec2:ModifyInstanceMetadataOptions",
      "ec2:CreateTags",
    ]);
    await end();
    await remove("Instance", instance);
    await expect(change("Instance", instance, { instanceType: "c7i.large" })).rejects.toThrow(
      /^instance i-\w+ is terminated, or was deleted outside of Pulumi: up with --replace/,
    );
  });

  test("a placement group, which an instance is made in; a killed update's is found by its name", async () => {
    const group = await make("PlacementGroup", { name: "spread", strategy: "spread", ...tagged("spread") });
    expect([group.id, group.outputs.placementGroupId]).toEqual(["spread", expect.stringMatching(/^pg-/)]);
    await change("PlacementGroup", group, { tags: { ...tagged("spread").tags, more: "1" } });
    expect(await adopt("PlacementGroup", group)).toMatchObject({ id: "spread" });
    const other = { ...group, inputs: { ...group.inputs, tags: { stack: "other" } } };
    await expect(adopt("PlacementGroup", other)).rejects.toThrow(/aws ec2 delete-placement-group/);
    expect(taken()).toEqual(["ec2:CreatePlacementGroup", "ec2:CreateTags"]);
    const { end } = await host("placed", { placementGroup: "spread" });
    await expect(remove("PlacementGroup", group)).rejects.toThrow(/InvalidPlacementGroup.InUse/);
    await end();
    await remove("PlacementGroup", group);
    await remove("PlacementGroup", group);
    expect(await kind("PlacementGroup").read?.(group, context)).toBeUndefined();
  });

  test("an instance with termination protection is not deleted", async () => {
    const { instance, end } = await host("protected", { disableApiTermination: true });
    await expect(remove("Instance", instance)).rejects.toThrow(
      `operation error EC2: TerminateInstances, api error OperationNotPermitted: The instance '${instance.id}' may not ` +
        "be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
    );
    await change("Instance", instance, { disableApiTermination: false });
    await end();
    expect(taken()).toContain("ec2:TerminateInstances");
  });

  test("a volume: grows in use, is detached from an instance that was stopped for it", async () => {
    const { subnet, instance, end } = await host("disks");
    const volume = await make("Volume", {
      ...{ availabilityZone: subnet.availabilityZone, size: 10, type: "gp3", encrypted: true },
      ...tagged("recordings"),
    });
    expect(volume.outputs).toMatchObject({ size: 10, type: "gp3", encrypted: true });
    const inputs = { deviceName: "/dev/sdf", volumeId: volume.id, instanceId: instance.id };
    const attachment = await make("VolumeAttachment", { ...inputs, stopInstanceBeforeDetaching: true });
    const filters = [{ name: "volume-id", values: [volume.id] }];
    await expect(look("ebs/getVolume:getVolume", { filters })).resolves.toMatchObject({
      availabilityZone: subnet.availabilityZone,
      id: volume.id,
    });
    await expect(adopt("VolumeAttachment", attachment)).resolves.toEqual({
      id: attachment.id,
      outputs: attachment.inputs,
    });
    taken();
    const larger = await change("Volume", volume, { size: 20 });
    expect(larger.outputs.size).toBe(20);
    await remove("VolumeAttachment", attachment);
    await remove("VolumeAttachment", attachment);
    await remove("Volume", larger);
    await remove("Volume", larger);
    // as the provider leaves it: nobody starts the instance again
    expect(taken()).toEqual([
      "ec2:ModifyVolume",
      "ec2:StopInstances",
      "ec2:DetachVolume",
      "ec2:DeleteVolume",
    ]);
    await end();
  });
});

describe("what belongs to no host", () => {
  test("a schedule of snapshots, its role and the role's policy", async () => {
    const trust = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "dlm.amazonaws.com" } };
    const role = await make("Role", {
      assumeRolePolicy: JSON.stringify({ Version: "2012-10-17", Statement: [trust] }),
      ...tagged("snapshots"),
    });
    expect(role).toMatchObject({ id: expect.stringMatching(/^logical-/), outputs: { name: role.id } });
    const policyArn = "arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole";
    const allowed = await make("RolePolicyAttachment", { role: role.id, policyArn });
    const policyDetails = {
      resourceTypes: ["VOLUME"],
      targetTags: { snapshots: "demo/dev" },
      schedules: [
        {
          name: "daily",
          createRule: { interval: 24, intervalUnit: "HOURS", times: "02:00" },
          retainRule: { count: 7 },
          copyTags: true,
        },
      ],
    };
    // the role of just now is not known everywhere yet
    await account.arm({ action: "CreateLifecyclePolicy", code: "InvalidRequestException", times: 2 });
    const policy = await make("LifecyclePolicy", {
      ...{ description: "Daily snapshots", executionRoleArn: role.outputs.arn ?? "", state: "ENABLED" },
      ...{ policyDetails, ...tagged("snapshots") },
    });
    await expect(adopt("LifecyclePolicy", policy)).resolves.toMatchObject({ id: policy.id });
    await expect(adopt("Role", role)).resolves.toMatchObject({ id: role.id });
    taken();
    await change("LifecyclePolicy", policy, { state: "DISABLED", tags: { a: "1" } });
    await change("Role", role, { description: "changed", tags: { a: "1" } });
    await remove("LifecyclePolicy", policy);
    await remove("LifecyclePolicy", policy);
    await remove("RolePolicyAttachment", allowed);
    await remove("RolePolicyAttachment", allowed);
    await remove("Role", role);
    await remove("Role", role);
    expect(taken()).toEqual([
      "dlm:UpdateLifecyclePolicy",
      "dlm:UntagResource",
      "dlm:TagResource",
      "iam:UpdateRole",
      "iam:UntagRole",
      "iam:TagRole",
      "dlm:DeleteLifecyclePolicy",
      "dlm:DeleteLifecyclePolicy ResourceNotFoundException",
      "iam:DetachRolePolicy",
      expect.stringMatching(/^iam:DetachRolePolicy NoSuchEntity/),
      "iam:DeleteRole",
      expect.stringMatching(/^iam:DeleteRole NoSuchEntity/),
    ]);
  });

  test("records: in sync when they are made, never over another's, gone whatever they say by then", async () => {
    const { zoneId } = await look("route53/getZone:getZone", { name: "example-aws.test" });
    const inputs = { zoneId, name: "bbb.example-aws.test", type: "A", ttl: 60, allowOverwrite: false };
    const record = await make("Record", { ...inputs, records: ["203.0.113.10"] });
    expect(record).toMatchObject({
      id: `${zoneId}_bbb.example-aws.test_A`,
      outputs: { fqdn: "bbb.example-aws.test", name: "bbb.example-aws.test" },
    });
    await expect(make("Record", { ...inputs, records: ["203.0.113.11"] })).rejects.toThrow(
      /InvalidChangeBatch.*already exists/,
    );
    const moved = await change("Record", record, { records: ["203.0.113.12"] });
    const short = await make("Record", { ...inputs, name: "turn", type: "AAAA", records: ["2001:db8::1"] });
    expect(short.outputs.fqdn).toBe("turn.example-aws.test");
    const held = (nameRegex: string) => look("route53/getRecords:getRecords", { zoneId, nameRegex });
    await expect(held("^(bbb|turn)\\.example-aws\\.test\\.?$")).resolves.toMatchObject({
      resourceRecordSets: [
        { type: "A", resourceRecords: [{ value: "203.0.113.12" }] },
        { name: "turn.example-aws.test.", type: "AAAA", resourceRecords: [{ value: "2001:db8::1" }] },
      ],
    });
    await expect(held("^none\\.")).resolves.toMatchObject({ resourceRecordSets: [] });
    taken();
    for (const gone of [moved, moved, short]) await remove("Record", gone);
    expect(taken()).toEqual(["route53:ChangeResourceRecordSets", "route53:ChangeResourceRecordSets"]);
  });
});

describe("what AWS knows only later", () => {
  test("a new instance that cannot be seen yet", async () => {
    await account.arm({ action: "DescribeInstances", code: "InvalidInstanceID.NotFound", times: 3 });
    const { instance, end } = await host("unseen");
    expect(instance.outputs.instanceState).toBe("running");
    await end();
  });

  test("an instance that ends as it starts stays in the checkpoint, with the reason", async () => {
    account.recorder.fail("createServer", "no room");
    const failed = await host("broken").catch((error: unknown) => error as PartialCreate);
    account.recorder.heal();
    expect(failed).toBeInstanceOf(PartialCreate);
    expect((failed as PartialCreate).message).toMatch(
      /^waiting for EC2 Instance \(i-\w+\) create: unexpected state '\S+', wanted target 'running'/,
    );
    expect((failed as PartialCreate).created.id).toMatch(/^i-/);
  });

  test("a throttled request is made again", async () => {
    await account.arm({ action: "AllocateAddress", code: "RequestLimitExceeded", status: 503, times: 2 });
    await remove("Eip", await make("Eip", tagged("throttled")));
  });
});

describe("after a kill", () => {
  test("is found by all of its tags what no checkpoint knows; of two, neither is taken", async () => {
    const inputs = { domain: "vpc", ...tagged("lost") };
    const state = { id: "", inputs, outputs: {} };
    await expect(adopt("Eip", state)).resolves.toBeUndefined();
    const known = await make("Eip", inputs);
    await expect(adopt("Eip", state, [known.id])).resolves.toBeUndefined();
    const lost = await make("Eip", inputs);
    await expect(adopt("Eip", state, [known.id])).resolves.toEqual({ id: lost.id, outputs: lost.outputs });
    await expect(adopt("Eip", state)).rejects.toThrow(/^2 of elastic IPs have all tags of ".*" \(eipalloc-/);
    await expect(adopt("Eip", { ...state, inputs: { domain: "vpc" } })).resolves.toBeUndefined();
    for (const eip of [known, lost]) await remove("Eip", eip);
  });

  test("somebody else's is named, with the command that removes it", async () => {
    const key = await make("KeyPair", { keyName: "theirs", publicKey, tags: { stack: "another" } });
    const mine = { ...key, inputs: { ...key.inputs, ...tagged("theirs") } };
    await expect(adopt("KeyPair", mine)).rejects.toThrow(
      'key pair "theirs" exists, but has not this stack\'s tags, and the last update was killed while creating one of ' +
        "that name: remove it with `aws ec2 delete-key-pair --key-name theirs`, then try again",
    );
    const { zoneId } = await look("route53/getZone:getZone", { name: "example-aws.test" });
    const record = { zoneId, name: "x.example-aws.test", type: "A", ttl: 60, records: ["203.0.113.10"] };
    const theirs = await make("Record", record);
    await expect(adopt("Record", theirs)).resolves.toMatchObject({ id: theirs.id });
    const other = { ...theirs, inputs: { ...record, records: ["203.0.113.11"] } };
    await expect(adopt("Record", other)).rejects.toThrow(
      /^record x\.example-aws\.test A exists, but says 203\.0\.113\.10 and not 203\.0\.113\.11.*`aws route53 .*`/,
    );
    for (const [name, state] of [
      ["KeyPair", key],
      ["Record", theirs],
    ] as const)
      await remove(name, state);
  });
});

describe("access", () => {
  test("a stack without AWS loads nothing of its SDK", async () => {
    const script = `
      const loaded = () => Object.keys(require.cache).filter((file) => file.includes("@aws-sdk/client-")).length;
      const { drivers } = require("./sandbox/engine/drivers");
      const none = loaded();
      const { session } = require("./sandbox/engine/drivers/aws/client");
      const env = { AWS_ENDPOINT_URL: ${JSON.stringify(account.endpoint)}, AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x" };
      const asked = session({ env, config: { region: "eu-central-1" } });
      asked.catch(() => console.log(Object.keys(drivers).includes("aws"), none, loaded() > 0));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", "-e", script], {
      cwd: join(__dirname, "../../.."),
    });
    expect(stdout.trim()).toBe("true 0 true");
  });

  const asking = (env: Record<string, string | undefined>, config: Values = { region: "eu-central-1" }) =>
    aws.invokes?.["aws:ec2/getVpc:getVpc"]?.({ default: true }, { ...context, env, config });

  test("without credentials or region there is one line about it", async () => {
    const { AWS_ENDPOINT_URL } = account.env;
    await expect(asking({ AWS_ENDPOINT_URL })).rejects.toThrow(
      /^missing AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY$/,
    );
    await expect(asking(account.env, {})).rejects.toThrow(/^missing AWS region/);
    await expect(asking({ ...account.env, AWS_REGION: "eu-central-1" }, {})).resolves.toBeDefined();
  });

  test("credentials that AWS does not take are named as the reason, without their secret", async () => {
    const wrong = { ...account.env, AWS_ACCESS_KEY_ID: "AKIAWRONG", AWS_SECRET_ACCESS_KEY: "s3cret" };
    const error = await asking(wrong)?.catch((caught: unknown) => caught as Error);
    expect((error as Error).message).toMatch(
      /^AWS does not take the credentials: operation error STS: GetCallerIdentity, api error InvalidClientTokenId/,
    );
    expect((error as Error).message).not.toContain("s3cret");
  });

  test("an endpoint that does not answer is named as such", async () => {
    await expect(asking({ ...account.env, AWS_ENDPOINT_URL: "http://127.0.0.1:1" })).rejects.toThrow(
      /^AWS cannot be reached at http:.*: operation error STS: GetCallerIdentity, connect ECONNREFUSED 127\.0\.0\.1:1$/,
    );
  });
});
