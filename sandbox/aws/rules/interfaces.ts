import ipaddr from "ipaddr.js";

import { listParam, withParams, type Call } from "../call";
import { alter, describe, forward, type Cloud } from "../cloud";
import { AwsError, notEmulated } from "../errors";
import { readAddresses, readGroups, readInterfaces, type Interface } from "../view";
import { items, text } from "../xml";
import { idempotently } from "./answers";
import type { Rule } from "./rule";

interface Subnet {
  readonly cidr: string;
  readonly ipv6Cidr?: string;
}

/**
 * Creates an interface. moto accepts any security group, chooses an address of the subnet at random, and ignores a
 * count of IPv6 addresses.
 */
const create: Rule = (cloud, call) =>
  idempotently(cloud, call, async () => {
    await checkGroups(cloud, listParam(call.params, "SecurityGroupId"));
    const subnet = await readSubnet(cloud, call.params.SubnetId ?? "");
    const interfaces = await readInterfaces(cloud);
    const number = ++cloud.store.state.nextInterface;
    const wanted = Number(call.params.Ipv6AddressCount ?? "0");
    return forward(
      cloud,
      withParams(call, {
        ...ipv6Params(subnet, number, wanted),
        Ipv6AddressCount: undefined,
        PrivateIpAddress: choosePrivate(subnet, call.params.PrivateIpAddress, interfaces),
      }),
    );
  });

async function readSubnet(cloud: Cloud, id: string): Promise<Subnet> {
  const [subnet] = items((await describe(cloud, "DescribeSubnets", { "SubnetId.1": id })).subnetSet);
  const [association] = items(subnet?.ipv6CidrBlockAssociationSet);
  return { cidr: text(subnet?.cidrBlock), ipv6Cidr: text(association?.ipv6CidrBlock) || undefined };
}

/** Refuses unknown security groups; moto would make them. */
async function checkGroups(cloud: Cloud, ids: readonly string[]): Promise<void> {
  const groups = await readGroups(cloud);
  const missing = ids.find((id) => !groups.some((group) => group.id === id));
  if (missing !== undefined)
    throw new AwsError("InvalidGroup.NotFound", `The security group '${missing}' does not exist`);
}

/**
 * Chooses a free address from .10 of the subnet's second /24 on. EC2 keeps the first four, and 172.31.1.1 is the
 * sandbox's gateway.
 */
function choosePrivate(
  { cidr }: Subnet,
  wanted: string | undefined,
  interfaces: readonly Interface[],
): string {
  const taken = interfaces.map(({ privateIpv4 }) => privateIpv4);
  if (wanted !== undefined) {
    if (!ipaddr.parse(wanted).match(ipaddr.parseCIDR(cidr)))
      throw new AwsError(
        "InvalidParameterValue",
        `Address ${wanted} does not fall within the subnet's address range`,
      );
    if (taken.includes(wanted)) throw new AwsError("InvalidIPAddress.InUse", `Address ${wanted} is in use.`);
    return wanted;
  }
  const [a, b, c] = ipaddr.IPv4.networkAddressFromCIDR(cidr).octets as [number, number, number];
  for (let last = 10; last < 250; last += 1) {
    const address = `${a}.${b}.${c + 2}.${last}`;
    if (!taken.includes(address)) return address;
  }
  throw new AwsError(
    "InsufficientFreeAddressesInSubnet",
    "There are not enough free addresses in the subnet.",
  );
}

function ipv6Params(subnet: Subnet, number: number, count: number): Record<string, string> {
  if (count === 0) return {};
  if (subnet.ipv6Cidr === undefined)
    throw new AwsError(
      "InvalidParameterValue",
      "The subnet does not have an IPv6 CIDR block associated with it.",
    );
  const network = subnet.ipv6Cidr.replace(/::\/64$/, "");
  return Object.fromEntries(
    Array.from({ length: count }, (_none, index) => [
      `Ipv6Addresses.${index + 1}.Ipv6Address`,
      `${network}::${number.toString(16)}:${(index + 10).toString(16)}`,
    ]),
  );
}

async function find(cloud: Cloud, { params }: Call): Promise<Interface | undefined> {
  return (await readInterfaces(cloud)).find(({ id }) => id === params.NetworkInterfaceId);
}

/** Deletes an interface. moto deletes one that is in use, and leaves its address with the deleted one. */
const remove: Rule = async (cloud, call) => {
  const found = await find(cloud, call);
  if (found?.attachment)
    throw new AwsError("InvalidParameterValue", `Network interface '${found.id}' is currently in use.`);
  const address = (await readAddresses(cloud)).find(({ interfaceId }) => interfaceId === found?.id);
  if (address) await alter(cloud, "DisassociateAddress", { AssociationId: address.associationId });
  return forward(cloud, call);
};

const detach: Rule = async (cloud, call) => {
  const attached = (await readInterfaces(cloud)).find(
    ({ attachment }) => attachment?.id === call.params.AttachmentId,
  );
  if (attached?.attachment?.deviceIndex === 0) {
    throw new AwsError(
      "OperationNotPermitted",
      "The network interface at device index 0 and networkCard index 0 cannot be detached.",
    );
  }
  return forward(cloud, call);
};

/** Assigns IPv6 addresses. moto's choice is at random, and fails in a subnet without IPv6. */
const assignIpv6: Rule = async (cloud, call) => {
  const count = Number(call.params.Ipv6AddressCount ?? "0");
  const found = await find(cloud, call);
  if (count === 0 || !found) return forward(cloud, call);
  const subnet = await readSubnet(cloud, found.subnetId);
  const chosen = ipv6Params(subnet, ++cloud.store.state.nextInterface, count);
  const listed = Object.fromEntries(
    Object.entries(chosen).map(([name, value]) => [name.replace(".Ipv6Address", ""), value]),
  );
  return forward(cloud, withParams(call, { ...listed, Ipv6AddressCount: undefined }));
};

const modify: Rule = async (cloud, call) => {
  await checkGroups(cloud, listParam(call.params, "SecurityGroupId"));
  return forward(cloud, call);
};

/** Network interfaces, one per host. */
export const interfaceRules: Readonly<Record<string, Rule>> = {
  "ec2:CreateNetworkInterface": create,
  "ec2:DeleteNetworkInterface": remove,
  "ec2:AttachNetworkInterface": () => Promise.reject(notEmulated("second network interfaces of an instance")),
  "ec2:DetachNetworkInterface": detach,
  "ec2:AssignIpv6Addresses": assignIpv6,
  "ec2:ModifyNetworkInterfaceAttribute": modify,
};
