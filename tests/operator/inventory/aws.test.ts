import {
  AttachVolumeCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateTagsCommand,
  DescribeInstancesCommand,
  ImportKeyPairCommand,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { CreateLifecyclePolicyCommand } from "@aws-sdk/client-dlm";
import { AttachRolePolicyCommand, CreateRoleCommand, DeleteRoleCommand } from "@aws-sdk/client-iam";

import type { CloudObject, Inventory } from "../../../operator/inventory";
import { awsInventory } from "../../../operator/inventory/aws";
import { credentials, publicKey, useAccount } from "../../sandbox/aws/harness";
import {
  imageOf,
  inState,
  makeAddress,
  makeGroup,
  makeInterface,
  makeVolume,
  NOBLE,
} from "../../sandbox/aws/setUp";
import { REGION } from "../../../sandbox/aws";

const account = useAccount();
const environment = { ...process.env };
beforeAll(() =>
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: account().endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }),
);
afterAll(() => (process.env = environment));

const inventory = (): Inventory => awsInventory(REGION, 0.05);
const tagsOf = (stack: string, Name: string) =>
  Object.entries({ project: "bigbluebutton", stack, expires: "1795000000", role: "bbb", Name }).map(
    ([Key, Value]) => ({ Key, Value }),
  );

/** Makes a host in the program's way: everything of it is tagged, its disk included. */
async function makeHost(stack: string): Promise<{ server: string; volume: string }> {
  const { ec2 } = account().clients;
  const Tags = tagsOf(stack, stack);
  const group = await makeGroup(account());
  const permission = { IpProtocol: "tcp", FromPort: 443, ToPort: 443 };
  await ec2.send(
    new AuthorizeSecurityGroupIngressCommand({
      GroupId: group,
      IpPermissions: [
        { ...permission, IpRanges: [{ CidrIp: "0.0.0.0/0" }], Ipv6Ranges: [{ CidrIpv6: "::/0" }] },
        { IpProtocol: "udp", FromPort: 16384, ToPort: 32768, IpRanges: [{ CidrIp: "0.0.0.0/0" }] },
      ],
    }),
  );
  const { NetworkInterfaceId } = await makeInterface(account(), { groups: [group] });
  const address = await makeAddress(account(), NetworkInterfaceId);
  const PublicKeyMaterial = Buffer.from(`${publicKey} operator`);
  await ec2.send(
    new ImportKeyPairCommand({
      KeyName: stack,
      PublicKeyMaterial,
      TagSpecifications: [{ ResourceType: "key-pair", Tags }],
    }),
  );
  const { Instances } = await ec2.send(
    new RunInstancesCommand({
      ImageId: await imageOf(account(), NOBLE),
      InstanceType: "c7i.2xlarge",
      MinCount: 1,
      MaxCount: 1,
      KeyName: stack,
      NetworkInterfaces: [{ NetworkInterfaceId, DeviceIndex: 0, DeleteOnTermination: false }],
      ClientToken: stack,
      TagSpecifications: [
        { ResourceType: "instance", Tags },
        { ResourceType: "volume", Tags },
      ],
    }),
  );
  const server = Instances![0]!.InstanceId!;
  await inState(account(), server, "running");
  const { VolumeId } = await makeVolume(account());
  await ec2.send(
    new CreateTagsCommand({ Resources: [group, NetworkInterfaceId!, address.id, VolumeId!], Tags }),
  );
  await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: server, Device: "/dev/sdf" }));
  return { server, volume: VolumeId! };
}

const of = (objects: readonly CloudObject[], stack: string) =>
  objects.filter(({ labels }) => labels.stack === stack);
const kinds = (objects: readonly CloudObject[]) => objects.map(({ type }) => type).sort();
const HOST = ["address", "firewall", "network-interface", "server", "ssh-key", "volume"];

test("finds everything of the project but an instance's own disk, and removes it in the order that works", async () => {
  await makeVolume(account());
  const { server, volume } = await makeHost("test-a");
  const found = await inventory().list("bigbluebutton");
  expect(kinds(found)).toEqual(HOST);
  const one = (type: string) => found.find((object) => object.type === type);
  expect(one("server")).toMatchObject({
    cloud: "aws",
    region: REGION,
    id: server,
    name: "test-a",
    status: "running",
  });
  expect(one("volume")).toMatchObject({ id: volume, server });
  expect(one("ssh-key")).toMatchObject({ id: "test-a" });
  expect(one("firewall")?.inbound).toEqual(
    expect.arrayContaining([
      { protocol: "tcp", port: "443", sources: ["0.0.0.0/0", "::/0"] },
      { protocol: "udp", port: "16384-32768", sources: ["0.0.0.0/0"] },
    ]),
  );
  const removals = await inventory().remove([...found].reverse());
  expect(removals.filter(({ problem }) => problem !== undefined)).toEqual([]);
  expect(await inventory().list("bigbluebutton")).toEqual([]);
});

test("what two remove at once is gone for both", async () => {
  await makeHost("test-b");
  const found = of(await inventory().list("bigbluebutton"), "test-b");
  const both = await Promise.all([inventory().remove(found), inventory().remove(found)]);
  expect(both.flat().filter(({ problem }) => problem !== undefined)).toEqual([]);
  expect(of(await inventory().list("bigbluebutton"), "test-b")).toEqual([]);
});

test("a server that stays keeps its volume and its address", async () => {
  const { server } = await makeHost("test-c");
  const found = of(await inventory().list("bigbluebutton"), "test-c");
  const removals = await inventory().remove(
    found.filter(({ type }) => type === "volume" || type === "address"),
  );
  expect(removals.map(({ problem }) => problem)).toEqual([
    `server ${server} has it, which stays`,
    `server ${server} has it, which stays`,
  ]);
  const { Reservations } = await account().clients.ec2.send(
    new DescribeInstancesCommand({ InstanceIds: [server] }),
  );
  expect(Reservations![0]!.Instances![0]!.State!.Name).toBe("running");
  expect(kinds(of(await inventory().list("bigbluebutton"), "test-c"))).toEqual(HOST);
  await inventory().remove(found);
});

test("a server that could not be ended keeps its address and its volume", async () => {
  const { server } = await makeHost("test-e");
  const found = of(await inventory().list("bigbluebutton"), "test-e");
  const kept = found
    .filter(({ type }) => ["server", "address", "volume"].includes(type))
    .map((object) => ({ ...object, protected: object.type === "server" }));
  const problems = (await inventory().remove(kept)).map(({ object, problem }) => [object.type, problem]);
  const held = `server ${server} has it, which stays`;
  expect(Object.fromEntries(problems)).toEqual({
    server: "it is protected at the cloud",
    address: held,
    volume: held,
  });
  expect(kinds(of(await inventory().list("bigbluebutton"), "test-e"))).toEqual(HOST);
  expect((await inventory().remove(found)).filter(({ problem }) => problem !== undefined)).toEqual([]);
});

test("a snapshot policy and its role are found and removed, and only ours", async () => {
  const { iam, dlm } = account().clients;
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [] });
  const RoleName = "snapshots-role-1a2b3c4";
  await iam.send(new CreateRoleCommand({ RoleName: "snapshots-role-theirs", AssumeRolePolicyDocument }));
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, Tags: tagsOf("test-d", "snapshots") }),
  );
  const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole";
  await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
  const { PolicyId } = await dlm.send(
    new CreateLifecyclePolicyCommand({
      ExecutionRoleArn: Role!.Arn!,
      Description: "Daily snapshots of test-d",
      State: "ENABLED",
      PolicyDetails: {
        ResourceTypes: ["VOLUME"],
        TargetTags: [{ Key: "snapshots", Value: "x" }],
        Schedules: [
          {
            Name: "daily",
            CreateRule: { Interval: 24, IntervalUnit: "HOURS", Times: ["02:00"] },
            RetainRule: { Count: 7 },
          },
        ],
      },
      Tags: Object.fromEntries(tagsOf("test-d", "snapshots").map(({ Key, Value }) => [Key, Value])),
    }),
  );
  const found = of(await inventory().list("bigbluebutton"), "test-d");
  expect(found.map(({ type, id }) => [type, id]).sort()).toEqual([
    ["role", RoleName],
    ["snapshot-policy", PolicyId],
  ]);
  expect((await inventory().remove(found)).filter(({ problem }) => problem !== undefined)).toEqual([]);
  expect(of(await inventory().list("bigbluebutton"), "test-d")).toEqual([]);
  await iam.send(new DeleteRoleCommand({ RoleName: "snapshots-role-theirs" }));
});

test("credentials that are none give one line", async () => {
  process.env.AWS_ACCESS_KEY_ID = "AKIANOBODYNOBODYNOBO";
  try {
    await expect(inventory().list("bigbluebutton")).rejects.toThrow(
      /^AWS does not take the credentials \([^\n]*AWS_PROFILE/,
    );
  } finally {
    process.env.AWS_ACCESS_KEY_ID = credentials.accessKeyId;
  }
});
