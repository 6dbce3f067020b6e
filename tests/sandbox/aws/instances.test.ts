/** Instances over the official SDK: requests to the machine, the in-between states, refusals. */
import {
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  ModifyInstanceAttributeCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";

import { publicKey, useAccount } from "./harness";
import {
  describeInstance,
  imageOf,
  inState,
  JAMMY,
  makeAddress,
  makeGroup,
  makeInstance,
  makeInterface,
  openPort,
  orderFor,
  run,
  terminate,
} from "./setUp";

const account = useAccount();

test("an instance becomes a host with the image's release, the type's size, its addresses and its rules", async () => {
  const group = await makeGroup(account());
  await openPort(account(), group, 443);
  await openPort(account(), group, 22, "2001:db8::/32");
  const made = await makeInterface(account(), { groups: [group], ipv6: 1 });
  const { ipv4 } = await makeAddress(account(), made.NetworkInterfaceId);
  const { InstanceId } = await run(account(), made.NetworkInterfaceId!, {
    ImageId: await imageOf(account(), JAMMY),
    InstanceType: "c7i.4xlarge",
    UserData: Buffer.from("#cloud-config\nssh_keys: {}\n").toString("base64"),
    MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
  });
  const running = await inState(account(), InstanceId!, "running");

  expect(ipv4).toMatch(/^203\.0\.113\.2\d\d$/);
  expect(running).toMatchObject({ PublicIpAddress: ipv4, PrivateIpAddress: made.PrivateIpAddress });
  expect(account().recorder.last("createServer")).toEqual([
    {
      id: expect.stringMatching(/^a\d+$/),
      name: `ip-${made.PrivateIpAddress!.replaceAll(".", "-")}.eu-central-1.compute.internal`,
      ubuntu: "22.04",
      cores: 16,
      memoryGb: 32,
      diskGb: 8,
      userData: "#cloud-config\nssh_keys: {}\n",
      sshPublicKeys: [expect.stringContaining(publicKey)],
      loginUser: "ubuntu",
      metadataHopLimit: 1,
      addresses: {
        ipv4,
        privateIpv4: made.PrivateIpAddress,
        ipv6: made.Ipv6Addresses![0]!.Ipv6Address,
      },
      rules: [
        { protocol: "tcp", ports: "443", sources: ["0.0.0.0/0"] },
        { protocol: "tcp", ports: "22", sources: ["2001:db8::/32"] },
      ],
    },
  ]);
});

test("an instance is pending until its host has booted, and not in a list of the running ones", async () => {
  const release = account().recorder.hold("createServer");
  const made = await makeInterface(account());
  const { InstanceId, State } = await run(account(), made.NetworkInterfaceId!);
  expect(State).toEqual({ Code: 0, Name: "pending" });
  expect((await describeInstance(account(), InstanceId!)).State?.Name).toBe("pending");
  const list = async (state: string): Promise<(string | undefined)[]> => {
    const filter = { Name: "instance-state-name", Values: [state] };
    const answer = await account().clients.ec2.send(new DescribeInstancesCommand({ Filters: [filter] }));
    return answer.Reservations!.flatMap(({ Instances }) => Instances!.map((instance) => instance.InstanceId));
  };
  expect(await list("running")).not.toContain(InstanceId);
  expect(await list("pending")).toEqual([InstanceId]);
  await expect(
    account().clients.ec2.send(new StopInstancesCommand({ InstanceIds: [InstanceId!] })),
  ).rejects.toMatchObject({ name: "IncorrectInstanceState" });
  const statuses = async (all: boolean): Promise<unknown[]> => {
    const order = { InstanceIds: [InstanceId!], IncludeAllInstances: all };
    return (await account().clients.ec2.send(new DescribeInstanceStatusCommand(order))).InstanceStatuses!;
  };
  expect(await statuses(false)).toEqual([]);
  expect(await statuses(true)).toMatchObject([{ InstanceState: { Name: "pending" } }]);

  release();
  await inState(account(), InstanceId!, "running");
  expect(await list("running")).toContain(InstanceId);
});

test("an instance that ends leaves its interface, with the addresses, to its successor", async () => {
  const { id, interfaceId, ipv4 } = await makeInstance(account());
  const release = account().recorder.hold("deleteServer");
  const answer = await account().clients.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  expect(answer.TerminatingInstances).toMatchObject([
    { InstanceId: id, CurrentState: { Name: "shutting-down" }, PreviousState: { Name: "running" } },
  ]);
  const describe = async (): Promise<unknown> => {
    const order = { NetworkInterfaceIds: [interfaceId] };
    return (await account().clients.ec2.send(new DescribeNetworkInterfacesCommand(order)))
      .NetworkInterfaces![0];
  };
  expect(await describe()).toMatchObject({ Status: "in-use", Attachment: { InstanceId: id } });
  await expect(run(account(), interfaceId)).rejects.toMatchObject({ name: "InvalidNetworkInterface.InUse" });
  release();
  expect(await inState(account(), id, "terminated")).not.toHaveProperty("PublicIpAddress");
  const free = await describe();
  expect(free).toMatchObject({ Status: "available", Association: { PublicIp: ipv4 } });
  expect(free).not.toHaveProperty("Attachment");

  const { InstanceId } = await run(account(), interfaceId);
  expect(await inState(account(), InstanceId!, "running")).toMatchObject({ PublicIpAddress: ipv4 });
  expect(account().recorder.last("createServer")).toMatchObject([{ addresses: { ipv4 } }]);
});

test("stopping and starting go through their states; size and user data change only in between", async () => {
  const { id } = await makeInstance(account());
  const grow = (): Promise<unknown> =>
    account().clients.ec2.send(
      new ModifyInstanceAttributeCommand({ InstanceId: id, InstanceType: { Value: "c7i.4xlarge" } }),
    );
  await expect(grow()).rejects.toMatchObject({
    name: "IncorrectInstanceState",
    message: `The instance '${id}' is not in the 'stopped' state.`,
  });
  const release = account().recorder.hold("powerOff");
  await account().clients.ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
  expect((await describeInstance(account(), id)).State?.Name).toBe("stopping");
  release();
  await inState(account(), id, "stopped");
  await grow();
  expect(account().recorder.last("resizeServer")).toEqual([expect.any(String), 16, 32]);

  const hold = account().recorder.hold("powerOn");
  await account().clients.ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
  expect((await describeInstance(account(), id)).State?.Name).toBe("pending");
  hold();
  expect(await inState(account(), id, "running")).toMatchObject({ InstanceType: "c7i.4xlarge" });
});

test("a protected instance is terminated only after its protection is gone", async () => {
  const { id } = await makeInstance(account(), { DisableApiTermination: true });
  const end = (): Promise<unknown> =>
    account().clients.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  await expect(end()).rejects.toMatchObject({
    name: "OperationNotPermitted",
    message: expect.stringContaining("may not be terminated. Modify its 'disableApiTermination'"),
  });
  expect((await describeInstance(account(), id)).State?.Name).toBe("running");
  const order = { InstanceId: id, DisableApiTermination: { Value: false } };
  await account().clients.ec2.send(new ModifyInstanceAttributeCommand(order));
  await terminate(account(), id);
});

test("the same client token makes one instance, with other parameters none", async () => {
  const made = await makeInterface(account());
  const order = await orderFor(account(), made.NetworkInterfaceId!);
  const first = await account().clients.ec2.send(new RunInstancesCommand(order));
  const second = await account().clients.ec2.send(new RunInstancesCommand(order));
  expect(second.Instances![0]!.InstanceId).toBe(first.Instances![0]!.InstanceId);
  await expect(
    account().clients.ec2.send(new RunInstancesCommand({ ...order, InstanceType: "c7i.xlarge" })),
  ).rejects.toMatchObject({ name: "IdempotentParameterMismatch" });
});

test("an instance that can't be started ends and says why", async () => {
  account().recorder.fail("createServer", "no space left");
  const made = await makeInterface(account());
  const { InstanceId } = await run(account(), made.NetworkInterfaceId!, { DisableApiTermination: true });
  const ended = await inState(account(), InstanceId!, "terminated");
  account().recorder.heal();
  expect(ended.StateReason).toEqual({
    Code: "Server.InternalError",
    Message: "Server.InternalError: no space left",
  });
});

test.each([
  ["an unknown image", { ImageId: "ami-00000000000000000" }, "InvalidAMIID.NotFound"],
  ["an unknown type", { InstanceType: "c99.huge" }, "InvalidParameterValue"],
  ["an unknown key pair", { KeyName: "nobody" }, "InvalidKeyPair.NotFound"],
  ["an ARM type", { InstanceType: "c7g.2xlarge" }, "InvalidParameterValue"],
  ["too much user data", { UserData: Buffer.alloc(16_385, "a").toString("base64") }, "InvalidParameterValue"],
  [
    "another zone than the interface's",
    { Placement: { AvailabilityZone: "eu-central-1b" } },
    "InvalidParameterValue",
  ],
  ["no interface", { NetworkInterfaces: [] }, "UnsupportedOperation"],
] as const)("%s is refused, and nothing is made", async (_what, more, code) => {
  const made = await makeInterface(account());
  const before = account().recorder.of("createServer").length;
  await expect(run(account(), made.NetworkInterfaceId!, more as object)).rejects.toMatchObject({
    name: code,
  });
  expect(account().recorder.of("createServer")).toHaveLength(before);
  const { NetworkInterfaces } = await account().clients.ec2.send(
    new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [made.NetworkInterfaceId!] }),
  );
  expect(NetworkInterfaces![0]!.Status).toBe("available");
});
