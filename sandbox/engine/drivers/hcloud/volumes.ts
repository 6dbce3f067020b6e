import type { Context, Created, Kind } from "../../driver";
import type { Values } from "../../wire";
import { ApiError, type Action } from "./client";
import {
  afterCreate,
  api,
  changed,
  labelsOf,
  ours,
  retrying,
  set,
  unlessGone,
  type Named,
  type Protection,
} from "./common";
import { unlocked } from "./servers";

const isLocked = (error: unknown) => error instanceof ApiError && error.code === "locked";

interface Volume extends Named {
  readonly server: number | null;
  readonly size: number;
  readonly linux_device: string;
  readonly location: { readonly name: string };
  readonly protection: Protection;
}

async function finish(id: number, inputs: Values, context: Context): Promise<Created> {
  return afterCreate(id, inputs, async () => {
    const hcloud = api(context);
    if (inputs.deleteProtection === true)
      await hcloud.act(`/volumes/${id}/actions/change_protection`, { delete: true });
    return { id: String(id), outputs: await read(id, inputs, context) };
  });
}

async function read(id: number | string, inputs: Values, context: Context): Promise<Values> {
  const { volume: found } = await api(context).get<{ volume: Volume }>(`/volumes/${id}`);
  return {
    ...inputs,
    location: found.location.name,
    linuxDevice: found.linux_device,
    deleteProtection: found.protection.delete,
  };
}

/** Returns the volume; undefined when it no longer exists. */
async function find(id: string, context: Context): Promise<Volume | undefined> {
  return (await unlessGone(() => api(context).get<{ volume: Volume }>(`/volumes/${id}`)))?.volume;
}

async function detach(id: string, context: Context): Promise<void> {
  await retrying(5, isLocked, () => api(context).act(`/volumes/${id}/actions/detach`, {}));
}

export const volume: Kind = {
  keys: ["name", "size", "location", "format", "labels", "deleteProtection"],
  replaceKeys: ["location"],
  deleteBeforeReplace: true,
  create: async (inputs, context) => {
    const hcloud = api(context);
    const labels = labelsOf(inputs);
    const answer = await hcloud.post<{ volume: Volume; action: Action; next_actions?: Action[] }>(
      "/volumes",
      set({
        name: inputs.name,
        size: inputs.size,
        location: inputs.location,
        labels: Object.keys(labels).length > 0 ? labels : undefined,
        format: inputs.format,
      }),
    );
    const { id } = answer.volume;
    return afterCreate(id, inputs, async () => {
      await hcloud.wait([answer.action]);
      await hcloud.wait(answer.next_actions ?? []);
      return finish(id, inputs, context);
    });
  },
  update: async ({ id, inputs: old }, inputs, context) => {
    const hcloud = api(context);
    await hcloud.get(`/volumes/${id}`);
    if (changed(old, inputs, "name")) await hcloud.put(`/volumes/${id}`, { name: inputs.name });
    if (changed(old, inputs, "size"))
      await hcloud.act(`/volumes/${id}/actions/resize`, { size: inputs.size });
    if (changed(old, inputs, "labels")) await hcloud.put(`/volumes/${id}`, { labels: labelsOf(inputs) });
    if (changed(old, inputs, "deleteProtection")) {
      const body = { delete: inputs.deleteProtection ?? false };
      await hcloud.act(`/volumes/${id}/actions/change_protection`, body);
    }
    return read(id, inputs, context);
  },
  delete: async ({ id }, context) => {
    const found = await find(id, context);
    if (found === undefined) return;
    if (found.server !== null) await detach(id, context);
    await retrying(5, isLocked, () => api(context).delete(`/volumes/${id}`));
  },
  read: async ({ id }, context) => {
    const found = await find(id, context);
    return (
      found && {
        name: found.name,
        size: found.size,
        labels: { ...found.labels },
        location: found.location.name,
        linuxDevice: found.linux_device,
        deleteProtection: found.protection.delete,
      }
    );
  },
  adopt: async (inputs, context) => {
    const found = await ours<Volume>(context, "volumes", inputs);
    return found === undefined ? undefined : finish(found.id, inputs, context);
  },
};

export const volumeAttachment: Kind = {
  keys: ["volumeId", "serverId", "automount"],
  replaceKeys: ["volumeId", "serverId"],
  create: async (inputs, context) => {
    const hcloud = api(context);
    const id = String(inputs.volumeId);
    const body = { server: inputs.serverId, ...(inputs.automount === true ? { automount: true } : {}) };
    await retrying(5, isLocked, () => hcloud.act(`/volumes/${id}/actions/attach`, body));
    await hcloud.get(`/volumes/${id}`);
    await hcloud.get(`/servers/${String(inputs.serverId)}`);
    return { id, outputs: inputs };
  },
  update: async (_old, inputs) => inputs,
  delete: async ({ id }, context) => {
    const found = await find(id, context);
    if (found !== undefined && found.server !== null) await detach(id, context);
  },
  read: async ({ id, inputs }, context) =>
    (await find(id, context))?.server === Number(inputs.serverId) ? {} : undefined,
  adopt: async (inputs, context) => {
    await unlocked(String(inputs.serverId), context);
    const found = await find(String(inputs.volumeId), context);
    return found?.server === Number(inputs.serverId)
      ? { id: String(inputs.volumeId), outputs: inputs }
      : undefined;
  },
};
