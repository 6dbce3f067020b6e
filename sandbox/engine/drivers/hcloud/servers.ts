import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { NotServed } from "../../goal";
import type { Context, Created, Kind, State } from "../../driver";
import type { Value, Values } from "../../wire";
import { isNotFound, type Action } from "./client";
import { afterCreate, api, changed, labelsOf, ours, retrying, set, unlessGone, type Named } from "./common";
import { serverResources } from "./firewalls";
import { imageByName, serverTypeByName, type Image } from "./lookups";

interface Server extends Named {
  readonly status: string;
  readonly locked?: boolean;
  readonly server_type: { readonly name: string };
  readonly location: { readonly name: string };
  readonly image: { readonly id: number; readonly name: string | null } | null;
  readonly backup_window: string | null;
  readonly placement_group: { readonly id: number } | null;
  readonly primary_disk_size: number;
  readonly protection: { readonly delete: boolean; readonly rebuild: boolean };
  readonly public_net: {
    readonly ipv4: { readonly id: number; readonly ip: string } | null;
    readonly ipv6: { readonly id: number; readonly ip: string } | null;
    readonly firewalls: readonly { readonly id: number }[];
  };
}

const THREE_MONTHS_MS = 90 * 24 * 3600 * 1000;

function outputsOf(server: Server, inputs: Values): Values {
  const { ipv4, ipv6, firewalls } = server.public_net;
  const { userData, ...rest } = inputs;
  return {
    ...rest,
    ...(userData === undefined
      ? {}
      : { userData: createHash("sha1").update(String(userData)).digest("base64") }),
    name: server.name,
    serverType: server.server_type.name,
    location: server.location.name,
    image: inputs.image ?? server.image?.name ?? String(server.image?.id ?? ""),
    status: server.status,
    backups: server.backup_window !== null,
    backupWindow: server.backup_window ?? "",
    deleteProtection: server.protection.delete,
    rebuildProtection: server.protection.rebuild,
    ...(server.placement_group === null ? {} : { placementGroupId: server.placement_group.id }),
    primaryDiskSize: server.primary_disk_size,
    firewallIds: firewalls.map(({ id }) => id),
    ipv4Address: ipv4?.ip ?? "",
    ipv6Address: ipv6 === null ? "" : `${ipv6.ip.split("/")[0]}1`,
    ipv6Network: ipv6?.ip ?? "<nil>",
  };
}

async function read(id: number | string, context: Context): Promise<Server> {
  return (await api(context).get<{ server: Server }>(`/servers/${id}`)).server;
}

async function imageId(inputs: Values, architecture: string, context: Context): Promise<number> {
  const asked = String(inputs.image);
  const image = /^\d+$/.test(asked)
    ? (await api(context).get<{ image: Image }>(`/images/${asked}`)).image
    : await imageByName(context, asked, architecture);
  if (image.deprecated !== null && Date.parse(image.deprecated) < Date.now() - THREE_MONTHS_MS) {
    throw new Error(`image "${asked}" is deprecated since ${image.deprecated} and can no longer be ordered`);
  }
  return image.id;
}

/** Ids of keys that the program gave by id or name. */
async function sshKeyIds(keys: readonly Value[], context: Context): Promise<number[]> {
  const ids: number[] = [];
  for (const key of keys.map(String)) {
    if (/^\d+$/.test(key)) {
      ids.push((await api(context).get<{ ssh_key: Named }>(`/ssh_keys/${key}`)).ssh_key.id);
      continue;
    }
    const { ssh_keys } = await api(context).get<{ ssh_keys: Named[] }>(
      `/ssh_keys?name=${encodeURIComponent(key)}`,
    );
    if (ssh_keys[0] === undefined) throw new Error(`SSH key not found: ${key}`);
    ids.push(ssh_keys[0].id);
  }
  return ids;
}

function publicNet(inputs: Values): Values | undefined {
  const [net] = (inputs.publicNets ?? []) as Values[];
  if (net === undefined) return undefined;
  return set({
    enable_ipv4: net.ipv4Enabled ?? true,
    enable_ipv6: net.ipv6Enabled ?? true,
    ipv4: net.ipv4,
    ipv6: net.ipv6,
  }) as Values;
}

/** Does the rest of a server's creation, before it counts as created. */
async function finish(id: number, inputs: Values, context: Context): Promise<Created> {
  const hcloud = api(context);
  if (inputs.backups === true) await hcloud.act(`/servers/${id}/actions/enable_backup`);
  if (inputs.deleteProtection === true || inputs.rebuildProtection === true)
    await changeProtection(id, inputs, context);
  return { id: String(id), outputs: outputsOf(await read(id, context), inputs) };
}

async function changeProtection(id: number | string, inputs: Values, context: Context): Promise<void> {
  const body = { rebuild: inputs.rebuildProtection ?? false, delete: inputs.deleteProtection ?? false };
  await api(context).act(`/servers/${id}/actions/change_protection`, body);
}

async function create(inputs: Values, context: Context): Promise<Created> {
  const hcloud = api(context);
  const type = await serverTypeByName(context, inputs.serverType);
  const image = await imageId(inputs, type.architecture, context);
  const keys = (inputs.sshKeys ?? []) as Value[];
  const labels = labelsOf(inputs);
  const firewalls = ((inputs.firewallIds ?? []) as Value[]).map((firewall) => ({ firewall }));
  const sshKeys = await sshKeyIds(keys, context);
  const group = inputs.placementGroupId;
  if (group !== undefined) await hcloud.get(`/placement_groups/${String(group)}`);
  const answer = await hcloud.post<{ server: Server; action: Action; next_actions: Action[] }>(
    "/servers",
    set({
      name: inputs.name,
      server_type: inputs.serverType,
      image,
      ssh_keys: keys.length > 0 ? sshKeys : undefined,
      location: inputs.location,
      user_data: inputs.userData,
      labels: Object.keys(labels).length > 0 ? labels : undefined,
      firewalls: firewalls.length > 0 ? firewalls : undefined,
      placement_group: group,
      public_net: publicNet(inputs),
    }),
  );
  const { id } = answer.server;
  return afterCreate(id, inputs, async () => {
    await hcloud.wait([answer.action]);
    for (const next of answer.next_actions) await hcloud.wait([next]);
    return finish(id, inputs, context);
  });
}

async function update({ id, inputs: old }: State, inputs: Values, context: Context): Promise<Values> {
  const hcloud = api(context);
  const path = `/servers/${id}`;
  const server = await existing(id, context);
  if (changed(old, inputs, "name")) await hcloud.put(path, { name: inputs.name });
  if (changed(old, inputs, "labels")) await hcloud.put(path, { labels: labelsOf(inputs) });
  if (changed(old, inputs, "serverType")) {
    if (server.status === "running") await hcloud.act(`${path}/actions/poweroff`);
    const body = { server_type: inputs.serverType, upgrade_disk: inputs.keepDisk !== true };
    await hcloud.act(`${path}/actions/change_type`, body);
  }
  if (changed(old, inputs, "backups")) {
    await hcloud.act(`${path}/actions/${inputs.backups === true ? "enable" : "disable"}_backup`);
  }
  if (changed(old, inputs, "firewallIds")) await changeFirewalls(id, old, inputs, context);
  if (changed(old, inputs, "placementGroupId")) await changeGroup(server, inputs, context);
  if (changed(old, inputs, "publicNets")) await changePublicNet(server, old, inputs, context);
  if (changed(old, inputs, "deleteProtection", "rebuildProtection"))
    await changeProtection(id, inputs, context);
  return outputsOf(await read(id, context), inputs);
}

/** Moves a server into a group, for which the API wants it to be off. */
async function changeGroup(server: Server, inputs: Values, context: Context): Promise<void> {
  if (server.placement_group !== null)
    throw new Error("removing a running server from a placement group is currently not supported");
  const body = { placement_group: inputs.placementGroupId };
  await api(context).act(`/servers/${server.id}/actions/add_to_placement_group`, body);
}

async function existing(id: string, context: Context): Promise<Server> {
  try {
    return await read(id, context);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new Error(
      `server ${id} was deleted outside of Pulumi: it is in the checkpoint, but not in the cloud`,
      { cause: error },
    );
  }
}

async function changeFirewalls(id: string, old: Values, inputs: Values, context: Context): Promise<void> {
  const hcloud = api(context);
  const [before, after] = [old, inputs].map(({ firewallIds }) => (firewallIds ?? []) as Value[]) as [
    Value[],
    Value[],
  ];
  const server = serverResources([id]);
  for (const gone of before.filter((firewall) => !after.includes(firewall))) {
    await hcloud.act(`/firewalls/${String(gone)}/actions/remove_from_resources`, { remove_from: server });
  }
  for (const added of after.filter((firewall) => !before.includes(firewall))) {
    await hcloud.act(`/firewalls/${String(added)}/actions/apply_to_resources`, { apply_to: server });
  }
}

/**
 * Changes addresses with an outage: the server is off while every listed address is unassigned and assigned anew,
 * changed or not.
 */
async function changePublicNet(server: Server, old: Values, inputs: Values, context: Context): Promise<void> {
  const hcloud = api(context);
  const [before = {}] = (old.publicNets ?? []) as Values[];
  const [after] = (inputs.publicNets ?? []) as Values[];
  await hcloud.act(`/servers/${server.id}/actions/poweroff`);
  for (const family of ["ipv4", "ipv6"] as const) {
    const wanted = after?.[family] ?? undefined;
    const held = server.public_net[family]?.id;
    if (wanted === undefined && after?.[`${family}Enabled`] !== false) {
      throw new NotServed(`publicNets with an automatic ${family} on an existing server`);
    }
    if (held !== undefined) {
      await hcloud.act(`/primary_ips/${held}/actions/unassign`);
      if ((before[family] ?? undefined) === undefined) await hcloud.delete(`/primary_ips/${held}`);
    }
    if (wanted !== undefined) {
      const body = { assignee_id: server.id, assignee_type: "server" };
      await hcloud.act(`/primary_ips/${String(wanted)}/actions/assign`, body);
    }
  }
  await retrying(
    5,
    () => true,
    () => hcloud.act(`/servers/${server.id}/actions/poweron`),
  );
}

/** Waits for the actions that a killed update began on a server. */
export async function unlocked(id: number | string, context: Context): Promise<void> {
  for (let poll = 0; poll < 300; poll++) {
    if ((await read(id, context)).locked !== true) return;
    await sleep(1000);
  }
  throw new Error(`server ${id} is locked for five minutes: an action on it does not end`);
}

/** Shuts a server down: waits half a minute, as the provider does, and then goes on. */
async function shutDown(id: string, context: Context): Promise<void> {
  await api(context).act(`/servers/${id}/actions/shutdown`);
  for (const seconds of [1, 2, 4, 8, 16]) {
    if ((await read(id, context)).status === "off") return;
    await sleep(seconds * 1000);
  }
}

export const server: Kind = {
  keys: [
    ...["name", "serverType", "image", "location", "userData", "sshKeys", "labels", "backups", "firewallIds"],
    ...[
      "placementGroupId",
      "publicNets",
      "keepDisk",
      "shutdownBeforeDeletion",
      "deleteProtection",
      "rebuildProtection",
    ],
  ],
  replaceKeys: ["image", "location", "userData", "sshKeys"],
  deleteBeforeReplace: true,
  create,
  update,
  delete: async ({ id, inputs }, context) => {
    try {
      if (inputs.shutdownBeforeDeletion === true) await shutDown(id, context);
      const { action } = await api(context).delete<{ action: Action }>(`/servers/${id}`);
      await api(context).wait([action]);
    } catch (error) {
      // the provider does not bear a server that is gone; a deletion that was killed half-way is ours
      if (!(isNotFound(error) && context.resumed === true)) throw error;
    }
  },
  read: async ({ id, inputs }, context) => {
    const found = await unlessGone(() => read(id, context));
    if (found === undefined) return undefined;
    const seen = { ...outputsOf(found, inputs), labels: { ...found.labels } };
    // The API never tells it.
    return Object.fromEntries(Object.entries(seen).filter(([key]) => key !== "userData"));
  },
  adopt: async (inputs, context) => {
    const found = await ours<Server>(context, "servers", inputs);
    if (found === undefined) return undefined;
    return afterCreate(found.id, inputs, async () => {
      await unlocked(found.id, context);
      return finish(found.id, inputs, context);
    });
  },
};
