import { withParams, type Call } from "../call";
import { alter, describe, forward, look, type Cloud } from "../cloud";
import { AwsError, notEmulated } from "../errors";
import { snapshotOfImage, ubuntuOfImage } from "../snapshots";
import { readInstance, readVolumes, rootOf, type Instance, type Volume } from "../view";
import { child, items, parseXml, text } from "../xml";
import { ec2Answer, edit } from "./answers";
import { splitFilter } from "./filters";
import type { Rule } from "./rule";

/** Images of the account, and the snapshots that they are made of. lifecycle.ts takes the snapshots. */

const NAME = /^[A-Za-z0-9()[\] ./'@_-]{3,128}$/;

/** Makes an image. moto's is there at once, and of no instance's size; its name may be taken. */
const create: Rule = async (cloud, call) => {
  const { Name: name = "", InstanceId: id = "", NoReboot: noReboot } = call.params;
  const record = cloud.store.state.instances[id];
  if (!record) throw new AwsError("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
  if (record.state !== "running" && record.state !== "stopped")
    throw new AwsError("IncorrectState", `Instance '${id}' is not 'running' or 'stopped'.`);
  await checkName(cloud, name);
  const tags = readTags(call);
  const instance = await readInstance(cloud, id);
  const root = rootOf(instance, await readVolumes(cloud));
  refuseDataVolumes(instance, root, call);
  const ubuntu = record.ubuntu ?? (await ubuntuOfImage(cloud, instance.imageId));

  const answer = await forward(cloud, without(call, "TagSpecification", "BlockDeviceMapping"));
  if (answer.status >= 400) return answer;
  const imageId = text(parseXml(answer.body).root.imageId);
  const snapshotId = await readSnapshotId(cloud, imageId);
  cloud.store.state.snapshots[snapshotId] = {
    imageId,
    instanceId: id,
    volumeId: root.id,
    sizeGb: root.sizeGb,
    encrypted: root.encrypted,
    ubuntu,
    reboot: noReboot !== "true" && record.state === "running",
    state: "pending",
  };
  await tag(cloud, imageId, tags.image);
  await tag(cloud, snapshotId, tags.snapshot);
  return answer;
};

async function checkName(cloud: Cloud, name: string): Promise<void> {
  if (!NAME.test(name)) {
    throw new AwsError(
      "InvalidAMIName.Malformed",
      "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'",
    );
  }
  const own = items((await describe(cloud, "DescribeImages", { "Owner.1": "self" })).imagesSet);
  const other = own.find((image) => text(image.name) === name);
  if (other) {
    throw new AwsError(
      "InvalidAMIName.Duplicate",
      `AMI name ${name} is already in use by AMI ${text(other.imageId)}`,
    );
  }
}

/** Refuses to copy data volumes, which EC2 does unless a mapping leaves them out. */
function refuseDataVolumes({ blockDevices }: Instance, root: Volume, { params }: Call): void {
  const left = new Set<string>();
  for (let index = 1; params[`BlockDeviceMapping.${index}.DeviceName`] !== undefined; index += 1) {
    if (params[`BlockDeviceMapping.${index}.NoDevice`] === undefined)
      throw notEmulated("mappings of an image's devices but those that leave one out, with NoDevice");
    left.add(params[`BlockDeviceMapping.${index}.DeviceName`]!);
  }
  const data = blockDevices.filter(({ device, volumeId }) => volumeId !== root.id && !left.has(device));
  if (data.length === 0) return;
  throw notEmulated(
    `images of data volumes, which EC2 would copy: leave out ${data.map(({ device }) => device).join(", ")}, with NoDevice`,
  );
}

type Tags = Record<string, string>;

/** Reads the tags of the new image and of its snapshot. @throws for those of anything else */
function readTags({ params }: Call): { readonly image: Tags; readonly snapshot: Tags } {
  const tags = { image: {} as Tags, snapshot: {} as Tags };
  for (let index = 1; params[`TagSpecification.${index}.ResourceType`] !== undefined; index += 1) {
    const type = params[`TagSpecification.${index}.ResourceType`]!;
    if (type !== "image" && type !== "snapshot")
      throw new AwsError("InvalidParameterValue", `'${type}' is not a valid taggable resource type.`);
    const prefix = `TagSpecification.${index}.Tag`;
    for (let tag = 1; params[`${prefix}.${tag}.Key`] !== undefined; tag += 1)
      tags[type][params[`${prefix}.${tag}.Key`]!] = params[`${prefix}.${tag}.Value`] ?? "";
  }
  return tags;
}

async function tag(cloud: Cloud, id: string, tags: Tags): Promise<void> {
  const params: Record<string, string> = { "ResourceId.1": id };
  for (const [index, [key, value]] of Object.entries(tags).entries()) {
    params[`Tag.${index + 1}.Key`] = key;
    params[`Tag.${index + 1}.Value`] = value;
  }
  if (Object.keys(tags).length > 0) await alter(cloud, "CreateTags", params);
}

function without(call: Call, ...lists: readonly string[]): Call {
  const names = Object.keys(call.params).filter((name) => lists.includes(name.split(".")[0]!));
  return withParams(call, Object.fromEntries(names.map((name) => [name, undefined])));
}

async function readSnapshotId(cloud: Cloud, imageId: string): Promise<string> {
  const { imagesSet } = await describe(cloud, "DescribeImages", { "ImageId.1": imageId });
  const [mapping] = items(items(imagesSet)[0]?.blockDeviceMapping);
  return text(child(mapping?.ebs).snapshotId);
}

const list: Rule = async (cloud, call) => {
  const { widened, accepts } = splitFilter(call, "state", ["available"]);
  return edit(await look(cloud, widened), (root) => {
    const all = items(root.imagesSet);
    for (const image of all) {
      const { id, record } = snapshotOfImage(cloud.store.state, text(image.imageId)) ?? {};
      if (!record) continue;
      image.imageState = record.state;
      if (record.reason !== undefined)
        image.stateReason = { code: "Client.InternalError", message: record.reason };
      image.rootDeviceType = "ebs";
      const ebs = {
        snapshotId: id,
        volumeSize: String(record.sizeGb),
        volumeType: "gp3",
        encrypted: String(record.encrypted),
        deleteOnTermination: "true",
      };
      image.blockDeviceMapping = { item: [{ deviceName: text(image.rootDeviceName), ebs }] };
    }
    root.imagesSet = { item: all.filter((image) => accepts(text(image.imageState))) };
  });
};

const SNAPSHOT_STATES = { pending: "pending", available: "completed", failed: "error" } as const;

const listSnapshots: Rule = async (cloud, call) => {
  const { widened, accepts } = splitFilter(call, "status", ["completed"]);
  return edit(await look(cloud, widened), (root) => {
    const all = items(root.snapshotSet);
    for (const snapshot of all) {
      const record = cloud.store.state.snapshots[text(snapshot.snapshotId)];
      if (!record) continue;
      snapshot.status = SNAPSHOT_STATES[record.state];
      snapshot.progress = record.state === "available" ? "100%" : "0%";
      snapshot.volumeId = record.volumeId;
      snapshot.volumeSize = String(record.sizeGb);
      snapshot.encrypted = String(record.encrypted);
      if (record.bytes !== undefined) snapshot.fullSnapshotSizeInBytes = String(record.bytes);
    }
    root.snapshotSet = { item: all.filter((snapshot) => accepts(text(snapshot.status))) };
  });
};

/** Deregisters an image, and deletes its snapshot where the call asks for it; moto takes no notice of that. */
const deregister: Rule = async (cloud, call) => {
  const { ImageId = "", DeleteAssociatedSnapshots } = call.params;
  const answer = await forward(cloud, without(call, "DeleteAssociatedSnapshots"));
  if (answer.status >= 400 || DeleteAssociatedSnapshots !== "true") return answer;
  const { id } = snapshotOfImage(cloud.store.state, ImageId) ?? {};
  if (id === undefined) return answer;
  await alter(cloud, "DeleteSnapshot", { SnapshotId: id });
  await forget(cloud, id);
  const item = [{ snapshotId: id, returnCode: "success" }];
  return ec2Answer(call, { return: "true", deleteSnapshotResultSet: { item } });
};

const removeSnapshot: Rule = async (cloud, call) => {
  const answer = await forward(cloud, call);
  if (answer.status < 400) await forget(cloud, call.params.SnapshotId ?? "");
  return answer;
};

/** Deletes the copy on this machine, unless lifecycle.ts is about to make it. */
async function forget({ store, runtime }: Cloud, id: string): Promise<void> {
  const record = store.state.snapshots[id];
  if (record !== undefined && record.state !== "pending") await runtime.deleteSnapshot(id);
  Reflect.deleteProperty(store.state.snapshots, id);
}

/**
 * Parameters of the root volume of an instance from one of the account's images; none for another image. moto takes
 * neither its size nor its encryption over.
 *
 * @throws for an image that is not available, and for a volume that is smaller
 */
export async function rootFrom(cloud: Cloud, params: Call["params"]): Promise<Record<string, string>> {
  const imageId = params.ImageId ?? "";
  const { id, record } = snapshotOfImage(cloud.store.state, imageId) ?? {};
  if (!record) return {};
  if (record.state !== "available")
    throw new AwsError("InvalidAMIID.Unavailable", `AMI ${imageId} is ${record.state}, and cannot be run`);
  const { imagesSet } = await describe(cloud, "DescribeImages", { "ImageId.1": imageId });
  const device = text(items(imagesSet)[0]?.rootDeviceName);
  const index = numberOf(params, device);
  const asked = params[`BlockDeviceMapping.${index}.Ebs.VolumeSize`] ?? String(record.sizeGb);
  if (Number(asked) < record.sizeGb) {
    throw new AwsError(
      "InvalidBlockDeviceMapping",
      `Volume of size ${asked}GB is smaller than snapshot '${id}', expect size>= ${record.sizeGb}GB`,
    );
  }
  const root = `BlockDeviceMapping.${index}`;
  return {
    [`${root}.DeviceName`]: device,
    [`${root}.Ebs.VolumeSize`]: asked,
    [`${root}.Ebs.VolumeType`]: params[`${root}.Ebs.VolumeType`] ?? "gp3",
    [`${root}.Ebs.DeleteOnTermination`]: params[`${root}.Ebs.DeleteOnTermination`] ?? "true",
    ...(record.encrypted ? { [`${root}.Ebs.Encrypted`]: "true" } : {}),
  };
}

/** Number of a device's mapping in a call, or that of the next one. */
function numberOf(params: Call["params"], device: string): number {
  let index = 1;
  while (![undefined, device].includes(params[`BlockDeviceMapping.${index}.DeviceName`])) index += 1;
  return index;
}

export const imageRules: Readonly<Record<string, Rule>> = {
  "ec2:CreateImage": create,
  "ec2:DescribeImages": list,
  "ec2:DeregisterImage": deregister,
  "ec2:DescribeSnapshots": listSnapshots,
  "ec2:DeleteSnapshot": removeSnapshot,
};
