/** Elastic IP addresses and their associations. */
import type { Address } from "@aws-sdk/client-ec2";

import type { Context, Kind } from "../../driver";
import type { Values } from "../../wire";
import { afterCreate } from "../common";
import { foundByTags } from "./adoption";
import { session } from "./client";
import { isCode, unlessGone } from "./errors";
import { retag, tagOutputs, tagsOf, tagSpecifications } from "./tags";
import { text } from "./values";
import { persisting, waitFor } from "./waiting";

async function read(id: string, context: Context): Promise<Address | undefined> {
  const { ec2 } = await session(context);
  const answer = await unlessGone(() => ec2.describeAddresses({ AllocationIds: [id] }));
  return answer?.Addresses?.[0];
}

async function eipOutputs(id: string, inputs: Values, context: Context): Promise<Values> {
  const at = await session(context);
  const { region } = at;
  const address = await read(id, context);
  const publicIp = address?.PublicIp ?? "";
  return {
    ...inputs,
    ...tagOutputs(inputs),
    arn: at.arn(`elastic-ip/${id}`),
    region,
    allocationId: id,
    domain: "vpc",
    publicIp,
    publicDns: `ec2-${publicIp.replaceAll(".", "-")}.${region}.compute.amazonaws.com`,
    publicIpv4Pool: address?.PublicIpv4Pool ?? "amazon",
    networkBorderGroup: address?.NetworkBorderGroup ?? region,
    // by a refresh only, as everything that an association of its own changes
    associationId: "",
    instance: "",
    networkInterface: "",
    privateIp: "",
  };
}

async function finishEip(id: string, inputs: Values, context: Context) {
  return afterCreate(id, inputs, async () => {
    await waitFor(
      { what: `EC2 EIP (${id}) create`, until: ["there"], through: [], minutes: 5 },
      context,
      async () => ((await read(id, context)) === undefined ? undefined : "there"),
    );
    return { id, outputs: await eipOutputs(id, inputs, context) };
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
    return { ...outputs, ...inputs, ...tagOutputs(inputs) };
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
  if (address?.AssociationId === undefined) return undefined;
  const { NetworkInterfaceId, InstanceId } = address;
  const same =
    inputs.networkInterfaceId === undefined
      ? InstanceId === inputs.instanceId
      : NetworkInterfaceId === inputs.networkInterfaceId;
  return same ? address : undefined;
}

function associationOutputs(address: Address, inputs: Values): Values {
  return {
    ...inputs,
    instanceId: address.InstanceId ?? "",
    networkInterfaceId: address.NetworkInterfaceId ?? "",
    privateIpAddress: address.PrivateIpAddress ?? "",
    publicIp: address.PublicIp ?? "",
  };
}

export const eipAssociation: Kind = {
  keys: ["allocationId", "networkInterfaceId", "instanceId"],
  replaceKeys: ["allocationId", "networkInterfaceId", "instanceId"],
  create: async (inputs, context) => {
    const { ec2 } = await session(context);
    const pending = (error: unknown) =>
      isCode(error, "InvalidInstanceID", "IncorrectInstanceState") &&
      (error as Error).message.includes("pending");
    const { AssociationId: id = "" } = await persisting(5, context, pending, () =>
      ec2.associateAddress({
        AllocationId: text(inputs.allocationId),
        NetworkInterfaceId: text(inputs.networkInterfaceId),
        InstanceId: text(inputs.instanceId),
      }),
    );
    return afterCreate(id, inputs, async () => {
      let address: Address | undefined;
      await waitFor(
        { what: `EC2 EIP Association (${id}) create`, until: ["there"], through: [], minutes: 5 },
        context,
        async () => {
          address = await associated(inputs, context);
          return address === undefined ? undefined : "there";
        },
      );
      return { id, outputs: associationOutputs(address ?? {}, inputs) };
    });
  },
  // a create that broke off after the address was associated is all that comes here
  update: async (_state, inputs, context) =>
    associationOutputs((await associated(inputs, context)) ?? {}, inputs),
  delete: async ({ id }, context) => {
    const { ec2 } = await session(context);
    // it may have gone with its interface, or the address have moved on to another
    await unlessGone(() => ec2.disassociateAddress({ AssociationId: id }));
  },
  read: async ({ inputs }, context) => {
    const address = await associated(inputs, context);
    return address && associationOutputs(address, inputs);
  },
  adopt: async (inputs, context) => {
    const address = await associated(inputs, context);
    const id = address?.AssociationId;
    if (address === undefined || id === undefined || context.taken?.includes(id) === true) return undefined;
    return { id, outputs: associationOutputs(address, inputs) };
  },
};
