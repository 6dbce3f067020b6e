/** Primary IPs and reverse DNS, which belong to the provider's newer half: a replacement creates first. */
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
  unlessGone,
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
    ...inputs,
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
    return { ...outputs, ...inputs };
  },
  delete: async ({ id }, context) => {
    const final = (error: unknown) =>
      error instanceof ApiError && ["protected", "not_found"].includes(error.code);
    const remove = () => api(context).delete(`/primary_ips/${id}`);
    await unlessGone(() => retrying(10, (error) => !final(error), remove));
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

const path = ({ primaryIpId }: Values) => `/primary_ips/${String(primaryIpId)}`;

async function changePtr(inputs: Values, dnsPtr: unknown, context: Context): Promise<void> {
  await api(context).act(`${path(inputs)}/actions/change_dns_ptr`, {
    ip: inputs.ipAddress,
    dns_ptr: dnsPtr,
  });
}

export const rdns: Kind = {
  keys: ["ipAddress", "dnsPtr", "primaryIpId"],
  replaceKeys: ["ipAddress", "primaryIpId"],
  create: async (inputs, context) => {
    await api(context).get(path(inputs));
    await changePtr(inputs, inputs.dnsPtr, context);
    return { id: `p-${String(inputs.primaryIpId)}-${String(inputs.ipAddress)}`, outputs: inputs };
  },
  update: async (_old, inputs, context) => {
    await changePtr(inputs, inputs.dnsPtr, context);
    return inputs;
  },
  read: async ({ inputs }, context) => {
    const names = (await readPrimaryIp(String(inputs.primaryIpId), context))?.dns_ptr ?? [];
    const dnsPtr = names.find(({ ip }) => ip === inputs.ipAddress)?.dns_ptr;
    return dnsPtr === undefined ? undefined : { dnsPtr };
  },
  delete: async ({ inputs }, context) => {
    await unlessGone(() => changePtr(inputs, null, context));
  },
};
