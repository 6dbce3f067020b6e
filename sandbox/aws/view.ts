/** moto's state as plain values, for the rules' checks and for the machine. */
import { describe, type Cloud } from "./cloud";
import { child, items, text, texts, type Node } from "./xml";

export interface Instance {
  readonly id: string;
  /** moto's state; in-between ones are in {@link State.instances}. */
  readonly state: string;
  readonly imageId: string;
  readonly instanceType: string;
  readonly keyName: string;
  readonly availabilityZone: string;
  readonly rootDeviceName: string;
  readonly privateDnsName: string;
  readonly metadata: { readonly tokens: string; readonly endpoint: string; readonly hopLimit: number };
  readonly blockDevices: readonly { readonly device: string; readonly volumeId: string }[];
}

export interface Interface {
  readonly id: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly availabilityZone: string;
  readonly mac: string;
  readonly privateIpv4: string;
  readonly publicIpv4?: string;
  readonly ipv6: readonly string[];
  readonly groups: readonly { readonly id: string; readonly name: string }[];
  readonly attachment?: { readonly id: string; readonly instanceId: string; readonly deviceIndex: number };
}

export interface Address {
  readonly allocationId: string;
  readonly ipv4: string;
  readonly associationId: string;
  readonly interfaceId: string;
}

export interface Permission {
  readonly protocol: string;
  readonly from: string;
  readonly to: string;
  readonly cidrs: readonly string[];
  /** Security groups that stand for their members' private addresses. */
  readonly groups: readonly string[];
}

export interface Group {
  readonly id: string;
  readonly name: string;
  readonly vpcId: string;
  readonly inbound: readonly Permission[];
  readonly outbound: readonly Permission[];
}

export interface Volume {
  readonly id: string;
  readonly sizeGb: number;
  readonly encrypted: boolean;
  readonly availabilityZone: string;
  readonly attachment?: { readonly instanceId: string; readonly device: string };
}

type Source = Pick<Cloud, "journal">;

/** All instances except terminated ones, which moto keeps for ever. */
export async function readInstances(cloud: Source): Promise<Instance[]> {
  const states = ["pending", "running", "shutting-down", "stopping", "stopped"];
  const filter = Object.fromEntries(states.map((state, index) => [`Filter.1.Value.${index + 1}`, state]));
  const order = { MaxResults: "1000", "Filter.1.Name": "instance-state-name", ...filter };
  return toInstances(await describe(cloud, "DescribeInstances", order));
}

/** The instance of an id, terminated or not. @throws InvalidInstanceID.NotFound */
export async function readInstance(cloud: Source, id: string): Promise<Instance> {
  return toInstances(await describe(cloud, "DescribeInstances", { "InstanceId.1": id }))[0]!;
}

function toInstances(answer: Node): Instance[] {
  return items(answer.reservationSet).flatMap(({ instancesSet }) => items(instancesSet).map(toInstance));
}

function toInstance(node: Node): Instance {
  const metadata = child(node.metadataOptions);
  return {
    id: text(node.instanceId),
    state: text(child(node.instanceState).name),
    imageId: text(node.imageId),
    instanceType: text(node.instanceType),
    keyName: text(node.keyName),
    availabilityZone: text(child(node.placement).availabilityZone),
    rootDeviceName: text(node.rootDeviceName),
    privateDnsName: text(node.privateDnsName),
    metadata: {
      tokens: text(metadata.httpTokens),
      endpoint: text(metadata.httpEndpoint),
      hopLimit: Number(text(metadata.httpPutResponseHopLimit)) || 1,
    },
    blockDevices: items(node.blockDeviceMapping).map((mapping) => ({
      device: text(mapping.deviceName),
      volumeId: text(child(mapping.ebs).volumeId),
    })),
  };
}

export async function readInterfaces(cloud: Source): Promise<Interface[]> {
  return items((await describe(cloud, "DescribeNetworkInterfaces")).networkInterfaceSet).map(toInterface);
}

function toInterface(node: Node): Interface {
  const attachment = child(node.attachment);
  const attached = text(attachment.instanceId) !== "";
  return {
    id: text(node.networkInterfaceId),
    subnetId: text(node.subnetId),
    vpcId: text(node.vpcId),
    availabilityZone: text(node.availabilityZone),
    mac: text(node.macAddress),
    privateIpv4: text(node.privateIpAddress),
    publicIpv4: text(child(node.association).publicIp) || undefined,
    ipv6: items(node.ipv6AddressesSet).map((address) => text(address.ipv6Address)),
    groups: items(node.groupSet).map((group) => ({ id: text(group.groupId), name: text(group.groupName) })),
    ...(attached && {
      attachment: {
        id: text(attachment.attachmentId),
        instanceId: text(attachment.instanceId),
        deviceIndex: Number(text(attachment.deviceIndex)),
      },
    }),
  };
}

export async function readAddresses(cloud: Source): Promise<Address[]> {
  return items((await describe(cloud, "DescribeAddresses")).addressesSet).map((node) => ({
    allocationId: text(node.allocationId),
    ipv4: text(node.publicIp),
    associationId: text(node.associationId),
    interfaceId: text(node.networkInterfaceId),
  }));
}

export async function readGroups(cloud: Source): Promise<Group[]> {
  return items((await describe(cloud, "DescribeSecurityGroups")).securityGroupInfo).map((node) => ({
    id: text(node.groupId),
    name: text(node.groupName),
    vpcId: text(node.vpcId),
    inbound: items(node.ipPermissions).map(toPermission),
    outbound: items(node.ipPermissionsEgress).map(toPermission),
  }));
}

function toPermission(node: Node): Permission {
  return {
    protocol: text(node.ipProtocol),
    from: text(node.fromPort),
    to: text(node.toPort),
    cidrs: [
      ...items(node.ipRanges).map((range) => text(range.cidrIp)),
      ...items(node.ipv6Ranges).map((range) => text(range.cidrIpv6)),
    ].filter(Boolean),
    groups: items(node.groups).map((group) => text(group.groupId)),
  };
}

export async function readVolumes(cloud: Source): Promise<Volume[]> {
  return items((await describe(cloud, "DescribeVolumes")).volumeSet).map((node) => {
    const [attachment] = items(node.attachmentSet);
    return {
      id: text(node.volumeId),
      sizeGb: Number(text(node.size)),
      encrypted: text(node.encrypted) === "true",
      availabilityZone: text(node.availabilityZone),
      ...(attachment && {
        attachment: { instanceId: text(attachment.instanceId), device: text(attachment.device) },
      }),
    };
  });
}

/** Root volume of an instance. @throws for an instance without one */
export function rootOf({ id, rootDeviceName }: Instance, volumes: readonly Volume[]): Volume {
  const root = volumes.find(
    ({ attachment }) => attachment?.instanceId === id && attachment.device === rootDeviceName,
  );
  if (!root) throw new Error(`instance ${id} has no root volume`);
  return root;
}

export interface InstanceType {
  readonly cores: number;
  readonly memoryGb: number;
  readonly architectures: readonly string[];
}

const types = new Map<string, InstanceType>();

/** Properties of an instance type, which never change. @throws InvalidInstanceType */
export async function readType(cloud: Source, name: string): Promise<InstanceType> {
  const known = types.get(name);
  if (known) return known;
  const answer = await describe(cloud, "DescribeInstanceTypes", { "InstanceType.1": name });
  const [type] = items(answer.instanceTypeSet);
  const read = {
    cores: Number(text(child(type?.vCpuInfo).defaultVCpus)),
    memoryGb: Number(text(child(type?.memoryInfo).sizeInMiB)) / 1024,
    architectures: texts(child(type?.processorInfo).supportedArchitectures),
  };
  types.set(name, read);
  return read;
}
