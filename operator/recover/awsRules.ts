/** Security group rules of a killed update, found by their tags. Loaded only for stacks at AWS. */
import { EC2Client, paginateDescribeSecurityGroupRules, type SecurityGroupRule } from "@aws-sdk/client-ec2";

import { nameOf } from "../../cli/pulumiEvents";
import { Failure } from "../../cli/mistake";
import type { PendingOperation } from "./state";

const RULE = /^aws:vpc\/securityGroup(In|E)gressRule:SecurityGroup(In|E)gressRule$/;

/** Ids of rules by URN. @throws Failure for a rule with several candidates */
export async function findRules(
  region: string,
  pending: readonly PendingOperation[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const rules = pending.filter(({ type, resource }) => type === "creating" && RULE.test(resource.type));
  if (rules.length === 0) return found;
  const client = new EC2Client({ region });
  for (const { resource } of rules) {
    const { urn, type, inputs = {} } = resource;
    const Filters = [
      { Name: "group-id", Values: [String(inputs.securityGroupId)] },
      ...Object.entries((inputs.tags ?? {}) as Record<string, string>).map(([key, value]) => ({
        Name: `tag:${key}`,
        Values: [value],
      })),
    ];
    const held: SecurityGroupRule[] = [];
    for await (const page of paginateDescribeSecurityGroupRules({ client }, { Filters })) {
      held.push(...(page.SecurityGroupRules ?? []));
    }
    const same = held.filter(
      (rule) => rule.IsEgress === type.includes("Egress") && letsThrough(rule, inputs),
    );
    if (same.length > 1)
      throw new Failure(`${same.length} rules could be ${nameOf(urn)}: remove all but one of them`);
    if (same[0]?.SecurityGroupRuleId) found.set(urn, same[0].SecurityGroupRuleId);
  }
  return found;
}

/** True when the rule allows what the inputs ask for; AWS calls all ports of a protocol -1, or leaves them out. */
function letsThrough(rule: SecurityGroupRule, inputs: Readonly<Record<string, unknown>>): boolean {
  const port = (value: unknown) => Number(value ?? -1);
  return (
    rule.IpProtocol === String(inputs.ipProtocol) &&
    port(rule.FromPort) === port(inputs.fromPort) &&
    port(rule.ToPort) === port(inputs.toPort) &&
    (rule.CidrIpv4 ?? "") === String(inputs.cidrIpv4 ?? "") &&
    (rule.CidrIpv6 ?? "") === String(inputs.cidrIpv6 ?? "")
  );
}
