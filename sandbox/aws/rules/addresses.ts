import { withParams, type Call } from "../call";
import { alter, forward, type Cloud } from "../cloud";
import { AwsError, notEmulated } from "../errors";
import type { State } from "../state";
import { readAddresses, readInstance, readInterfaces, type Address } from "../view";
import { primaryOf } from "../reconcile";
import { ec2Answer } from "./answers";
import type { Rule } from "./rule";

/** Last number of the first Elastic IP: they are 203.0.113.200 to .249; those below are Hetzner's. */
const FIRST = 200;
const COUNT = 50;

/** Hands out an address of the documentation range; moto's are of the loopback. */
const allocate: Rule = async (cloud, call) => {
  if (call.params.Address !== undefined) throw notEmulated("addresses of one's own choice");
  const taken = (await readAddresses(cloud)).map(({ ipv4 }) => ipv4);
  return forward(cloud, withParams(call, { Address: takeAddress(cloud.store.state, taken) }));
};

/** Returns the next free address, so that a new one is not the one just released. */
function takeAddress(state: State, taken: readonly string[]): string {
  for (let step = 0; step < COUNT; step += 1) {
    const address = `203.0.113.${FIRST + ((state.nextAddress + step) % COUNT)}`;
    if (taken.includes(address)) continue;
    state.nextAddress = (state.nextAddress + step + 1) % COUNT;
    return address;
  }
  throw new AwsError("AddressLimitExceeded", "The maximum number of addresses has been reached.");
}

/** Refuses to release an address in use; moto would. */
const release: Rule = async (cloud, call) => {
  const address = (await readAddresses(cloud)).find(
    ({ allocationId }) => allocationId === call.params.AllocationId,
  );
  if (address && address.associationId !== "")
    throw new AwsError("InvalidIPAddress.InUse", `The address ${address.ipv4} is in use.`);
  return forward(cloud, call);
};

/**
 * Associates an address. moto leaves a re-associated address with its former interface, makes a new association of an
 * existing one, and lets an interface have two addresses.
 */
const associate: Rule = async (cloud, call) => {
  const { params } = call;
  const interfaces = await readInterfaces(cloud);
  const addresses = await readAddresses(cloud);
  const target = await targetInterface(cloud, call, interfaces);
  const address = addresses.find(
    ({ allocationId, ipv4 }) => allocationId === params.AllocationId || ipv4 === params.PublicIp,
  );
  if (!address || target === undefined) return forward(cloud, call);
  if (address.interfaceId === target) {
    return ec2Answer(call, { return: "true", associationId: address.associationId });
  }
  const before = addresses.find(({ interfaceId }) => interfaceId === target);
  if (params.AllowReassociation === "false") refuseReassociation(address, before, target);
  for (const held of [address, before]) {
    if (held && held.associationId !== "")
      await alter(cloud, "DisassociateAddress", { AssociationId: held.associationId });
  }
  return forward(cloud, call);
};

async function targetInterface(
  cloud: Cloud,
  { params }: Call,
  interfaces: Awaited<ReturnType<typeof readInterfaces>>,
): Promise<string | undefined> {
  if (params.NetworkInterfaceId !== undefined) {
    const id = params.NetworkInterfaceId;
    if (!interfaces.some((other) => other.id === id))
      throw new AwsError(
        "InvalidNetworkInterfaceID.NotFound",
        `The networkInterface ID '${id}' does not exist`,
      );
    return id;
  }
  const id = params.InstanceId;
  if (id === undefined) return undefined;
  const instance = await readInstance(cloud, id);
  if (cloud.store.state.instances[id]?.state === "pending") {
    throw new AwsError(
      "InvalidInstanceID",
      `The pending instance '${id}' is not in a valid state for this operation.`,
    );
  }
  return primaryOf(instance, interfaces)?.id;
}

function refuseReassociation(address: Address, before: Address | undefined, target: string): void {
  if (address.associationId !== "") {
    throw new AwsError(
      "Resource.AlreadyAssociated",
      `resource ${address.allocationId} is already associated with associate-id ${address.associationId}`,
    );
  }
  if (before) {
    throw new AwsError(
      "Resource.AlreadyAssociated",
      `resource ${target} is already associated with associate-id ${before.associationId}`,
    );
  }
}

const reverseDns: Rule = () => Promise.reject(notEmulated("reverse DNS of Elastic IPs"));

/** Elastic IPs. */
export const addressRules: Readonly<Record<string, Rule>> = {
  "ec2:AllocateAddress": allocate,
  "ec2:ReleaseAddress": release,
  "ec2:AssociateAddress": associate,
  "ec2:ModifyAddressAttribute": reverseDns,
  "ec2:ResetAddressAttribute": reverseDns,
};
