import ipaddr from "ipaddr.js";

import type { CloudName, InboundRule, ObjectType } from "../inventory";
import type { StackResource } from "../stacks";

/** Object at a cloud that a resource of a stack's state stands for, in the inventory's words. */
export interface Expected {
  readonly cloud: CloudName;
  readonly type: ObjectType;
  /** Id by the provider. */
  readonly id: string;
  /** Logical name, e.g. "bbb-host-server". */
  readonly name: string;
  readonly resource: StackResource;
}

/**
 * Types of the resources that are listed at clouds. DNS records are not among them: name servers are asked for these.
 */
const TYPES: Readonly<Record<string, readonly [CloudName, ObjectType]>> = {
  "hcloud:index/server:Server": ["hetzner", "server"],
  "hcloud:index/primaryIp:PrimaryIp": ["hetzner", "address"],
  "hcloud:index/firewall:Firewall": ["hetzner", "firewall"],
  "hcloud:index/placementGroup:PlacementGroup": ["hetzner", "placement-group"],
  "hcloud:index/volume:Volume": ["hetzner", "volume"],
  "hcloud:index/storageBox:StorageBox": ["hetzner", "storage-box"],
  "hcloud:index/sshKey:SshKey": ["hetzner", "ssh-key"],
  "aws:ec2/instance:Instance": ["aws", "server"],
  "aws:ec2/eip:Eip": ["aws", "address"],
  "aws:ec2/networkInterface:NetworkInterface": ["aws", "network-interface"],
  "aws:ec2/securityGroup:SecurityGroup": ["aws", "firewall"],
  "aws:ebs/volume:Volume": ["aws", "volume"],
  "aws:ec2/placementGroup:PlacementGroup": ["aws", "placement-group"],
  "aws:ec2/keyPair:KeyPair": ["aws", "ssh-key"],
};

/** Objects that must exist at the clouds, by a stack's state. */
export function expectedObjects(resources: readonly StackResource[]): Expected[] {
  return resources.flatMap((resource) => {
    const known = TYPES[resource.type];
    if (known === undefined || resource.id === undefined) return [];
    const [cloud, type] = known;
    return [{ cloud, type, id: resource.id, name: resource.name, resource }];
  });
}

/** Servers that volumes are attached to, by the volume's id: the stack's volumes and an adopted one. */
export function expectedAttachments(resources: readonly StackResource[]): ReadonlyMap<string, string> {
  const attachments = resources.filter(({ type }) => type.endsWith(":VolumeAttachment"));
  return new Map(
    attachments.map(({ inputs }) => [String(inputs.volumeId), String(inputs.serverId ?? inputs.instanceId)]),
  );
}

/** Inbound rules of a firewall of the state, a line for each rule and network: "443/tcp from 0.0.0.0/0". */
export function expectedInbound(firewall: Expected, resources: readonly StackResource[]): string[] {
  return inboundLines(inboundRules(firewall, resources));
}

/** Networks from which the stack's firewalls allow SSH. */
export function sshNetworks(resources: readonly StackResource[]): string[] {
  const rules = expectedObjects(resources)
    .filter(({ type }) => type === "firewall")
    .flatMap((firewall) => inboundRules(firewall, resources));
  return rules.filter(({ port }) => port === "22").flatMap(({ sources }) => sources);
}

function inboundRules(firewall: Expected, resources: readonly StackResource[]): InboundRule[] {
  return firewall.cloud === "hetzner" ? hetznerRules(firewall.resource) : awsRules(firewall, resources);
}

function hetznerRules({ inputs }: StackResource): InboundRule[] {
  const rules = inputs.rules as readonly Readonly<Record<string, unknown>>[];
  return rules
    .filter(({ direction }) => direction === "in")
    .map(({ protocol, port, sourceIps }) => ({
      protocol: protocol as InboundRule["protocol"],
      ...(typeof port === "string" ? { port } : {}),
      sources: sourceIps as readonly string[],
    }));
}

/** Inbound rules at AWS, where each is a resource for one network. */
function awsRules(firewall: Expected, resources: readonly StackResource[]): InboundRule[] {
  return resources
    .filter(({ type }) => type === "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    .filter(({ inputs }) => inputs.securityGroupId === firewall.id)
    .map(({ inputs: { ipProtocol, fromPort, toPort, cidrIpv4, cidrIpv6 } }) => ({
      protocol: ipProtocol as InboundRule["protocol"],
      ...(Number(fromPort) >= 0
        ? { port: fromPort === toPort ? String(fromPort) : `${String(fromPort)}-${String(toPort)}` }
        : {}),
      sources: [String(cidrIpv4 ?? cidrIpv6)],
    }));
}

/** Rules as sorted lines that can be compared: neither their order nor the grouping of networks matters. */
export function inboundLines(rules: readonly InboundRule[]): string[] {
  const lines = rules.flatMap(({ protocol, port, sources }) =>
    sources.map((source) => `${port === undefined ? "" : `${port}/`}${protocol} from ${canonical(source)}`),
  );
  return [...new Set(lines)].sort();
}

function canonical(network: string): string {
  if (!ipaddr.isValidCIDR(network)) return network;
  const [address, bits] = ipaddr.parseCIDR(network);
  return `${address.toString()}/${bits}`;
}
