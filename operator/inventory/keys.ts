/** Keys that match resources of a stack's state with objects at a cloud. */
import type { StackResource } from "../stacks";
import type { CloudObject, ObjectType } from ".";

const TYPES: Readonly<Record<string, ObjectType>> = {
  "hcloud:index/server:Server": "server",
  "hcloud:index/primaryIp:PrimaryIp": "address",
  "hcloud:index/firewall:Firewall": "firewall",
  "hcloud:index/placementGroup:PlacementGroup": "placement-group",
  "hcloud:index/volume:Volume": "volume",
  "hcloud:index/storageBox:StorageBox": "storage-box",
  "hcloud:index/sshKey:SshKey": "ssh-key",
  "hcloud:index/zoneRrset:ZoneRrset": "record-set",
  "aws:ec2/instance:Instance": "server",
  "aws:ec2/eip:Eip": "address",
  "aws:ec2/networkInterface:NetworkInterface": "network-interface",
  "aws:ec2/securityGroup:SecurityGroup": "firewall",
  "aws:ec2/placementGroup:PlacementGroup": "placement-group",
  "aws:ec2/keyPair:KeyPair": "ssh-key",
  "aws:ebs/volume:Volume": "volume",
  "aws:dlm/lifecyclePolicy:LifecyclePolicy": "snapshot-policy",
  "aws:iam/role:Role": "role",
};

/** Unique key of an object. */
export function cloudObjectKey({ cloud, type, id }: Pick<CloudObject, "cloud" | "type" | "id">): string {
  return `${cloud} ${type} ${id}`;
}

/**
 * Cloud and type of the objects that resources of a type stand for; undefined for types that an inventory doesn't list.
 */
export function typeOf(resourceType: string): Pick<CloudObject, "cloud" | "type"> | undefined {
  const type = TYPES[resourceType];
  return type && { cloud: resourceType.startsWith("hcloud:") ? "hetzner" : "aws", type };
}

/** {@link cloudObjectKey} of a resource; undefined for a type that an inventory doesn't list. */
export function keyOf({
  type,
  id,
  inputs,
}: Pick<StackResource, "type" | "id" | "inputs">): string | undefined {
  const known = typeOf(type);
  if (known === undefined || id === undefined || id === "") return undefined;
  // The provider's id of a record set lacks its zone.
  const full = type === "hcloud:index/zoneRrset:ZoneRrset" ? `${String(inputs.zone)}/${id}` : id;
  return cloudObjectKey({ ...known, id: full });
}
