/** The account as a whole: keys, roles, lifecycle policies, the log, faults, what exists, and a new process. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  CreateLifecyclePolicyCommand,
  DeleteLifecyclePolicyCommand,
  DLMClient,
  GetLifecyclePolicyCommand,
  TagResourceCommand,
  UpdateLifecyclePolicyCommand,
  type CreateLifecyclePolicyCommandInput,
} from "@aws-sdk/client-dlm";
import {
  AttachVolumeCommand,
  CreateTagsCommand,
  DescribeRegionsCommand,
  DescribeVpcsCommand,
  DisassociateAddressCommand,
  DeleteKeyPairCommand,
  DeleteNetworkInterfaceCommand,
  DeleteSecurityGroupCommand,
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  EC2Client,
  ReleaseAddressCommand,
  StopInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  IAMClient,
} from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";

import type { State } from "../../../sandbox/aws/state";
import { Account, credentials, eventually, useAccount } from "./harness";
import { describeInstance, inState, makeInstance, makeInterface, makeVolume, run, terminate } from "./setUp";

const account = useAccount();

interface Listed {
  readonly objects: readonly {
    readonly type: string;
    readonly id: string;
    readonly tags: Record<string, string>;
  }[];
}

const POLICY = "arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole";

async function makeRole(name: string): Promise<string> {
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "dlm.amazonaws.com" }, Action: "sts:AssumeRole" }],
  });
  const order = new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument });
  return (await account().clients.iam.send(order)).Role!.Arn!;
}

test("another access key is refused, and another secret", async () => {
  const { endpoint } = account();
  const region = "eu-central-1";
  const others = [
    { ...credentials, accessKeyId: "AKIAXXXXXXXXXXXXXXXX" },
    { ...credentials, secretAccessKey: "x".repeat(40) },
  ];
  for (const other of others) {
    const client = new EC2Client({ endpoint, region, credentials: other });
    await expect(client.send(new DescribeRegionsCommand())).rejects.toMatchObject({ name: "AuthFailure" });
    client.destroy();
  }
  const iam = new IAMClient({ endpoint, region, credentials: others[1]! });
  await expect(iam.send(new GetRoleCommand({ RoleName: "any" }))).rejects.toMatchObject({
    name: "SignatureDoesNotMatch",
  });
  iam.destroy();
  expect(await account().clients.sts.send(new GetCallerIdentityCommand())).toMatchObject({
    Account: "123456789012",
  });
});

test("another region is refused by name", async () => {
  const { endpoint } = account();
  const client = new EC2Client({ endpoint, region: "eu-west-1", credentials });
  await expect(client.send(new DescribeRegionsCommand())).rejects.toMatchObject({
    name: "UnsupportedOperation",
    message: "the sandbox's AWS has only the region eu-central-1, no eu-west-1",
  });
  client.destroy();
});

test("a role with a policy on it is made, and deleted only without", async () => {
  await makeRole("snapshots");
  const attached = { RoleName: "snapshots", PolicyArn: POLICY };
  await account().clients.iam.send(new AttachRolePolicyCommand(attached));
  const remove = new DeleteRoleCommand({ RoleName: "snapshots" });
  await expect(account().clients.iam.send(remove)).rejects.toMatchObject({ name: "DeleteConflictException" });
  await account().clients.iam.send(new DetachRolePolicyCommand(attached));
  await account().clients.iam.send(remove);
  await expect(
    account().clients.iam.send(new GetRoleCommand({ RoleName: "snapshots" })),
  ).rejects.toMatchObject({
    name: "NoSuchEntityException",
  });
});

describe("lifecycle policies", () => {
  const order = (role: string): CreateLifecyclePolicyCommandInput => ({
    Description: "daily snapshots",
    ExecutionRoleArn: role,
    State: "ENABLED",
    Tags: { project: "bbb" },
    PolicyDetails: {
      ResourceTypes: ["VOLUME"],
      TargetTags: [{ Key: "stack", Value: "prod" }],
      Schedules: [
        {
          Name: "daily",
          CreateRule: { Interval: 24, IntervalUnit: "HOURS", Times: ["03:00"] },
          RetainRule: { Count: 7 },
          CopyTags: true,
        },
      ],
    },
  });

  test("one is made, read, changed, tagged and deleted", async () => {
    const { dlm } = account().clients;
    const role = await makeRole("lifecycle");
    const { PolicyId } = await dlm.send(new CreateLifecyclePolicyCommand(order(role)));
    const get = async (): Promise<unknown> =>
      (await dlm.send(new GetLifecyclePolicyCommand({ PolicyId }))).Policy;
    expect(await get()).toMatchObject({
      ...order(role),
      PolicyId,
      PolicyArn: expect.stringContaining(PolicyId!),
    });
    await dlm.send(new UpdateLifecyclePolicyCommand({ PolicyId, State: "DISABLED" }));
    const ResourceArn = `arn:aws:dlm:eu-central-1:123456789012:policy/${PolicyId}`;
    await dlm.send(new TagResourceCommand({ ResourceArn, Tags: { stack: "prod" } }));
    expect(await get()).toMatchObject({ State: "DISABLED", Tags: { project: "bbb", stack: "prod" } });
    await dlm.send(new DeleteLifecyclePolicyCommand({ PolicyId }));
    await expect(get()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  test("one without a role that exists, or with a schedule that makes no sense, is refused", async () => {
    const { dlm } = account().clients;
    const refused = { name: "InvalidRequestException" };
    const nobody = "arn:aws:iam::123456789012:role/nobody";
    await expect(dlm.send(new CreateLifecyclePolicyCommand(order(nobody)))).rejects.toMatchObject(refused);
    const role = await makeRole("schedules");
    const { PolicyDetails, ...rest } = order(role);
    const Schedules = [{ Name: "odd", CreateRule: { Interval: 5 }, RetainRule: { Count: 7 } }];
    const odd = {
      ...rest,
      PolicyDetails: { ...PolicyDetails, Schedules },
    } as CreateLifecyclePolicyCommandInput;
    await expect(dlm.send(new CreateLifecyclePolicyCommand(odd))).rejects.toMatchObject(refused);
  });
});

test("the log has each call by its name, which of them change something, and what went wrong", async () => {
  await account().clients.ec2.send(new DescribeVpcsCommand());
  await expect(makeInterface(account(), { groups: ["sg-0123456789abcdef0"] })).rejects.toThrow();
  const lines = account().lines<{ path: string; mutating: boolean; status: number; note?: string }>(
    "requests.jsonl",
  );
  expect(lines.findLast(({ path }) => path === "ec2:DescribeVpcs")).toMatchObject({
    mutating: false,
    status: 200,
  });
  expect(lines.findLast(({ path }) => path === "ec2:CreateNetworkInterface")).toMatchObject({
    mutating: true,
    status: 400,
    note: "InvalidGroup.NotFound",
  });
  expect(await account().control("GET", "/_requests")).toMatchObject({ total: expect.any(Number) });
});

test("faults that did not happen are told when they are disarmed", async () => {
  const fault = { action: "DescribeVpcs", code: "RequestLimitExceeded", skip: 1 };
  await account().control("POST", "/_faults", fault);
  await account().clients.ec2.send(new DescribeVpcsCommand());
  const unused = [expect.objectContaining({ action: "DescribeVpcs" })];
  expect(await account().control("DELETE", "/_faults")).toEqual({ unused });
  expect(await account().control("GET", "/_faults")).toEqual({ faults: [] });
});

test("a fault hits as many calls as it is meant for, before or after they are carried out", async () => {
  await account().control("POST", "/_faults", {
    action: "DescribeVpcs",
    code: "RequestLimitExceeded",
    status: 503,
    skip: 1,
  });
  const call = (): Promise<unknown> => account().clients.ec2.send(new DescribeVpcsCommand());
  await call();
  await expect(call()).rejects.toMatchObject({ name: "RequestLimitExceeded" });
  await call();

  const { interfaceId } = await makeInstance(account());
  await account().control("POST", "/_faults", {
    action: "DisassociateAddress",
    code: "InternalError",
    status: 500,
    afterwards: true,
  });
  const { Addresses } = await account().clients.ec2.send(
    new DescribeAddressesCommand({ Filters: [{ Name: "network-interface-id", Values: [interfaceId] }] }),
  );
  const { AssociationId } = Addresses![0]!;
  await expect(
    account().clients.ec2.send(new DisassociateAddressCommand({ AssociationId })),
  ).rejects.toMatchObject({ name: "InternalError" });
  expect(account().recorder.last("setAddresses")![1]).not.toHaveProperty("ipv4", expect.any(String));
});

test("what AWS has and the sandbox lacks is named", async () => {
  const client = new DLMClient({ endpoint: account().endpoint, region: "eu-central-1", credentials });
  client.middlewareStack.add(
    (next) => (args) => next({ ...args, request: { ...(args.request as object), path: "/x" } }),
    {
      step: "build",
    },
  );
  await expect(client.send(new GetLifecyclePolicyCommand({ PolicyId: "any" }))).rejects.toMatchObject({
    name: "UnsupportedOperation",
    message: "the sandbox's AWS has no GET /x of dlm",
  });
  client.destroy();
});

test("the list of what exists has all that was made, and nothing once it is gone", async () => {
  const fresh = new Account();
  try {
    await fresh.start();
    const list = async (): Promise<Listed["objects"]> =>
      (await fresh.control<Listed>("GET", "/_objects")).objects;
    expect(await list()).toEqual([]);
    const { id, interfaceId, addressId, group } = await makeInstance(fresh);
    await fresh.clients.ec2.send(
      new CreateTagsCommand({ Resources: [id], Tags: [{ Key: "stack", Value: "test" }] }),
    );
    const found = await list();
    expect(found.map(({ type }) => type).sort()).toEqual([
      "elastic-ip",
      "instance",
      "key-pair",
      "network-interface",
      "security-group",
      "volume",
    ]);
    expect(found.find(({ type }) => type === "instance")).toEqual({
      type: "instance",
      id,
      tags: { stack: "test" },
    });

    const { KeyName } = await describeInstance(fresh, id);
    await terminate(fresh, id);
    const { Addresses } = await fresh.clients.ec2.send(new DescribeAddressesCommand());
    const { AssociationId } = Addresses![0]!;
    await fresh.clients.ec2.send(new DisassociateAddressCommand({ AssociationId }));
    await fresh.clients.ec2.send(new ReleaseAddressCommand({ AllocationId: addressId }));
    await fresh.clients.ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: interfaceId }));
    await fresh.clients.ec2.send(new DeleteSecurityGroupCommand({ GroupId: group }));
    await fresh.clients.ec2.send(new DeleteKeyPairCommand({ KeyName }));
    expect(await list()).toEqual([]);
  } finally {
    await fresh.close();
  }
});

describe("a new process", () => {
  test("finds everything as it was, and goes on with what was under way", async () => {
    const fresh = new Account();
    try {
      await fresh.start();
      const { id, ipv4 } = await makeInstance(fresh);
      const { VolumeId } = await makeVolume(fresh);
      await fresh.clients.ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: id, Device: "/dev/sdf" }));
      const before = await describeInstance(fresh, id);
      const booting = fresh.recorder.hold("createServer");
      const { NetworkInterfaceId } = await makeInterface(fresh);
      const { InstanceId } = await run(fresh, NetworkInterfaceId!);
      await eventually(() => Promise.resolve(fresh.recorder.of("createServer").length === 2));
      const stopping = fresh.stop();
      booting();
      await stopping;
      const calls = fresh.recorder.calls.length;
      await fresh.start();

      expect(await inState(fresh, InstanceId!, "running")).toMatchObject({ InstanceId });
      const after = await describeInstance(fresh, id);
      expect({ ...after, LaunchTime: undefined }).toMatchObject({
        State: { Name: "running" },
        PublicIpAddress: ipv4,
        PrivateIpAddress: before.PrivateIpAddress,
        SecurityGroups: before.SecurityGroups,
        BlockDeviceMappings: before.BlockDeviceMappings!.map(({ DeviceName, Ebs }) => ({
          DeviceName,
          Ebs: { VolumeId: Ebs!.VolumeId },
        })),
      });
      // The host that was about to boot is asked for again; all else is as it should be.
      expect(fresh.recorder.calls.slice(calls).map(([method]) => method)).toEqual(["createServer"]);
      const { ec2 } = fresh.clients;
      await ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
      await inState(fresh, id, "stopped");
      const { Reservations } = await ec2.send(new DescribeInstancesCommand());
      expect(Reservations).toHaveLength(2);
    } finally {
      await fresh.close();
    }
  });

  test("takes in what the last one was killed over", async () => {
    const fresh = new Account();
    try {
      await fresh.start();
      const { id } = await makeInstance(fresh);
      const { VolumeId } = await makeVolume(fresh);
      await fresh.stop();
      const file = join(fresh.directory, "state.json");
      const state = JSON.parse(readFileSync(file, "utf8")) as State;
      writeFileSync(file, JSON.stringify({ ...state, instances: {}, volumes: {} }));
      await fresh.start();
      await inState(fresh, id, "running");
      expect(fresh.recorder.of("createVolume").map(([volume]) => volume)).toEqual([VolumeId, VolumeId]);
    } finally {
      await fresh.close();
    }
  });
});
