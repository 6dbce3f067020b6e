import type { NetworkInterface } from "@aws-sdk/client-ec2";
import { randomUUID } from "node:crypto";

import type { Context, Created, Kind } from "../../driver";
import type { Values } from "../../wire";
import { afterCreate, changed } from "../common";
import { foundByTags } from "./adoption";
import { session } from "./client";
import { isCode, unlessGone } from "./errors";
import { retag, tagsOf, tagSpecifications } from "./tags";
import { number, text, texts } from "./values";
import { persisting, waitFor } from "./waiting";

export async function readInterface(id: string, context: Context): Promise<NetworkInterface | undefined> {
  const { ec2 } = await session(context);
  const answer = await unlessGone(() => ec2.describeNetworkInterfaces({ NetworkInterfaceIds: [id] }));
  return answer?.NetworkInterfaces?.[0];
}

async function outputsOf(id: string, inputs: Values, context: Context): Promise<Values> {
  const found = (await readInterface(id, context)) ?? {};
  return {
    ...inputs,
    subnetId: found.SubnetId ?? inputs.subnetId ?? "",
    ipv6Addresses: (found.Ipv6Addresses ?? []).map(({ Ipv6Address = "" }) => Ipv6Address),
    privateIp: found.PrivateIpAddress ?? "",
  };
}

async function finish(id: string, inputs: Values, context: Context): Promise<Created> {
  return afterCreate(id, inputs, async () => {
    await waitFor(
      {
        what: `EC2 Network Interface (${id}) create`,
        until: ["available", "in-use"],
        through: ["pending"],
        minutes: 10,
      },
      context,
      async () => (await readInterface(id, context))?.Status,
    );
    return { id, outputs: await outputsOf(id, inputs, context) };
  });
}

/** Adds or removes addresses up to the wanted number; the first ones stay. */
async function countIpv6(id: string, wanted: number, context: Context): Promise<void> {
  const { ec2 } = await session(context);
  const held = (await readInterface(id, context))?.Ipv6Addresses ?? [];
  if (held.length < wanted) {
    await ec2.assignIpv6Addresses({ NetworkInterfaceId: id, Ipv6AddressCount: wanted - held.length });
  } else if (held.length > wanted) {
    const Ipv6Addresses = held.slice(wanted).map(({ Ipv6Address = "" }) => Ipv6Address);
    await ec2.unassignIpv6Addresses({ NetworkInterfaceId: id, Ipv6Addresses });
  }
}

export const networkInterface: Kind = {
  keys: ["subnetId", "securityGroups", "ipv6AddressCount", "description", "tags"],
  replaceKeys: ["subnetId"],
  create: async (inputs, context) => {
    const { ec2 } = await session(context);
    const { NetworkInterface: made } = await ec2.createNetworkInterface({
      ClientToken: randomUUID(),
      SubnetId: text(inputs.subnetId),
      Groups: texts(inputs.securityGroups),
      Description: text(inputs.description),
      Ipv6AddressCount: number(inputs.ipv6AddressCount),
      TagSpecifications: tagSpecifications("network-interface", tagsOf(inputs)),
    });
    return finish(made?.NetworkInterfaceId ?? "", inputs, context);
  },
  update: async ({ id, inputs: old }, inputs, context) => {
    const { ec2 } = await session(context);
    if (changed(old, inputs, "securityGroups")) {
      const Groups = texts(inputs.securityGroups);
      await ec2.modifyNetworkInterfaceAttribute({ NetworkInterfaceId: id, Groups });
    }
    if (changed(old, inputs, "description")) {
      const Description = { Value: text(inputs.description) ?? "" };
      await ec2.modifyNetworkInterfaceAttribute({ NetworkInterfaceId: id, Description });
    }
    if (changed(old, inputs, "ipv6AddressCount"))
      await countIpv6(id, number(inputs.ipv6AddressCount) ?? 0, context);
    await retag(id, tagsOf(old), tagsOf(inputs), context);
    return outputsOf(id, inputs, context);
  },
  delete: async ({ id }, context) => {
    const { ec2 } = await session(context);
    // a terminated instance lets go of it only after a while
    await waitFor(
      { what: `EC2 Network Interface (${id}) detach`, until: [], through: ["attached"], minutes: 10 },
      context,
      async () => {
        const attachment = (await readInterface(id, context))?.Attachment;
        return attachment?.AttachmentId === undefined || attachment.Status === "detached"
          ? undefined
          : "attached";
      },
    );
    const inUse = (error: unknown) =>
      isCode(error, "InvalidNetworkInterface.InUse", "InvalidParameterValue") &&
      /in use/.test((error as Error).message);
    await unlessGone(() =>
      persisting(3, context, inUse, () => ec2.deleteNetworkInterface({ NetworkInterfaceId: id })),
    );
  },
  read: async ({ id }, context) => ((await readInterface(id, context)) === undefined ? undefined : {}),
  adopt: async (inputs, context) => {
    const { ec2 } = await session(context);
    const found = await foundByTags(inputs, context, "network interfaces", async (Filters) => {
      const { NetworkInterfaces = [] } = await ec2.describeNetworkInterfaces({ Filters });
      return NetworkInterfaces.map(({ NetworkInterfaceId: id = "" }) => ({ id }));
    });
    return found === undefined ? undefined : finish(found.id, inputs, context);
  },
};
