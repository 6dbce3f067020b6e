import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateNetworkInterfaceCommand,
  CreateSecurityGroupCommand,
  CreateVolumeCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  ImportKeyPairCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
  type Instance,
  type NetworkInterface,
  type RunInstancesCommandInput,
  type Subnet,
  type Volume,
} from "@aws-sdk/client-ec2";

import { eventually, publicKey, type Account } from "./harness";

/** Steps of a deployment, in the order of the program's resources. */

export async function subnets(account: Account): Promise<Subnet[]> {
  return (await account.clients.ec2.send(new DescribeSubnetsCommand())).Subnets ?? [];
}

/** Default subnet of a zone; only the first zone's has IPv6. */
export async function subnetOf(account: Account, zone = "eu-central-1a"): Promise<Subnet> {
  const found = (await subnets(account)).find(
    ({ AvailabilityZone, DefaultForAz }) => AvailabilityZone === zone && DefaultForAz,
  );
  if (!found) throw new Error(`no default subnet in ${zone}`);
  return found;
}

let number = 0;
const unique = (name: string): string => `${name}-${++number}`;

export async function makeGroup(account: Account): Promise<string> {
  const { VpcId } = await subnetOf(account);
  const order = { VpcId, GroupName: unique("firewall"), Description: "a firewall" };
  const { GroupId } = await account.clients.ec2.send(new CreateSecurityGroupCommand(order));
  return GroupId!;
}

export async function openPort(
  account: Account,
  group: string,
  port: number,
  cidr = "0.0.0.0/0",
): Promise<void> {
  const range = cidr.includes(":") ? { Ipv6Ranges: [{ CidrIpv6: cidr }] } : { IpRanges: [{ CidrIp: cidr }] };
  await account.clients.ec2.send(
    new AuthorizeSecurityGroupIngressCommand({
      GroupId: group,
      IpPermissions: [{ IpProtocol: "tcp", FromPort: port, ToPort: port, ...range }],
    }),
  );
}

export async function makeInterface(
  account: Account,
  more: { groups?: string[]; zone?: string; ipv6?: number } = {},
): Promise<NetworkInterface> {
  const { SubnetId } = await subnetOf(account, more.zone);
  const { NetworkInterface: made } = await account.clients.ec2.send(
    new CreateNetworkInterfaceCommand({ SubnetId, Groups: more.groups, Ipv6AddressCount: more.ipv6 }),
  );
  return made!;
}

/** Makes an Elastic IP, on the interface if one is given. */
export async function makeAddress(
  account: Account,
  interfaceId?: string,
): Promise<{ id: string; ipv4: string; association?: string }> {
  const { AllocationId, PublicIp } = await account.clients.ec2.send(
    new AllocateAddressCommand({ Domain: "vpc" }),
  );
  if (interfaceId === undefined) return { id: AllocationId!, ipv4: PublicIp! };
  const { AssociationId } = await account.clients.ec2.send(
    new AssociateAddressCommand({ AllocationId, NetworkInterfaceId: interfaceId }),
  );
  return { id: AllocationId!, ipv4: PublicIp!, association: AssociationId };
}

export async function imageOf(account: Account, name: string): Promise<string> {
  const { Images } = await account.clients.ec2.send(
    new DescribeImagesCommand({ Owners: ["099720109477"], Filters: [{ Name: "name", Values: [name] }] }),
  );
  return Images!.sort((one, other) => (one.Name! < other.Name! ? 1 : -1))[0]!.ImageId!;
}

export const NOBLE = "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*";
export const JAMMY = "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*";

/** Order of an instance with an existing interface, as the real provider sends it. */
export async function orderFor(
  account: Account,
  interfaceId: string,
  more: Partial<RunInstancesCommandInput> = {},
): Promise<RunInstancesCommandInput> {
  return {
    ImageId: await imageOf(account, NOBLE),
    InstanceType: "c7i.2xlarge",
    MinCount: 1,
    MaxCount: 1,
    KeyName: await keyName(account),
    NetworkInterfaces: [{ NetworkInterfaceId: interfaceId, DeviceIndex: 0, DeleteOnTermination: false }],
    ClientToken: unique("token"),
    ...more,
  };
}

/** Name of an existing key pair. */
async function keyName(account: Account): Promise<string> {
  const KeyName = unique("operator");
  const PublicKeyMaterial = Buffer.from(`${publicKey} operator`);
  await account.clients.ec2.send(new ImportKeyPairCommand({ KeyName, PublicKeyMaterial }));
  return KeyName;
}

export async function run(
  account: Account,
  interfaceId: string,
  more: Partial<RunInstancesCommandInput> = {},
): Promise<Instance> {
  const order = await orderFor(account, interfaceId, more);
  const { Instances } = await account.clients.ec2.send(new RunInstancesCommand(order));
  return Instances![0]!;
}

export async function describeInstance(account: Account, id: string): Promise<Instance> {
  const { Reservations } = await account.clients.ec2.send(
    new DescribeInstancesCommand({ InstanceIds: [id] }),
  );
  return Reservations![0]!.Instances![0]!;
}

/** Resolves with the instance once it is in that state. */
export function inState(account: Account, id: string, state: string): Promise<Instance> {
  return eventually(async () => {
    const instance = await describeInstance(account, id);
    return instance.State?.Name === state && instance;
  });
}

/** Makes a running instance with an interface and an Elastic IP of its own. */
export async function makeInstance(
  account: Account,
  more: Partial<RunInstancesCommandInput> = {},
): Promise<{ id: string; interfaceId: string; ipv4: string; addressId: string; group: string }> {
  const group = await makeGroup(account);
  const made = await makeInterface(account, { groups: [group], ipv6: 1 });
  const address = await makeAddress(account, made.NetworkInterfaceId);
  const { InstanceId: id } = await run(account, made.NetworkInterfaceId!, more);
  await inState(account, id!, "running");
  return { id: id!, interfaceId: made.NetworkInterfaceId!, ipv4: address.ipv4, addressId: address.id, group };
}

export async function terminate(account: Account, id: string): Promise<void> {
  await account.clients.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  await inState(account, id, "terminated");
}

export async function makeVolume(account: Account, zone = "eu-central-1a"): Promise<Volume> {
  return account.clients.ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: zone, Size: 10, VolumeType: "gp3", Encrypted: true }),
  );
}

export async function describeVolume(account: Account, id: string): Promise<Volume> {
  const { Volumes } = await account.clients.ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }));
  return Volumes![0]!;
}
