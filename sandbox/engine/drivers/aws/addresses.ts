/** Elastic IP addresses and their associations. */
import type { Address } from "@aws-sdk/client-ec2";

import type { Context, Kind } from "../../driver";
import type { Values } from "../../wire";
import { afterCreate } from "../common";
import { foundByTags } from "./adoption";
import { session } from "./client";
import { isCode, unlessGone } from "./errors";
import { retag, tagsOf, tagSpecifications } from "./tags";
import { text } from "./values";
import { persisting, waitFor } from "./waiting";

async function read(id: string, context: Context): Promise<Address | undefined> {
  const { ec2 } = await session(context);
  const answer = await unlessGone(() => ec2.describeAddresses({ AllocationIds: [id] }));
  return answer?.Addresses?.[0];
}

async function finishEip(id: string, inputs: Values, context: Context) {
  return afterCreate(id, inputs, async () => {
    let publicIp: string | undefined;
    await waitFor(
      { what: `EC2 EIP (${id}) create`, until: ["there"], through: [], minutes: 5 },
      context,
      async () => {
        publicIp = (await read(id, context))?.PublicIp;
        return publicIp === undefined ? undefined : "there";
      },
    );
    return { id, outputs: { ...inputs, allocationId: id, publicIp: publicIp ?? "" } };
  });
}

export const eip: Kind = {
  keys: ["domain", "tags"],
  replaceKeys: ["domain"],
  create: async (inputs, context) => {
    const { ec2 } = await session(context);
    const { AllocationId = "" } = await ec2.allocateAddress({
      Domain: "vpc",
      TagSpecifications: tagSpecifications("elastic-ip", tagsOf(inputs)),
    });
    return finishEip(AllocationId, inputs, context);
  },
  update: async ({ id, inputs: old, outputs }, inputs, context) => {
    await retag(id, tagsOf(old), tagsOf(inputs), context);
    return { ...outputs, ...inputs };
  },
  delete: async ({ id }, context) => {
    const { ec2 } = await session(context);
    const inUse = (error: unknown) => isCode(error, "InvalidIPAddress.InUse", "AuthFailure");
    await unlessGone(() => persisting(3, context, inUse, () => ec2.releaseAddress({ AllocationId: id })));
  },
  read: async ({ id }, context) => ((await read(id, context)) === undefined ? undefined : {}),
  adopt: async (inputs, context) => {
    const { ec2 } = await session(context);
    const found = await foundByTags(inputs, context, "elastic IPs", async (Filters) => {
      const { Addresses = [] } = await ec2.describeAddresses({ Filters });
      return Addresses.map(({ AllocationId: id = "" }) => ({ id }));
    });
    return found === undefined ? undefined : finishEip(found.id, inputs, context);
  },
};

async function associated(inputs: Values, context: Context): Promise<Address | undefined> {
  const address = await read(String(inputs.allocationId), context);
  const isThis =
    address?.AssociationId !== undefined && address.NetworkInterfaceId === inputs.networkInterfaceId;
  return isThis ? address : undefined;
}

export const eipAssociation: Kind = {
  keys: ["allocationId", "networkInterfaceId"],
  replaceKeys: ["allocationId", "networkInterfaceId"],
  create: async (inputs, context) => {
    const { ec2 } = await session(context);
    const pending = (error: unknown) =>
      isCode(error, "InvalidInstanceID", "IncorrectInstanceState") &&
      (error as Error).message.includes("pending");
    const { AssociationId: id = "" } = await persisting(5, context, pending, () =>
      ec2.associateAddress({
        AllocationId: text(inputs.allocationId),
        NetworkInterfaceId: text(inputs.networkInterfaceId),
      }),
    );
    return afterCreate(id, inputs, async () => {
      await waitFor(
        { what: `EC2 EIP Association (${id}) create`, until: ["there"], through: [], minutes: 5 },
        context,
        async () => ((await associated(inputs, context)) === undefined ? undefined : "there"),
      );
      return { id, outputs: inputs };
    });
  },
  // a create that broke off after the address was associated is all that comes here
  update: async (_state, inputs) => inputs,
  delete: async ({ id }, context) => {
    const { ec2 } = await session(context);
    // it may have gone with its interface, or the address have moved on to another
    await unlessGone(() => ec2.disassociateAddress({ AssociationId: id }));
  },
  read: async ({ inputs }, context) => ((await associated(inputs, context)) === undefined ? undefined : {}),
  adopt: async (inputs, context) => {
    const id = (await associated(inputs, context))?.AssociationId;
    return id === undefined || context.taken?.includes(id) === true ? undefined : { id, outputs: inputs };
  },
};
