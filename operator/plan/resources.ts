import type { PlannedResource } from "./program";

/** Purpose of resources: one of the hosts, or both. */
export type Purpose = "bbb" | "turn" | "balancer" | "both";

/** Resources of one kind for one purpose. */
export interface ResourceGroup {
  readonly purpose: Purpose;
  /** Type as `pulumi up` shows it, e.g. "hcloud:index:Server"; "bbb:index" for the components. */
  readonly type: string;
  /** Name in the words of the docs. */
  readonly what: string;
  readonly count: number;
  /** Number of resources that can't be deleted in Pulumi, and at the cloud. */
  readonly protectedInPulumi: number;
  readonly protectedAtCloud: number;
  readonly names: readonly string[];
}

const WORDS: Readonly<Record<string, string>> = {
  "hcloud:index:Server": "server",
  "hcloud:index:PrimaryIp": "address",
  "hcloud:index:Rdns": "reverse DNS",
  "hcloud:index:Firewall": "firewall",
  "hcloud:index:Volume": "recordings volume",
  "hcloud:index:VolumeAttachment": "its attachment",
  "hcloud:index:StorageBox": "storage box for backups",
  "hcloud:index:ZoneRrset": "DNS record",
  "hcloud:index:PlacementGroup": "placement group (spread)",
  "hcloud:index:SshKey": "SSH key",
  "aws:ec2:Instance": "server",
  "aws:ec2:Eip": "address",
  "aws:ec2:EipAssociation": "its association",
  "aws:ec2:NetworkInterface": "network interface",
  "aws:ec2:SecurityGroup": "firewall",
  "aws:vpc:SecurityGroupIngressRule": "firewall rule, in",
  "aws:vpc:SecurityGroupEgressRule": "firewall rule, out",
  "aws:ebs:Volume": "recordings volume",
  "aws:ec2:VolumeAttachment": "its attachment",
  "aws:ec2:PlacementGroup": "placement group (spread)",
  "aws:ec2:KeyPair": "SSH key",
  "aws:iam:Role": "role for snapshots",
  "aws:iam:RolePolicyAttachment": "its policy",
  "aws:dlm:LifecyclePolicy": "daily snapshots",
  "aws:route53:Record": "DNS record",
  "command:remote:Command": "step over SSH",
  "command:remote:CopyToRemote": "file over SSH",
  "tls:index:PrivateKey": "SSH key pair",
  "random:index:RandomPassword": "secret",
  "pulumi:providers:aws": "region and account",
  "bbb:index": "component",
};

const ORDER: readonly Purpose[] = ["bbb", "turn", "balancer", "both"];

/** Names of the purposes. */
export const purposeNames: Readonly<Record<Purpose, string>> = {
  bbb: "BigBlueButton",
  turn: "TURN",
  balancer: "balancer",
  both: "both",
};

/** Groups all resources by purpose and kind, in the order of {@link WORDS}; the program's order is random. */
export function groupResources(resources: readonly PlannedResource[]): ResourceGroup[] {
  const groups = new Map<string, PlannedResource[]>();
  for (const resource of resources) {
    const key = `${purposeOf(resource)} ${shortType(resource)}`;
    groups.set(key, [...(groups.get(key) ?? []), resource]);
  }
  const rank = ({ purpose, type }: ResourceGroup) =>
    ORDER.indexOf(purpose) * 1000 + (Object.keys(WORDS).indexOf(type) + 1 || 999);
  return [...groups.values()].map(groupOf).sort((a, b) => rank(a) - rank(b));
}

function groupOf(group: readonly PlannedResource[]): ResourceGroup {
  const [first] = group as readonly [PlannedResource];
  const type = shortType(first);
  return {
    purpose: purposeOf(first),
    type,
    what: WORDS[type] ?? type,
    count: group.length,
    protectedInPulumi: group.filter(({ protect }) => protect).length,
    protectedAtCloud: group.filter(isProtectedAtCloud).length,
    names: group.map(({ name }) => name).sort(),
  };
}

/** Purpose of a resource, by the components' names for their children. */
export function purposeOf({ name }: PlannedResource): Purpose {
  const [, role] = /^(bbb|turn|balancer)(-|$)/.exec(name) ?? [];
  return (role as Purpose | undefined) ?? "both";
}

/** Type in the CLI's form: "hcloud:index/server:Server" → "hcloud:index:Server". */
function shortType({ type }: PlannedResource): string {
  return type.startsWith("bbb:") ? "bbb:index" : type.replace(/\/[^:]*/, "");
}

function isProtectedAtCloud({ inputs }: PlannedResource): boolean {
  return inputs.deleteProtection === true || inputs.disableApiTermination === true;
}
