/** Primary IPs and reverse DNS, which belong to the provider's newer half: a replacement creates first. */
import { NotServed } from "../../goal";
import type { Context, Created, Kind } from "../../driver";
import type { Values } from "../../wire";
import { ApiError, isNotFound, type Action } from "./client";
import {
  afterCreate,
  api,
  autoName,
  changed,
  labelsOf,
  ours,
  retrying,
  unlessGone,
  withoutDefaults,
  type Named,
  type Protection,
} from "./common";

interface PrimaryIp extends Named {
  readonly type: "ipv4" | "ipv6";
  readonly ip: string;
  readonly assignee_id: number | null;
  readonly assignee_type: string;
  readonly dns_ptr?: readonly { readonly ip: string; readonly dns_ptr: string }[];
  readonly auto_delete: boolean;
  readonly protection: Protection;
  readonly location: { readonly name: string };
}

/** Outputs of an address. An IPv6 address is a network, "2001:db8:0:4::/64", of which `ipAddress` is the base. */
function outputsOf(ip: PrimaryIp, inputs: Values): Values {
  const isNetwork = ip.type === "ipv6";
  return {
    ...withoutDefaults(inputs),
    location: ip.location.name,
    autoDelete: ip.auto_delete,
    deleteProtection: ip.protection.delete,
    assigneeId: ip.assignee_id ?? 0,
    assigneeType: ip.assignee_type,
    ipAddress: isNetwork ? (ip.ip.split("/")[0] ?? "") : ip.ip,
    ...(isNetwork ? { ipNetwork: ip.ip } : {}),
  };
}

async function readPrimaryIp(id: string, context: Context): Promise<PrimaryIp | undefined> {
  const answer = await unlessGone(() => api(context).get<{ primary_ip: PrimaryIp }>(`/primary_ips/${id}`));
  return answer?.primary_ip;
}

async function finish(id: number, inputs: Values, context: Context): Promise<Created> {
  return afterCreate(id, inputs, async () => {
    const hcloud = api(context);
    if (inputs.deleteProtection === true)
      await hcloud.act(`/primary_ips/${id}/actions/change_protection`, { delete: true });
    const { primary_ip } = await hcloud.get<{ primary_ip: PrimaryIp }>(`/primary_ips/${id}`);
    // assigneeId gets into the real state by a refresh only
    return {
      id: String(id),
      outputs: { ...outputsOf(primary_ip, inputs), assigneeId: 0, assigneeType: "server" },
    };
  });
}

export const primaryIp: Kind = {
  keys: ["name", "type", "location", "autoDelete", "deleteProtection", "labels"],
  replaceKeys: ["type", "location"],
  defaults: autoName,
  create: async (inputs, context) => {
    const hcloud = api(context);
    const { primary_ip, action } = await hcloud.post<{ primary_ip: PrimaryIp; action?: Action | null }>(
      "/primary_ips",
      {
        name: inputs.name,
        type: inputs.type,
        labels: labelsOf(inputs),
        auto_delete: inputs.autoDelete ?? false,
        location: inputs.location,
      },
    );
    return afterCreate(primary_ip.id, inputs, async () => {
      await hcloud.wait([action]);
      return finish(primary_ip.id, inputs, context);
    });
  },
  update: async ({ id, inputs: old, outputs }, inputs, context) => {
    const hcloud = api(context);
    if (changed(old, inputs, "deleteProtection")) {
      const body = { delete: inputs.deleteProtection ?? false };
      await hcloud.act(`/primary_ips/${id}/actions/change_protection`, body);
    }
    await hcloud.put(`/primary_ips/${id}`, {
      ...(changed(old, inputs, "name") ? { name: inputs.name } : {}),
      ...(changed(old, inputs, "labels") ? { labels: labelsOf(inputs) } : {}),
      ...(changed(old, inputs, "autoDelete") ? { auto_delete: inputs.autoDelete ?? false } : {}),
    });
    return { ...outputs, ...withoutDefaults(inputs) };
  },
  delete: async ({ id }, context) => {
    const final = (error: unknown) =>
      error instanceof ApiError && ["protected", "not_found"].includes(error.code);
    await retrying(
      10,
      (error) => !final(error),
      () => api(context).delete(`/primary_ips/${id}`),
    ).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  },
  read: async ({ id, inputs }, context) => {
    const found = await readPrimaryIp(id, context);
    return found && { ...outputsOf(found, inputs), name: found.name, labels: { ...found.labels } };
  },
  adopt: async (inputs, context) => {
    const found = await ours<PrimaryIp>(context, "primary_ips", inputs);
    return found === undefined ? undefined : finish(found.id, inputs, context);
  },
};

function target(inputs: Values): { prefix: string; collection: string; id: string } {
  if (inputs.primaryIpId !== undefined)
    return { prefix: "p", collection: "primary_ips", id: String(inputs.primaryIpId) };
  if (inputs.serverId !== undefined)
    return { prefix: "s", collection: "servers", id: String(inputs.serverId) };
  throw new NotServed("reverse DNS of anything but a primary IP or a server");
}

async function changePtr(inputs: Values, dnsPtr: unknown, context: Context): Promise<void> {
  const { collection, id } = target(inputs);
  await api(context).act(`/${collection}/${id}/actions/change_dns_ptr`, {
    ip: inputs.ipAddress,
    dns_ptr: dnsPtr,
  });
}

export const rdns: Kind = {
  keys: ["ipAddress", "dnsPtr", "primaryIpId", "serverId"],
  replaceKeys: ["ipAddress", "primaryIpId", "serverId"],
  create: async (inputs, context) => {
    const { prefix, collection, id } = target(inputs);
    await api(context).get(`/${collection}/${id}`);
    await changePtr(inputs, inputs.dnsPtr, context);
    return { id: `${prefix}-${id}-${String(inputs.ipAddress)}`, outputs: inputs };
  },
  update: async (_old, inputs, context) => {
    await changePtr(inputs, inputs.dnsPtr, context);
    return inputs;
  },
  read: async ({ inputs }, context) => {
    const { collection, id } = target(inputs);
    if (collection !== "primary_ips") throw new NotServed("a refresh of a server's reverse DNS");
    const names = (await readPrimaryIp(id, context))?.dns_ptr ?? [];
    const dnsPtr = names.find(({ ip }) => ip === inputs.ipAddress)?.dns_ptr;
    return dnsPtr === undefined ? undefined : { dnsPtr };
  },
  delete: async ({ inputs }, context) => {
    await changePtr(inputs, null, context).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  },
};
