/** EBS volumes over the official SDK. */
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DeleteVolumeCommand,
  DescribeSnapshotsCommand,
  DetachVolumeCommand,
  ModifyVolumeCommand,
} from "@aws-sdk/client-ec2";

import { eventually, useAccount, type Account } from "./harness";
import {
  describeInstance,
  describeVolume,
  makeInstance,
  makeInterface,
  makeVolume,
  run,
  terminate,
} from "./setUp";

const account = useAccount();

const attach = (on: Account, VolumeId: string, InstanceId: string): Promise<unknown> =>
  on.clients.ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: "/dev/sdf" }));

const detach = (on: Account, VolumeId: string): Promise<unknown> =>
  on.clients.ec2.send(new DetachVolumeCommand({ VolumeId }));

const available = (on: Account, id: string): Promise<unknown> =>
  eventually(async () => (await describeVolume(on, id)).State === "available");

test("a volume is made without a file system, attached under its NVMe name, grown, detached and deleted", async () => {
  const { id } = await makeInstance(account());
  const { VolumeId } = await makeVolume(account());
  expect(account().recorder.last("createVolume")).toEqual([VolumeId, 10]);
  await attach(account(), VolumeId!, id);
  expect(account().recorder.last("attachVolume")).toEqual([
    VolumeId,
    expect.stringMatching(/^a\d+$/),
    `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VolumeId!.replace("-", "")}`,
  ]);
  expect(await describeVolume(account(), VolumeId!)).toMatchObject({
    State: "in-use",
    Attachments: [{ InstanceId: id, Device: "/dev/sdf", State: "attached" }],
  });
  await account().clients.ec2.send(new ModifyVolumeCommand({ VolumeId, Size: 20 }));
  expect(account().recorder.last("resizeVolume")).toEqual([VolumeId, 20]);
  await expect(
    account().clients.ec2.send(new ModifyVolumeCommand({ VolumeId, Size: 5 })),
  ).rejects.toMatchObject({
    name: "InvalidParameterValue",
  });

  const release = account().recorder.hold("detachVolume");
  expect(await detach(account(), VolumeId!)).toMatchObject({ State: "detaching", InstanceId: id });
  expect((await describeVolume(account(), VolumeId!)).Attachments).toMatchObject([{ State: "detaching" }]);
  const remove = new DeleteVolumeCommand({ VolumeId });
  await expect(account().clients.ec2.send(remove)).rejects.toMatchObject({ name: "VolumeInUse" });
  release();
  await available(account(), VolumeId!);
  await account().clients.ec2.send(remove);
  expect(account().recorder.last("deleteVolume")).toEqual([VolumeId]);
  await expect(describeVolume(account(), VolumeId!)).rejects.toMatchObject({
    name: "InvalidVolume.NotFound",
  });
});

test("the root disk is the host's own: encrypted as asked, not made twice, not to be detached", async () => {
  const before = account().recorder.of("createVolume").length;
  const { id } = await makeInstance(account(), {
    BlockDeviceMappings: [
      {
        DeviceName: "/dev/sda1",
        Ebs: { VolumeType: "gp3", VolumeSize: 50, Encrypted: true, DeleteOnTermination: true },
      },
    ],
    TagSpecifications: [{ ResourceType: "volume", Tags: [{ Key: "role", Value: "root" }] }],
  });
  const { BlockDeviceMappings } = await describeInstance(account(), id);
  expect(BlockDeviceMappings).toMatchObject([
    { DeviceName: "/dev/sda1", Ebs: { DeleteOnTermination: true } },
  ]);
  const root = BlockDeviceMappings![0]!.Ebs!.VolumeId!;
  expect(await describeVolume(account(), root)).toMatchObject({
    Encrypted: true,
    Size: 50,
    VolumeType: "gp3",
    Tags: [{ Key: "role", Value: "root" }],
  });
  expect(account().recorder.of("createVolume")).toHaveLength(before);
  await account().clients.ec2.send(new ModifyVolumeCommand({ VolumeId: root, Size: 80 }));
  const [host] = account().recorder.last("createServer")! as [{ id: string; diskGb: number }];
  expect(host.diskGb).toBe(50);
  expect(account().recorder.of("resizeDisk")).toEqual([[host.id, 80]]);
  await expect(detach(account(), root)).rejects.toMatchObject({ name: "OperationNotPermitted" });
  await terminate(account(), id);
  await expect(describeVolume(account(), root)).rejects.toMatchObject({ name: "InvalidVolume.NotFound" });
});

test("a volume outlives its instance and goes to the next", async () => {
  const first = await makeInstance(account());
  const { VolumeId } = await makeVolume(account());
  await attach(account(), VolumeId!, first.id);
  await terminate(account(), first.id);
  expect(await describeVolume(account(), VolumeId!)).toMatchObject({ State: "available", Attachments: [] });
  const second = await makeInstance(account());
  await attach(account(), VolumeId!, second.id);
  expect(account().recorder.last("attachVolume")![0]).toBe(VolumeId);
});

test("what can't be attached, detached or deleted is refused in AWS's words", async () => {
  const { id } = await makeInstance(account());
  const { VolumeId } = await makeVolume(account());
  await expect(detach(account(), VolumeId!)).rejects.toMatchObject({
    name: "IncorrectState",
    message: `Volume '${VolumeId}' is in the 'available' state.`,
  });
  const elsewhere = await makeVolume(account(), "eu-central-1b");
  await expect(attach(account(), elsewhere.VolumeId!, id)).rejects.toMatchObject({
    name: "InvalidVolume.ZoneMismatch",
  });
  await attach(account(), VolumeId!, id);
  await expect(attach(account(), VolumeId!, id)).rejects.toMatchObject({ name: "VolumeInUse" });
  const another = await makeVolume(account());
  await expect(attach(account(), another.VolumeId!, id)).rejects.toMatchObject({
    name: "InvalidParameterValue",
    message: "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use",
  });
  await expect(account().clients.ec2.send(new DeleteVolumeCommand({ VolumeId }))).rejects.toMatchObject({
    name: "VolumeInUse",
  });

  const release = account().recorder.hold("createServer");
  const { NetworkInterfaceId } = await makeInterface(account());
  const { InstanceId } = await run(account(), NetworkInterfaceId!);
  await expect(attach(account(), another.VolumeId!, InstanceId!)).rejects.toMatchObject({
    name: "IncorrectState",
    message: `Instance '${InstanceId}' is not 'running'.`,
  });
  release();
});

test("a snapshot is made of a volume, but no volume of a snapshot", async () => {
  const { VolumeId } = await makeVolume(account());
  const { SnapshotId } = await account().clients.ec2.send(new CreateSnapshotCommand({ VolumeId }));
  const { Snapshots } = await account().clients.ec2.send(
    new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId!] }),
  );
  expect(Snapshots).toMatchObject([{ State: "completed", VolumeId }]);
  const order = new CreateVolumeCommand({ AvailabilityZone: "eu-central-1a", SnapshotId });
  await expect(account().clients.ec2.send(order)).rejects.toMatchObject({ name: "UnsupportedOperation" });
});

test("the same client token makes one volume", async () => {
  const order = new CreateVolumeCommand({
    AvailabilityZone: "eu-central-1a",
    Size: 1,
    ClientToken: "volume",
  });
  const first = await account().clients.ec2.send(order);
  const second = await account().clients.ec2.send(order);
  expect(second.VolumeId).toBe(first.VolumeId);
});
