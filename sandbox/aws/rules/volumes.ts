import { forward, look, type Cloud } from "../cloud";
import { AwsError, notEmulated } from "../errors";
import type { State } from "../state";
import { readInstance, readVolumes, type Volume } from "../view";
import { items, text } from "../xml";
import { ec2Answer, edit, idempotently } from "./answers";
import type { Rule } from "./rule";

const create: Rule = (cloud, call) =>
  idempotently(cloud, call, async () => {
    if (call.params.SnapshotId !== undefined)
      throw notEmulated("contents of snapshots, so that no volume can be made from one");
    const answer = await forward(cloud, call);
    if (answer.status >= 400) return answer;
    return edit(answer, (root) => {
      cloud.store.state.volumes[text(root.volumeId)] = { createdAt: cloud.clock() };
      root.status = "creating";
    });
  });

async function find(cloud: Cloud, id = ""): Promise<Volume> {
  const volume = (await readVolumes(cloud)).find((other) => other.id === id);
  if (!volume) throw new AwsError("InvalidVolume.NotFound", `The volume '${id}' does not exist.`);
  return volume;
}

const attach: Rule = async (cloud, call) => {
  const { VolumeId: volumeId, InstanceId: instanceId = "", Device: device = "" } = call.params;
  const volume = await find(cloud, volumeId);
  const instance = await readInstance(cloud, instanceId);
  const state = cloud.store.state.instances[instanceId]?.state;
  if (volume.attachment) {
    throw new AwsError("VolumeInUse", `${volume.id} is already attached to an instance`);
  }
  if (state !== "running" && state !== "stopped") {
    throw new AwsError("IncorrectState", `Instance '${instanceId}' is not 'running'.`);
  }
  if (volume.availabilityZone !== instance.availabilityZone) {
    throw new AwsError(
      "InvalidVolume.ZoneMismatch",
      `The volume '${volume.id}' is not in the same availability zone as instance '${instanceId}'`,
    );
  }
  if (instance.blockDevices.some((other) => other.device === device)) {
    throw new AwsError(
      "InvalidParameterValue",
      `Invalid value '${device}' for unixDevice. Attachment point ${device} is already in use`,
    );
  }
  const answer = await forward(cloud, call);
  if (answer.status >= 400) return answer;
  const record = cloud.store.state.volumes[volume.id];
  if (record) record.attachedAt = cloud.clock();
  return edit(answer, (root) => {
    root.status = "attaching";
  });
};

/** Detaches a volume. moto requires the instance and the device, and detaches a root disk. */
const detach: Rule = async (cloud, call) => {
  const volume = await find(cloud, call.params.VolumeId);
  const { attachment } = volume;
  const record = cloud.store.state.volumes[volume.id];
  if (!attachment || record?.detaching) {
    const now = attachment ? "detaching" : "available";
    throw new AwsError("IncorrectState", `Volume '${volume.id}' is in the '${now}' state.`);
  }
  const { InstanceId: instanceId = attachment.instanceId, Device: device = attachment.device } = call.params;
  if (instanceId !== attachment.instanceId || device !== attachment.device) {
    throw new AwsError(
      "InvalidAttachment.NotFound",
      `Volume '${volume.id}' is not attached to instance '${instanceId}' as device '${device}'`,
    );
  }
  if (!record) {
    throw new AwsError(
      "OperationNotPermitted",
      `Unable to detach root volume '${volume.id}' from instance '${instanceId}'`,
    );
  }
  record.detaching = true;
  return ec2Answer(call, {
    volumeId: volume.id,
    instanceId,
    device,
    status: "detaching",
    attachTime: new Date(record.attachedAt ?? record.createdAt).toISOString(),
    deleteOnTermination: "false",
  });
};

const remove: Rule = async (cloud, call) => {
  const { id, attachment } = await find(cloud, call.params.VolumeId);
  if (attachment)
    throw new AwsError("VolumeInUse", `Volume ${id} is currently attached to ${attachment.instanceId}`);
  return forward(cloud, call);
};

/** Modifies a volume. moto also makes one smaller. */
const modify: Rule = async (cloud, call) => {
  const { sizeGb } = await find(cloud, call.params.VolumeId);
  if (Number(call.params.Size ?? sizeGb) < sizeGb) {
    throw new AwsError("InvalidParameterValue", "New size cannot be smaller than existing size");
  }
  return forward(cloud, call);
};

/** State that a volume's record tells; undefined where moto is right. */
function stateOf(cloud: Cloud, id: string): { volume?: string; attachment?: string } {
  const record: State["volumes"][string] | undefined = cloud.store.state.volumes[id];
  if (!record) return {};
  const recent = (at: number | undefined): boolean =>
    at !== undefined && cloud.clock() - at < cloud.delays.volume;
  if (record.detaching) return { volume: "in-use", attachment: "detaching" };
  if (recent(record.attachedAt)) return { volume: "in-use", attachment: "attaching" };
  return recent(record.createdAt) && record.attachedAt === undefined ? { volume: "creating" } : {};
}

const list: Rule = async (cloud, call) =>
  edit(await look(cloud, call), (root) => {
    for (const volume of items(root.volumeSet)) {
      const now = stateOf(cloud, text(volume.volumeId));
      if (now.volume !== undefined) volume.status = now.volume;
      const [attachment] = items(volume.attachmentSet);
      if (attachment && now.attachment !== undefined) attachment.status = now.attachment;
    }
  });

/** State of an instance's disk in the instance's description. */
export function attachmentState(cloud: Cloud, volumeId: string): string | undefined {
  return stateOf(cloud, volumeId).attachment;
}

/** Makes a snapshot. moto also makes one of a volume in an in-between state. */
const snapshot: Rule = async (cloud, call) => {
  await find(cloud, call.params.VolumeId);
  return forward(cloud, call);
};

export const volumeRules: Readonly<Record<string, Rule>> = {
  "ec2:CreateVolume": create,
  "ec2:AttachVolume": attach,
  "ec2:DetachVolume": detach,
  "ec2:DeleteVolume": remove,
  "ec2:ModifyVolume": modify,
  "ec2:DescribeVolumes": list,
  "ec2:CreateSnapshot": snapshot,
};
