/** The account's own images over the official SDK. */
import { setTimeout as sleep } from "node:timers/promises";

import {
  AttachVolumeCommand,
  CreateImageCommand,
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  type CreateImageCommandInput,
  type DescribeImagesCommandInput,
  type Image,
  type Snapshot,
} from "@aws-sdk/client-ec2";

import { eventually, useAccount, type Account } from "./harness";
import {
  describeInstance,
  describeVolume,
  inState,
  JAMMY,
  imageOf,
  makeInstance,
  makeInterface,
  makeVolume,
  run,
  terminate,
} from "./setUp";

const account = useAccount();

let number = 0;
const name = (): string => `bbb-image-${++number}`;

const ROOT = "/dev/sda1";
const rootOf = (VolumeSize: number, Encrypted: boolean) => ({
  BlockDeviceMappings: [{ DeviceName: ROOT, Ebs: { VolumeType: "gp3" as const, VolumeSize, Encrypted } }],
});

async function create(on: Account, InstanceId: string, more: Partial<CreateImageCommandInput> = {}) {
  const order = new CreateImageCommand({ InstanceId, Name: name(), ...more });
  return (await on.clients.ec2.send(order)).ImageId!;
}

async function images(on: Account, more: DescribeImagesCommandInput = {}): Promise<Image[]> {
  return (await on.clients.ec2.send(new DescribeImagesCommand({ Owners: ["self"], ...more }))).Images ?? [];
}

async function describeImage(on: Account, id: string): Promise<Image> {
  return (await images(on, { ImageIds: [id] }))[0]!;
}

const snapshotOf = ({ BlockDeviceMappings }: Image): string => BlockDeviceMappings![0]!.Ebs!.SnapshotId!;

async function describeSnapshot(on: Account, id: string): Promise<Snapshot> {
  const order = new DescribeSnapshotsCommand({ SnapshotIds: [id] });
  return (await on.clients.ec2.send(order)).Snapshots![0]!;
}

const available = (on: Account, id: string): Promise<Image> =>
  eventually(async () => {
    const image = await describeImage(on, id);
    return image.State === "available" && image;
  });

/** Names of the runtime's calls since a number of them. */
const since = (before: number): string[] =>
  account()
    .recorder.calls.slice(before)
    .map(([method]) => method)
    .filter((method) => /^(power|createS|deleteS)/.test(method));

test("an image is pending, then available: as large and as encrypted as the root volume, with its tags", async () => {
  const { id } = await makeInstance(account(), {
    ImageId: await imageOf(account(), JAMMY),
    ...rootOf(50, true),
  });
  const before = account().recorder.calls.length;
  const release = account().recorder.hold("createSnapshot");
  const imageId = await create(account(), id, {
    Description: "baked",
    TagSpecifications: [
      { ResourceType: "image", Tags: [{ Key: "image", Value: "bbb" }] },
      { ResourceType: "snapshot", Tags: [{ Key: "of", Value: "bbb" }] },
    ],
  });
  const pending = await describeImage(account(), imageId);
  expect(pending).toMatchObject({
    State: "pending",
    Description: "baked",
    Architecture: "x86_64",
    Public: false,
    SourceInstanceId: id,
    RootDeviceName: ROOT,
    RootDeviceType: "ebs",
    Tags: [{ Key: "image", Value: "bbb" }],
    BlockDeviceMappings: [
      { DeviceName: ROOT, Ebs: { VolumeSize: 50, Encrypted: true, DeleteOnTermination: true } },
    ],
  });
  const root = (await describeInstance(account(), id)).BlockDeviceMappings![0]!.Ebs!.VolumeId;
  expect(await describeSnapshot(account(), snapshotOf(pending))).toMatchObject({
    State: "pending",
    VolumeSize: 50,
    VolumeId: root,
    Encrypted: true,
    Tags: [{ Key: "of", Value: "bbb" }],
  });
  const stateIs = (...Values: string[]) => images(account(), { Filters: [{ Name: "state", Values }] });
  expect(await stateIs("available")).toEqual([]);
  expect(await stateIs("pending", "failed")).toMatchObject([{ ImageId: imageId }]);
  const { NetworkInterfaceId } = await makeInterface(account());
  await expect(run(account(), NetworkInterfaceId!, { ImageId: imageId })).rejects.toMatchObject({
    name: "InvalidAMIID.Unavailable",
    message: `AMI ${imageId} is pending, and cannot be run`,
  });
  release();
  expect(snapshotOf(await available(account(), imageId))).toBe(snapshotOf(pending));
  expect(await describeSnapshot(account(), snapshotOf(pending))).toMatchObject({ State: "completed" });
  expect(await stateIs("available")).toMatchObject([{ ImageId: imageId }]);
  // The instance was off for it, and none of its own states tells.
  expect(since(before)).toEqual(["powerOff", "createSnapshot", "powerOn"]);
  expect((await describeInstance(account(), id)).State?.Name).toBe("running");
});

test("without a reboot, or of a stopped instance, nothing is switched off or on", async () => {
  const { id } = await makeInstance(account());
  let before = account().recorder.calls.length;
  await available(account(), await create(account(), id, { NoReboot: true }));
  expect(since(before)).toEqual(["createSnapshot"]);
  await account().clients.ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
  await inState(account(), id, "stopped");
  before = account().recorder.calls.length;
  await available(account(), await create(account(), id));
  expect(since(before)).toEqual(["createSnapshot"]);
  await account().clients.ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
  await inState(account(), id, "running");
});

test("an instance of an image is a copy: its Ubuntu, its disk at least, encrypted where the image is", async () => {
  const { id } = await makeInstance(account(), {
    ImageId: await imageOf(account(), JAMMY),
    ...rootOf(50, true),
  });
  const image = await available(account(), await create(account(), id));
  await terminate(account(), id);
  const copyOf = async (ImageId: string, more = {}): Promise<string> =>
    (await makeInstance(account(), { ImageId, ...more })).id;
  const host = () => account().recorder.last("createServer")![0];
  const root = async (of: string) =>
    describeVolume(
      account(),
      (await describeInstance(account(), of)).BlockDeviceMappings![0]!.Ebs!.VolumeId!,
    );

  const plain = await copyOf(image.ImageId!);
  expect(host()).toMatchObject({ ubuntu: "22.04", snapshot: snapshotOf(image), diskGb: 50 });
  expect(await root(plain)).toMatchObject({ Size: 50, Encrypted: true, VolumeType: "gp3" });
  const larger = await copyOf(image.ImageId!, rootOf(80, false));
  expect(host()).toMatchObject({ snapshot: snapshotOf(image), diskGb: 80 });
  expect(await root(larger)).toMatchObject({ Size: 80, Encrypted: true });
  const { NetworkInterfaceId } = await makeInterface(account());
  await expect(
    run(account(), NetworkInterfaceId!, { ImageId: image.ImageId, ...rootOf(20, true) }),
  ).rejects.toMatchObject({
    name: "InvalidBlockDeviceMapping",
    message: `Volume of size 20GB is smaller than snapshot '${snapshotOf(image)}', expect size>= 50GB`,
  });
  expect(since(0).filter((method) => method === "deleteSnapshot")).toEqual([]);
  // A copy has what its model had, though the image is gone.
  await account().clients.ec2.send(new DeregisterImageCommand({ ImageId: image.ImageId }));
  await account().clients.ec2.send(new DeleteSnapshotCommand({ SnapshotId: snapshotOf(image) }));
  await available(account(), await create(account(), plain));
  expect(await copyOf((await images(account())).at(-1)!.ImageId!)).toBeTruthy();
  expect(host()).toMatchObject({ ubuntu: "22.04" });
});

test("a snapshot stays when its image is deregistered, and goes only then", async () => {
  const { id } = await makeInstance(account());
  const image = await available(account(), await create(account(), id));
  const SnapshotId = snapshotOf(image);
  const remove = new DeleteSnapshotCommand({ SnapshotId });
  await expect(account().clients.ec2.send(remove)).rejects.toMatchObject({ name: "InvalidSnapshot.InUse" });
  const { objects } = await account().control<{ objects: { type: string; id: string }[] }>(
    "GET",
    "/_objects",
  );
  expect(objects).toContainEqual({ type: "image", id: image.ImageId, tags: {} });
  expect(objects).toContainEqual({ type: "snapshot", id: SnapshotId, tags: {} });
  await account().clients.ec2.send(new DeregisterImageCommand({ ImageId: image.ImageId }));
  expect(await describeImage(account(), image.ImageId!)).toBeUndefined();
  expect(await describeSnapshot(account(), SnapshotId)).toMatchObject({ State: "completed" });
  expect(account().recorder.last("deleteSnapshot")).not.toEqual([SnapshotId]);
  await account().clients.ec2.send(remove);
  expect(account().recorder.last("deleteSnapshot")).toEqual([SnapshotId]);
  const { NetworkInterfaceId } = await makeInterface(account());
  await expect(run(account(), NetworkInterfaceId!, { ImageId: image.ImageId })).rejects.toMatchObject({
    name: "InvalidAMIID.NotFound",
  });
});

test("deregistered with its snapshots, an image leaves none, and tells which went", async () => {
  const { id } = await makeInstance(account());
  account().recorder.answer("createSnapshot", 4711);
  const image = await available(account(), await create(account(), id));
  const SnapshotId = snapshotOf(image);
  expect((await describeSnapshot(account(), SnapshotId)).FullSnapshotSizeInBytes).toBe(4711);
  const order = new DeregisterImageCommand({ ImageId: image.ImageId, DeleteAssociatedSnapshots: true });
  expect(await account().clients.ec2.send(order)).toMatchObject({
    Return: true,
    DeleteSnapshotResults: [{ SnapshotId, ReturnCode: "success" }],
  });
  expect(account().recorder.last("deleteSnapshot")).toEqual([SnapshotId]);
  await expect(describeSnapshot(account(), SnapshotId)).rejects.toMatchObject({
    name: "InvalidSnapshot.NotFound",
  });
});

test("one that could not be made has failed, says why, and its instance runs", async () => {
  const { id } = await makeInstance(account());
  account().recorder.fail("createSnapshot", "no space left");
  const imageId = await create(account(), id);
  const failed = await eventually(async () => {
    const image = await describeImage(account(), imageId);
    return image.State === "failed" && image;
  });
  account().recorder.heal();
  expect(failed.StateReason?.Message).toBe("no space left");
  expect(await describeSnapshot(account(), snapshotOf(failed))).toMatchObject({ State: "error" });
  expect(account().recorder.calls.at(-1)![0]).toBe("powerOn");
});

test("the next process goes on with one that the last one left", async () => {
  const { id } = await makeInstance(account());
  const release = account().recorder.hold("createSnapshot");
  const before = account().recorder.of("createSnapshot").length;
  const imageId = await create(account(), id, { NoReboot: true });
  await eventually(() => Promise.resolve(account().recorder.of("createSnapshot").length > before));
  const stopped = account().stop();
  await sleep(100);
  release();
  await stopped;
  await account().start();
  await available(account(), imageId);
  expect(account().recorder.of("createSnapshot").length).toBe(before + 2);
});

test("what can't be done is refused in AWS's words", async () => {
  const { id } = await makeInstance(account());
  const taken = name();
  const imageId = await create(account(), id, { Name: taken, NoReboot: true });
  await expect(create(account(), id, { Name: taken })).rejects.toMatchObject({
    name: "InvalidAMIName.Duplicate",
    message: `AMI name ${taken} is already in use by AMI ${imageId}`,
  });
  for (const Name of ["ab", "x".repeat(129), "a:b"])
    await expect(create(account(), id, { Name })).rejects.toMatchObject({ name: "InvalidAMIName.Malformed" });
  await expect(create(account(), "i-0123456789abcdef0")).rejects.toMatchObject({
    name: "InvalidInstanceID.NotFound",
  });
  const specifications = { TagSpecifications: [{ ResourceType: "instance" as const, Tags: [] }] };
  await expect(create(account(), id, specifications)).rejects.toMatchObject({
    name: "InvalidParameterValue",
  });
  await terminate(account(), id);
  await expect(create(account(), id)).rejects.toMatchObject({ name: "IncorrectState" });
});

test("a data volume has to be left out by name, since EC2 would copy it", async () => {
  const { id } = await makeInstance(account());
  const { VolumeId } = await makeVolume(account());
  const volume = { VolumeId, InstanceId: id, Device: "/dev/sdf" };
  await account().clients.ec2.send(new AttachVolumeCommand(volume));
  await expect(create(account(), id)).rejects.toMatchObject({
    name: "UnsupportedOperation",
    message: expect.stringContaining("leave out /dev/sdf") as string,
  });
  const without = { BlockDeviceMappings: [{ DeviceName: "/dev/sdf", NoDevice: "" }] };
  const image = await available(account(), await create(account(), id, without));
  expect(image.BlockDeviceMappings).toHaveLength(1);
});
