import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

import { portRange } from "../../bigbluebutton/ports";
import { awsTags } from "./tags";
import type { HostArgs } from "../host";

/** Rule of a security group, for one network of one address family. */
export interface AwsRule {
  /** Name, unique in its group; the end of the resource's name. */
  readonly name: string;
  /**
   * Description. EC2 accepts letters, digits, spaces and `. _ - : / ( ) # , @ [ ] + = & ; { } ! $ *`.
   *
   * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
   */
  readonly description: string;
  /** Protocol; "-1" stands for all. */
  readonly ipProtocol: string;
  /** First port; -1 for all types of ICMP, absent for the protocol "-1". */
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly cidrIpv4?: string;
  readonly cidrIpv6?: string;
}

const ANYWHERE = { ipv4: { cidrIpv4: "0.0.0.0/0" }, ipv6: { cidrIpv6: "::/0" } } as const;

const FAMILIES = ["ipv4", "ipv6"] as const;

/** Inbound rules: the release's port table, SSH from the operator's networks, ICMP. */
export function ingressRules({ ports, sshNetworks }: Pick<HostArgs, "ports" | "sshNetworks">): AwsRule[] {
  const ssh = sshNetworks.map((network) => ({
    name: `ssh-${nameOf(network)}`,
    description: "SSH: networks of the operator only",
    ipProtocol: "tcp",
    fromPort: 22,
    toPort: 22,
    ...cidr(network),
  }));
  const icmp = FAMILIES.map((family) => ({
    name: `icmp-${family}`,
    description: "ICMP: path MTU discovery, ping",
    ipProtocol: family === "ipv4" ? "icmp" : "icmpv6",
    fromPort: -1,
    toPort: -1,
    ...ANYWHERE[family],
  }));
  const table = ports.flatMap((rule) => {
    const name = `${rule.protocol}-${portRange(rule)}`;
    const sources = rule.sources
      ? rule.sources.map((network) => ({ name: `${name}-${nameOf(network)}`, ...cidr(network) }))
      : FAMILIES.map((family) => ({ name: `${name}-${family}`, ...ANYWHERE[family] }));
    return sources.map(({ name, ...source }) => ({
      name,
      description: rule.role,
      ipProtocol: rule.protocol,
      fromPort: rule.from,
      toPort: rule.to,
      ...source,
    }));
  });
  return [...ssh, ...icmp, ...table];
}

/** Part of a resource's name, which must not have the "::" of an IPv6 network. */
function nameOf(network: string): string {
  return network.replace(/[:/]/g, "-");
}

function cidr(network: string): Pick<AwsRule, "cidrIpv4" | "cidrIpv6"> {
  return network.includes(":") ? { cidrIpv6: network } : { cidrIpv4: network };
}

/** Outbound rules: everything is allowed. A new group without rules allows nothing outwards. */
const egressRules: readonly AwsRule[] = FAMILIES.map((family) => ({
  name: `out-${family}`,
  description: "Everything outbound",
  ipProtocol: "-1",
  ...ANYWHERE[family],
}));

/** Security group, whose rules are resources of their own. */
export interface AwsFirewall {
  readonly group: aws.ec2.SecurityGroup;
  readonly rules: readonly pulumi.Resource[];
}

/** Makes a host's security group in a VPC. */
export function awsFirewall(
  name: string,
  args: HostArgs & { readonly vpcId: string },
  opts: pulumi.CustomResourceOptions,
): AwsFirewall {
  const { fqdn, labels } = args;
  const group = new aws.ec2.SecurityGroup(
    name,
    {
      vpcId: args.vpcId,
      // One of another description would be another group.
      description: "Made from the port table of the BigBlueButton deployment",
      tags: awsTags({ name: fqdn, labels }),
    },
    // As the interface stays in its subnet, so does its group in its VPC.
    { ...opts, ignoreChanges: ["vpcId"] },
  );
  const inputs = ({ name: rule, ...rest }: AwsRule) => ({
    ...rest,
    securityGroupId: group.id,
    tags: awsTags({ name: `${fqdn} ${rule}`, labels }),
  });
  return {
    group,
    rules: [
      ...ingressRules(args).map(
        (rule) => new aws.vpc.SecurityGroupIngressRule(`${name}-${rule.name}`, inputs(rule), opts),
      ),
      ...egressRules.map(
        (rule) => new aws.vpc.SecurityGroupEgressRule(`${name}-${rule.name}`, inputs(rule), opts),
      ),
    ],
  };
}
