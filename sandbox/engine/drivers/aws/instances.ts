import type { Instance, RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import { randomUUID } from "node:crypto";

import type { Context, Created, Kind, State } from "../../driver";
import type { Values } from "../../wire";
import { afterCreate, changed } from "../common";
import { foundByTags } from "./adoption";
import { session } from "./client";
import { isCode, unlessGone } from "./errors";
import { awaitRunning, awaitState, IN_TRANSIT, readInstance, stop } from "./power";
import { retag, tagList, tagsOf, tagSpecifications } from "./tags";
import { flag, number, object, text } from "./values";
import { persisting, waitFor } from "./waiting";
import { modifyVolume } from "./volumeChanges";

/** Limit in bytes; longer user data is refused before any call of AWS. */
const USER_DATA_LIMIT = 16384;

function checked(inputs: Values): Values {
  const length = Buffer.byteLength(text(inputs.userData) ?? "");
  if (length > USER_DATA_LIMIT)
    throw new Error(
      `expected length of user_data to be in the range (1 - ${USER_DATA_LIMIT}), got ${length}`,
    );
  return {};
}

/** Root device of an image; the mapping of some images names a slightly different disk. */
async function rootDevice(ami: string, context: Context): Promise<string> {
  const { ec2 } = await session(context);
  const { Images = [] } = await ec2.describeImages({ ImageIds: [ami] });
  const [image] = Images;
  if (image === undefined) throw new Error(`reading EC2 AMI (${ami}): couldn't find resource`);
  const mapped = (image.BlockDeviceMappings ?? []).map(({ DeviceName = "" }) => DeviceName);
  const named = image.RootDeviceName ?? "";
  return mapped.length === 0 || mapped.includes(named) ? named : (mapped[0] ?? named);
}

function metadataOptions(inputs: Values) {
  const options = object(inputs.metadataOptions);
  if (Object.keys(options).length === 0) return undefined;
  return {
    HttpEndpoint: text(options.httpEndpoint),
    HttpTokens: text(options.httpTokens),
    HttpPutResponseHopLimit: number(options.httpPutResponseHopLimit),
  } as NonNullable<RunInstancesCommandInput["MetadataOptions"]>;
}

async function create(inputs: Values, context: Context): Promise<Created> {
  const { ec2 } = await session(context);
  const root = object(inputs.rootBlockDevice);
  const networkInterface = object(inputs.primaryNetworkInterface);
  const userData = text(inputs.userData);
  const request: RunInstancesCommandInput = {
    ClientToken: randomUUID(),
    MinCount: 1,
    MaxCount: 1,
    ImageId: text(inputs.ami),
    InstanceType: text(inputs.instanceType) as RunInstancesCommandInput["InstanceType"],
    KeyName: text(inputs.keyName),
    NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: text(networkInterface.networkInterfaceId) }],
    MetadataOptions: metadataOptions(inputs),
    Placement: inputs.placementGroup === undefined ? undefined : { GroupName: text(inputs.placementGroup) },
    BlockDeviceMappings:
      inputs.rootBlockDevice === undefined
        ? undefined
        : [
            {
              DeviceName: await rootDevice(String(inputs.ami), context),
              Ebs: {
                VolumeType: text(root.volumeType) as "gp3",
                VolumeSize: number(root.volumeSize),
                Encrypted: flag(root.encrypted),
                DeleteOnTermination: flag(root.deleteOnTermination) ?? true,
              },
            },
          ],
    UserData: userData === undefined ? undefined : Buffer.from(userData).toString("base64"),
    DisableApiTermination: flag(inputs.disableApiTermination),
    TagSpecifications: tagSpecifications("instance", tagsOf(inputs)),
  };
  // an interface that another instance is just letting go of
  const attached = (error: unknown) => isCode(error, "InvalidNetworkInterface.InUse");
  const { Instances = [] } = await persisting(2, context, attached, () => ec2.runInstances(request));
  return finish(Instances[0]?.InstanceId ?? "", inputs, context);
}

function rootVolume({ BlockDeviceMappings = [], RootDeviceName }: Instance): string | undefined {
  const mapping = BlockDeviceMappings.find(({ DeviceName }) => DeviceName === RootDeviceName);
  return (mapping ?? BlockDeviceMappings[0])?.Ebs?.VolumeId;
}

async function finish(id: string, inputs: Values, context: Context): Promise<Created> {
  return afterCreate(id, inputs, async () => {
    await awaitRunning(id, "create", context);
    const { ec2 } = await session(context);
    const tags = tagsOf(object(inputs.rootBlockDevice));
    const volume = rootVolume((await readInstance(id, context)) ?? {});
    if (volume !== undefined && Object.keys(tags).length > 0)
      await ec2.createTags({ Resources: [volume], Tags: tagList(tags) });
    return { id, outputs: await outputsOf(id, inputs, context) };
  });
}

async function outputsOf(id: string, inputs: Values, context: Context): Promise<Values> {
  const found = (await readInstance(id, context)) ?? {};
  return {
    ...inputs,
    instanceState: found.State?.Name ?? "",
    rootBlockDevice: {
      ...object(inputs.rootBlockDevice),
      deviceName: found.RootDeviceName ?? "",
      volumeId: rootVolume(found) ?? "",
    },
  };
}

/** Makes changes that AWS accepts only from a stopped instance: an outage of a minute or two. */
async function whileStopped(id: string, context: Context, change: () => Promise<unknown>): Promise<void> {
  const { ec2 } = await session(context);
  await stop(id, context);
  await change();
  const settling = (error: unknown) =>
    isCode(error, "InvalidParameterValue") &&
    (error as Error).message.includes("LaunchPlan instance type does not match attribute value");
  await persisting(2, context, settling, () => ec2.startInstances({ InstanceIds: [id] }));
  await awaitRunning(id, "start", context);
}

async function changeRoot(state: State, inputs: Values, context: Context): Promise<void> {
  const { ec2 } = await session(context);
  const [old, now] = [object(state.inputs.rootBlockDevice), object(inputs.rootBlockDevice)];
  const volume = String(object(state.outputs.rootBlockDevice).volumeId);
  if (changed(old, now, "volumeSize", "volumeType")) {
    const change = { Size: number(now.volumeSize), VolumeType: text(now.volumeType) as "gp3" };
    await modifyVolume(volume, context, change);
  }
  if (changed(old, now, "deleteOnTermination")) {
    const DeleteOnTermination = flag(now.deleteOnTermination) ?? true;
    const DeviceName = String(object(state.outputs.rootBlockDevice).deviceName);
    await ec2.modifyInstanceAttribute({
      InstanceId: state.id,
      BlockDeviceMappings: [{ DeviceName, Ebs: { DeleteOnTermination } }],
    });
  }
  await retag(volume, tagsOf(old), tagsOf(now), context);
}

async function update(state: State, inputs: Values, context: Context): Promise<Values> {
  const { id, inputs: old } = state;
  const { ec2 } = await session(context);
  const found = await readInstance(id, context);
  if (found === undefined || found.State?.Name === "terminated")
    throw new Error(
      `instance ${id} is terminated, or was deleted outside of Pulumi: up with --replace ${context.name} makes a new one`,
    );
  await retag(id, tagsOf(old), tagsOf(inputs), context);
  if (changed(old, inputs, "instanceType")) {
    const InstanceType = { Value: text(inputs.instanceType) };
    await whileStopped(id, context, () => ec2.modifyInstanceAttribute({ InstanceId: id, InstanceType }));
  }
  if (changed(old, inputs, "userData")) {
    const UserData = { Value: Buffer.from(text(inputs.userData) ?? "") };
    await whileStopped(id, context, () => ec2.modifyInstanceAttribute({ InstanceId: id, UserData }));
  }
  if (changed(old, inputs, "disableApiTermination")) {
    const DisableApiTermination = { Value: flag(inputs.disableApiTermination) ?? false };
    await ec2.modifyInstanceAttribute({ InstanceId: id, DisableApiTermination });
  }
  if (changed(old, inputs, "metadataOptions")) {
    await ec2.modifyInstanceMetadataOptions({ InstanceId: id, ...metadataOptions(inputs) });
    await waitFor(
      {
        what: `EC2 Instance (${id}) metadata options update`,
        until: ["applied"],
        through: ["pending"],
        minutes: 10,
      },
      context,
      async () => (await readInstance(id, context))?.MetadataOptions?.State ?? "applied",
    );
  }
  if (changed(old, inputs, "rootBlockDevice")) await changeRoot(state, inputs, context);
  if ((await readInstance(id, context))?.State?.Name === "pending") await awaitRunning(id, "start", context);
  return outputsOf(id, inputs, context);
}

/** Terminates an instance, unless it is protected from that. */
async function terminate({ id }: State, context: Context): Promise<void> {
  const { ec2 } = await session(context);
  const asked = await unlessGone(() => ec2.terminateInstances({ InstanceIds: [id] }));
  if (asked === undefined) return;
  await awaitState(id, "delete", ["terminated"], [...IN_TRANSIT, "running", "stopped"], 20, context);
}

export const instance: Kind = {
  keys: [
    ...["ami", "instanceType", "keyName", "primaryNetworkInterface", "placementGroup", "metadataOptions"],
    ...["rootBlockDevice"],
    ...["userData", "userDataReplaceOnChange", "disableApiTermination", "tags"],
  ],
  replaceKeys: ["ami", "keyName", "primaryNetworkInterface", "placementGroup", "rootBlockDevice.encrypted"],
  defaults: checked,
  create,
  update,
  delete: terminate,
  read: async ({ id }, context) => {
    const found = await readInstance(id, context);
    const state = found?.State?.Name;
    if (state === undefined || state === "terminated") return undefined;
    return { instanceState: state, ...(found?.InstanceType ? { instanceType: found.InstanceType } : {}) };
  },
  adopt: async (inputs, context) => {
    const { ec2 } = await session(context);
    const found = await foundByTags(inputs, context, "instances", async (filters) => {
      const alive = { Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] };
      const { Reservations = [] } = await ec2.describeInstances({ Filters: [...filters, alive] });
      const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
      return instances.map(({ InstanceId: id = "" }) => ({ id }));
    });
    return found === undefined ? undefined : finish(found.id, inputs, context);
  },
};
