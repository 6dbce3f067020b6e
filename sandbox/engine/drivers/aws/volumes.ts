/** EBS volumes and their attachments. */
import type { Volume, VolumeAttachment } from "@aws-sdk/client-ec2";
import { randomUUID } from "node:crypto";

import type { Context, Created, Kind } from "../../driver";
import type { Values } from "../../wire";
import { afterCreate, changed } from "../common";
import { foundByTags } from "./adoption";
import { session } from "./client";
import { isCode, unlessGone } from "./errors";
import { awaitState, readInstance, stop } from "./power";
import { retag, tagsOf, tagSpecifications } from "./tags";
import { flag, number, text } from "./values";
import { modifyVolume } from "./volumeChanges";
import { persisting, waitFor } from "./waiting";

async function readVolume(id: string, context: Context): Promise<Volume | undefined> {
  const { ec2 } = await session(context);
  const answer = await unlessGone(() => ec2.describeVolumes({ VolumeIds: [id] }));
  return answer?.Volumes?.[0];
}

async function finish(id: string, inputs: Values, context: Context): Promise<Created> {
  return afterCreate(id, inputs, async () => {
    await waitFor(
      {
        what: `EBS Volume (${id}) create`,
        until: ["available", "in-use"],
        through: ["creating"],
        minutes: 5,
      },
      context,
      async () => (await readVolume(id, context))?.State,
    );
    return { id, outputs: inputs };
  });
}

export const volume: Kind = {
  keys: ["availabilityZone", "size", "type", "encrypted", "tags"],
  replaceKeys: ["availabilityZone", "encrypted"],
  create: async (inputs, context) => {
    const { ec2 } = await session(context);
    const { VolumeId = "" } = await ec2.createVolume({
      ClientToken: randomUUID(),
      AvailabilityZone: text(inputs.availabilityZone),
      Size: number(inputs.size),
      VolumeType: text(inputs.type) as "gp3",
      Encrypted: flag(inputs.encrypted),
      TagSpecifications: tagSpecifications("volume", tagsOf(inputs)),
    });
    return finish(VolumeId, inputs, context);
  },
  update: async ({ id, inputs: old }, inputs, context) => {
    if (changed(old, inputs, "size", "type")) {
      const change = { Size: number(inputs.size), VolumeType: text(inputs.type) as "gp3" };
      await modifyVolume(id, context, change);
    }
    await retag(id, tagsOf(old), tagsOf(inputs), context);
    return inputs;
  },
  delete: async ({ id }, context) => {
    const { ec2 } = await session(context);
    if ((await readVolume(id, context)) === undefined) return;
    const inUse = (error: unknown) => isCode(error, "VolumeInUse");
    const asked = await unlessGone(() =>
      persisting(5, context, inUse, () => ec2.deleteVolume({ VolumeId: id })),
    );
    if (asked === undefined) return;
    await waitFor(
      { what: `EBS Volume (${id}) delete`, until: [], through: ["available", "deleting"], minutes: 10 },
      context,
      async () => {
        const state = (await readVolume(id, context))?.State;
        return state === "deleted" ? undefined : state;
      },
    );
  },
  read: async ({ id }, context) => ((await readVolume(id, context)) === undefined ? undefined : {}),
  adopt: async (inputs, context) => {
    const { ec2 } = await session(context);
    const found = await foundByTags(inputs, context, "volumes", async (Filters) => {
      const { Volumes = [] } = await ec2.describeVolumes({ Filters });
      return Volumes.map(({ VolumeId: id = "" }) => ({ id }));
    });
    return found === undefined ? undefined : finish(found.id, inputs, context);
  },
};

/** Present attachment; undefined when it has ended. */
async function attachmentOf(inputs: Values, context: Context): Promise<VolumeAttachment | undefined> {
  const found = await readVolume(String(inputs.volumeId), context);
  return found?.Attachments?.find(
    ({ State, Device, InstanceId }) =>
      State !== "detached" && Device === inputs.deviceName && InstanceId === inputs.instanceId,
  );
}

/** Id of the form "vai-…", like the provider's; its hash of the three parts differs. */
function attachmentId({ deviceName, volumeId, instanceId }: Values): string {
  return `vai-${[deviceName, instanceId, volumeId].map(String).join("-").replaceAll("/", "")}`;
}

async function attached(inputs: Values, context: Context): Promise<Created> {
  const id = attachmentId(inputs);
  return afterCreate(id, inputs, async () => {
    const { volumeId, instanceId } = inputs;
    const subject = `EBS Volume (${String(volumeId)}) Attachment (${String(instanceId)})`;
    await waitFor(
      { what: `${subject} create`, until: ["attached"], through: ["attaching"], minutes: 5 },
      context,
      async () => (await attachmentOf(inputs, context))?.State,
    );
    return { id, outputs: inputs };
  });
}

export const volumeAttachment: Kind = {
  keys: ["deviceName", "volumeId", "instanceId", "stopInstanceBeforeDetaching"],
  replaceKeys: ["deviceName", "volumeId", "instanceId"],
  create: async (inputs, context) => {
    const { ec2 } = await session(context);
    const InstanceId = String(inputs.instanceId);
    if ((await attachmentOf(inputs, context)) === undefined) {
      await awaitState(InstanceId, "ready", ["running", "stopped"], ["pending", "stopping"], 10, context);
      await ec2.attachVolume({
        Device: text(inputs.deviceName),
        InstanceId,
        VolumeId: text(inputs.volumeId),
      });
    }
    return attached(inputs, context);
  },
  // the flag counts at the deletion only, by what the state says then
  update: async (_old, inputs, context) => (await attached(inputs, context)).outputs,
  /** Detaches a volume as the provider does: an instance that was stopped for this is not started again. */
  delete: async ({ inputs }, context) => {
    const { ec2 } = await session(context);
    const id = String(inputs.instanceId);
    if ((await attachmentOf(inputs, context)) === undefined) return;
    const state = (await readInstance(id, context))?.State?.Name;
    const stoppable = state !== undefined && !["terminated", "shutting-down"].includes(state);
    if (inputs.stopInstanceBeforeDetaching === true && stoppable) await stop(id, context);
    try {
      await unlessGone(() =>
        ec2.detachVolume({
          Device: text(inputs.deviceName),
          InstanceId: id,
          VolumeId: text(inputs.volumeId),
        }),
      );
    } catch (error) {
      // nothing is attached any more
      if (!(isCode(error, "IncorrectState") && (error as Error).message.includes("available"))) throw error;
    }
    await waitFor(
      {
        what: `EBS Volume (${String(inputs.volumeId)}) Attachment (${id}) delete`,
        until: [],
        through: ["attached", "detaching", "busy"],
        minutes: 5,
      },
      context,
      async () => (await attachmentOf(inputs, context))?.State,
    );
  },
  read: async ({ inputs }, context) => ((await attachmentOf(inputs, context)) === undefined ? undefined : {}),
  adopt: async (inputs, context) =>
    (await attachmentOf(inputs, context)) === undefined ? undefined : attached(inputs, context),
};
