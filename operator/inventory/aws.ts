/** Objects with our tags in an AWS account, in one region. Loaded only for stacks at AWS. */
import { setTimeout as sleep } from "node:timers/promises";

import {
  DeleteLifecyclePolicyCommand,
  DLMClient,
  GetLifecyclePoliciesCommand,
  type LifecyclePolicySummary,
} from "@aws-sdk/client-dlm";
import {
  DeleteKeyPairCommand,
  DeleteNetworkInterfaceCommand,
  DeletePlacementGroupCommand,
  DeleteSecurityGroupCommand,
  DeleteVolumeCommand,
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  DescribeNetworkInterfacesCommand,
  DescribePlacementGroupsCommand,
  DescribeVolumesCommand,
  DisassociateAddressCommand,
  EC2Client,
  paginateDescribeInstances,
  paginateDescribeNetworkInterfaces,
  paginateDescribeSecurityGroups,
  paginateDescribeVolumes,
  ReleaseAddressCommand,
  TerminateInstancesCommand,
  type Instance,
  type IpPermission,
  type NetworkInterface,
} from "@aws-sdk/client-ec2";
import {
  DeleteRoleCommand,
  DetachRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRoleTagsCommand,
  paginateListRoles,
} from "@aws-sdk/client-iam";

import { Failure, Mistake } from "../../cli/mistake";
import type { CloudObject, InboundRule, Inventory, ObjectType } from ".";
import { removeInOrder } from "./removal";

/**
 * Order of deletion: an instance holds interface, address and volume; an interface its security group; a policy its
 * role.
 */
const ORDER: readonly (readonly ObjectType[])[] = [
  ["server", "snapshot-policy"],
  ["address"],
  ["network-interface", "volume"],
  ["firewall", "placement-group", "ssh-key", "role"],
];

/** Prefix of the names of the program's roles for snapshots; AWS tells the tags of only one role at a time. */
const ROLE_PREFIX = "snapshots-role";

/** Codes for an object that is held by something about to end. */
const PASSING = [
  "DependencyViolation",
  "InvalidNetworkInterface.InUse",
  "InvalidParameterValue",
  "InvalidPlacementGroup.InUse",
  "VolumeInUse",
  "IncorrectState",
  "DeleteConflict",
  "RequestLimitExceeded",
];
const TRIES = 60;

/** @param pauseSeconds Pause between two looks at objects that are being deleted. */
export function awsInventory(region: string, pauseSeconds = 5): Inventory {
  const ec2 = new EC2Client({ region });
  const dlm = new DLMClient({ region });
  const iam = new IAMClient({ region });

  return {
    cloud: "aws",
    region,
    list: async (project) => {
      try {
        return await list(project);
      } catch (error) {
        throw withoutCredentials(error as Error);
      }
    },
    remove: (objects) => {
      const ended = new Set<string>();
      return removeInOrder(objects, ORDER, async (object) => {
        await remove(object, ended);
        if (object.type === "server") ended.add(object.id);
      });
    },
  };

  async function list(project: string): Promise<CloudObject[]> {
    const Filters = [{ Name: "tag:project", Values: [project] }];
    const interfaces = describeInterfaces(Filters);
    const found = await Promise.all([
      listInstances(Filters),
      listAddresses(Filters),
      listInterfaces(interfaces),
      listVolumes(Filters),
      listGroups(Filters, interfaces),
      listPlacementGroups(Filters),
      listKeyPairs(Filters),
      listPolicies(project),
      listRoles(),
    ]);
    const disks = await rootDisks(Filters);
    return found
      .flat()
      .filter(({ type, id, labels }) => labels.project === project && !(type === "volume" && disks.has(id)))
      .map((object) => ({ ...object, region }));
  }

  async function listInstances(Filters: Filter[]): Promise<CloudObject[]> {
    return (await instances(Filters)).map(({ InstanceId: id = "", Tags, State, LaunchTime }) => ({
      ...common("server", id, Tags, LaunchTime),
      status: State?.Name,
      server: id,
    }));
  }

  async function instances(Filters: Filter[]): Promise<Instance[]> {
    const pages = await all(paginateDescribeInstances({ client: ec2 }, { Filters }));
    return pages
      .flatMap(({ Reservations = [] }) => Reservations.flatMap(({ Instances = [] }) => Instances))
      .filter(({ State }) => State?.Name !== "terminated");
  }

  /** Ids of disks that are parts of their instances, and are deleted with them. */
  async function rootDisks(Filters: Filter[]): Promise<Set<string>> {
    const mappings = (await instances(Filters)).flatMap(({ RootDeviceName, BlockDeviceMappings = [] }) =>
      BlockDeviceMappings.filter(({ DeviceName }) => DeviceName === RootDeviceName),
    );
    return new Set(mappings.flatMap(({ Ebs }) => Ebs?.VolumeId ?? []));
  }

  async function listAddresses(Filters: Filter[]): Promise<CloudObject[]> {
    const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({ Filters }));
    return Addresses.map(({ AllocationId = "", Tags, InstanceId }) => ({
      ...common("address", AllocationId, Tags),
      server: InstanceId || undefined,
    }));
  }

  async function describeInterfaces(Filters: Filter[]): Promise<NetworkInterface[]> {
    const pages = await all(paginateDescribeNetworkInterfaces({ client: ec2 }, { Filters }));
    return pages.flatMap(({ NetworkInterfaces = [] }) => NetworkInterfaces);
  }

  async function listInterfaces(interfaces: Promise<readonly NetworkInterface[]>): Promise<CloudObject[]> {
    return (await interfaces).map(({ NetworkInterfaceId = "", TagSet, Attachment }) => ({
      ...common("network-interface", NetworkInterfaceId, TagSet),
      server: Attachment?.InstanceId,
    }));
  }

  async function listVolumes(Filters: Filter[]): Promise<CloudObject[]> {
    const pages = await all(paginateDescribeVolumes({ client: ec2 }, { Filters }));
    return pages
      .flatMap(({ Volumes = [] }) => Volumes)
      .map(({ VolumeId = "", Tags, CreateTime, Attachments }) => ({
        ...common("volume", VolumeId, Tags, CreateTime),
        server: Attachments?.[0]?.InstanceId,
      }));
  }

  async function listGroups(
    Filters: Filter[],
    interfaces: Promise<readonly NetworkInterface[]>,
  ): Promise<CloudObject[]> {
    const pages = await all(paginateDescribeSecurityGroups({ client: ec2 }, { Filters }));
    const behind = await interfaces;
    return pages
      .flatMap(({ SecurityGroups = [] }) => SecurityGroups)
      .map(({ GroupId = "", Tags, IpPermissions = [] }) => ({
        ...common("firewall", GroupId, Tags),
        appliedTo: behind
          .filter(({ Groups = [] }) => Groups.some((group) => group.GroupId === GroupId))
          .flatMap(({ Attachment }) => Attachment?.InstanceId ?? []),
        inbound: IpPermissions.map(inboundRule),
      }));
  }

  async function listPlacementGroups(Filters: Filter[]): Promise<CloudObject[]> {
    const { PlacementGroups = [] } = await ec2.send(new DescribePlacementGroupsCommand({ Filters }));
    return PlacementGroups.map(({ GroupName = "", Tags }) => common("placement-group", GroupName, Tags));
  }

  async function listKeyPairs(Filters: Filter[]): Promise<CloudObject[]> {
    const { KeyPairs = [] } = await ec2.send(new DescribeKeyPairsCommand({ Filters }));
    return KeyPairs.map(({ KeyName = "", Tags, CreateTime }) => common("ssh-key", KeyName, Tags, CreateTime));
  }

  async function listPolicies(project: string): Promise<CloudObject[]> {
    const { Policies = [] } = await dlm.send(new GetLifecyclePoliciesCommand({}));
    return Policies.filter(({ Tags }) => Tags?.project === project).map(
      ({ PolicyId = "", Description = "", State, Tags = {} }: LifecyclePolicySummary) => ({
        ...common("snapshot-policy", PolicyId, entries(Tags)),
        name: Description,
        status: State?.toLowerCase(),
      }),
    );
  }

  async function listRoles(): Promise<CloudObject[]> {
    const pages = await all(paginateListRoles({ client: iam }, {}));
    const roles = pages
      .flatMap(({ Roles = [] }) => Roles)
      .filter(({ RoleName = "" }) => RoleName.startsWith(ROLE_PREFIX));
    return Promise.all(
      roles.map(async ({ RoleName = "", CreateDate }) => {
        const { Tags } = await iam.send(new ListRoleTagsCommand({ RoleName }));
        return { ...common("role", RoleName, Tags, CreateDate), name: RoleName };
      }),
    );
  }

  async function remove(object: CloudObject, ended: ReadonlySet<string>): Promise<void> {
    for (let tried = 1; ; tried++) {
      try {
        return await removeOnce(object, ended);
      } catch (error) {
        if (error instanceof Failure) throw error;
        const { name, message } = error as Error;
        if (/NotFound|NoSuchEntity|InvalidPlacementGroup.Unknown/.test(name)) return;
        if (!PASSING.includes(name) || tried >= TRIES)
          throw new Error(`${message} (${name})`, { cause: error });
        await sleep(pauseSeconds * 1000);
      }
    }
  }

  async function removeOnce({ type, id }: CloudObject, ended: ReadonlySet<string>): Promise<void> {
    switch (type) {
      case "server":
        await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
        return terminated(id);
      case "address":
        return releaseAddress(id, ended);
      case "network-interface":
        return void (await ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id })));
      case "volume":
        return deleteVolume(id, ended);
      case "firewall":
        return void (await ec2.send(new DeleteSecurityGroupCommand({ GroupId: id })));
      case "placement-group":
        return void (await ec2.send(new DeletePlacementGroupCommand({ GroupName: id })));
      case "ssh-key":
        return void (await ec2.send(new DeleteKeyPairCommand({ KeyName: id })));
      case "snapshot-policy":
        return void (await dlm.send(new DeleteLifecyclePolicyCommand({ PolicyId: id })));
      case "role":
        return deleteRole(id);
      default:
        throw new Error(`a ${type} at AWS can't be removed from here`);
    }
  }

  async function terminated(id: string): Promise<void> {
    for (let poll = 0; poll < TRIES * 2; poll++) {
      const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
      if (Reservations[0]?.Instances?.[0]?.State?.Name === "terminated") return;
      await sleep(pauseSeconds * 1000);
    }
    throw new Error(`instance ${id} does not end`);
  }

  async function releaseAddress(id: string, ended: ReadonlySet<string>): Promise<void> {
    const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({ AllocationIds: [id] }));
    const { AssociationId, InstanceId, NetworkInterfaceId } = Addresses[0] ?? {};
    assertEnded(InstanceId || (NetworkInterfaceId && (await instanceWith(NetworkInterfaceId))), ended);
    if (AssociationId) await ec2.send(new DisassociateAddressCommand({ AssociationId }));
    await ec2.send(new ReleaseAddressCommand({ AllocationId: id }));
  }

  async function instanceWith(interfaceId: string): Promise<string | undefined> {
    const order = new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [interfaceId] });
    return (await ec2.send(order)).NetworkInterfaces?.[0]?.Attachment?.InstanceId;
  }

  async function deleteVolume(id: string, ended: ReadonlySet<string>): Promise<void> {
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }));
    for (const { InstanceId } of Volumes[0]?.Attachments ?? []) assertEnded(InstanceId, ended);
    await ec2.send(new DeleteVolumeCommand({ VolumeId: id }));
  }

  async function deleteRole(RoleName: string): Promise<void> {
    const { AttachedPolicies = [] } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
    for (const { PolicyArn } of AttachedPolicies) {
      await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
    }
    await iam.send(new DeleteRoleCommand({ RoleName }));
  }
}

interface Filter {
  readonly Name: string;
  readonly Values: string[];
}

type Tags = readonly { readonly Key?: string; readonly Value?: string }[];

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(page);
  return found;
}

function entries(tags: Readonly<Record<string, string>>): Tags {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

function common(type: ObjectType, id: string, tags: Tags = [], created?: Date): CloudObject {
  const labels = Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
  return { cloud: "aws", type, id, name: labels.Name ?? id, labels, created, protected: false };
}

/** Refuses to take an object from an instance that stays. */
function assertEnded(instance: string | undefined, ended: ReadonlySet<string>): void {
  if (instance && !ended.has(instance)) throw new Failure(`server ${instance} has it, which stays`);
}

const PROTOCOLS: Readonly<Record<string, InboundRule["protocol"]>> = {
  tcp: "tcp",
  udp: "udp",
  icmp: "icmp",
  icmpv6: "icmpv6",
  "58": "icmpv6",
};

function inboundRule({
  IpProtocol = "",
  FromPort,
  ToPort,
  IpRanges = [],
  Ipv6Ranges = [],
}: IpPermission): InboundRule {
  const protocol = PROTOCOLS[IpProtocol] ?? (IpProtocol as InboundRule["protocol"]);
  const sources = [
    ...IpRanges.map(({ CidrIp = "" }) => CidrIp),
    ...Ipv6Ranges.map(({ CidrIpv6 = "" }) => CidrIpv6),
  ];
  if (protocol !== "tcp" && protocol !== "udp") return { protocol, sources };
  return { protocol, port: FromPort === ToPort ? `${FromPort}` : `${FromPort}-${ToPort}`, sources };
}

function withoutCredentials(error: Error): Error {
  const missing = [
    "CredentialsProviderError",
    "AuthFailure",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
  ];
  if (!missing.includes(error.name)) return error;
  return new Mistake(
    `AWS does not take the credentials (${error.message}): set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    { cause: error },
  );
}
