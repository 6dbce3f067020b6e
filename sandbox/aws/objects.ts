import { describe, queryCall, readAnswer, type Cloud } from "./cloud";
import { readRecordSets, readZones } from "./records";
import { child, items, text, type Node } from "./xml";

/** Object of the account, as GET /_objects lists it. */
export interface AccountObject {
  /** instance, volume, network-interface, elastic-ip … */
  readonly type: string;
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** EC2's lists: type, action, path to the list, the id's element. */
const LISTS = [
  ["volume", "DescribeVolumes", "volumeSet", "volumeId"],
  ["network-interface", "DescribeNetworkInterfaces", "networkInterfaceSet", "networkInterfaceId"],
  ["elastic-ip", "DescribeAddresses", "addressesSet", "allocationId"],
  ["security-group", "DescribeSecurityGroups", "securityGroupInfo", "groupId"],
  ["key-pair", "DescribeKeyPairs", "keySet", "keyPairId"],
  ["snapshot", "DescribeSnapshots", "snapshotSet", "snapshotId"],
  ["vpc", "DescribeVpcs", "vpcSet", "vpcId"],
  ["subnet", "DescribeSubnets", "subnetSet", "subnetId"],
  ["route-table", "DescribeRouteTables", "routeTableSet", "routeTableId"],
  ["internet-gateway", "DescribeInternetGateways", "internetGatewaySet", "internetGatewayId"],
] as const;

/** Lists everything except what the account had before any deployment. */
export async function listObjects(cloud: Cloud): Promise<AccountObject[]> {
  const { seeded } = cloud.store.state;
  return (await listAll(cloud)).filter(({ id }) => !seeded.includes(id));
}

/** Records all existing objects as those from before any deployment. */
export async function noteSeeded(cloud: Cloud): Promise<void> {
  cloud.store.state.seeded = (await listAll(cloud)).map(({ id }) => id);
}

async function listAll(cloud: Cloud): Promise<AccountObject[]> {
  const found: AccountObject[] = [];
  for (const [type, action, list, id] of LISTS) {
    for (const node of items((await describe(cloud, action))[list])) {
      // moto lists the snapshots that images are made of as one's own.
      if (type === "snapshot" && text(node.description).startsWith("Auto-created snapshot for AMI")) continue;
      found.push({ type, id: text(node[id]), tags: ec2Tags(node) });
    }
  }
  for (const node of items((await describe(cloud, "DescribeImages", { "Owner.1": "self" })).imagesSet))
    found.push({ type: "image", id: text(node.imageId), tags: ec2Tags(node) });
  const { reservationSet } = await describe(cloud, "DescribeInstances");
  for (const instance of items(reservationSet).flatMap(({ instancesSet }) => items(instancesSet))) {
    const id = text(instance.instanceId);
    if (cloud.store.state.instances[id]?.state === "terminated") continue;
    found.push({ type: "instance", id, tags: ec2Tags(instance) });
  }
  for (const role of await listRoles(cloud)) {
    found.push({ type: "iam-role", id: role, tags: {} });
    for (const policy of await listAttached(cloud, role))
      found.push({ type: "iam-role-policy", id: `${role} ${policy}`, tags: {} });
  }
  for (const { id, tags } of Object.values(cloud.store.state.policies))
    found.push({ type: "lifecycle-policy", id, tags });
  for (const zone of await readZones(cloud)) {
    found.push({ type: "hosted-zone", id: zone.id, tags: {} });
    for (const set of await readRecordSets(cloud, zone.id))
      found.push({ type: "record-set", id: `${set.name} ${set.type}`, tags: {} });
  }
  return found;
}

function ec2Tags(node: Node): Record<string, string> {
  return Object.fromEntries(items(node.tagSet).map(({ key, value }) => [text(key), text(value)]));
}

async function iam(cloud: Cloud, action: string, params: Record<string, string> = {}): Promise<Node> {
  const answer = await cloud.journal.read(queryCall("iam", "2010-05-08", action, params));
  return child(readAnswer(answer, action)[`${action}Result`]);
}

async function listRoles(cloud: Cloud): Promise<string[]> {
  return items((await iam(cloud, "ListRoles")).Roles, "member").map(({ RoleName }) => text(RoleName));
}

async function listAttached(cloud: Cloud, role: string): Promise<string[]> {
  const { AttachedPolicies } = await iam(cloud, "ListAttachedRolePolicies", { RoleName: role });
  return items(AttachedPolicies, "member").map(({ PolicyName }) => text(PolicyName));
}
