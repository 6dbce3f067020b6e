/** Security groups, whose rules are resources of their own. */
import type { IpPermission, SecurityGroup, SecurityGroupRule } from "@aws-sdk/client-ec2";

import type { Context, Created, Kind } from "../../driver";
import type { Values } from "../../wire";
import { afterCreate, autoNamed, changed, withoutDefaults } from "../common";
import { assertOurs, foundByTags } from "./adoption";
import { session } from "./client";
import { isCode, unlessGone } from "./errors";
import { retag, tagMap, tagsOf, tagSpecifications } from "./tags";
import { number, text } from "./values";
import { persisting, waitFor } from "./waiting";

async function read(id: string, context: Context): Promise<SecurityGroup | undefined> {
  const { ec2 } = await session(context);
  const answer = await unlessGone(() => ec2.describeSecurityGroups({ GroupIds: [id] }));
  return answer?.SecurityGroups?.[0];
}

/** Removes the rule by which AWS lets a new group's members send to everyone, as the provider does. */
async function finish(id: string, inputs: Values, context: Context): Promise<Created> {
  return afterCreate(id, inputs, async () => {
    const { ec2 } = await session(context);
    let egress: IpPermission[] = [];
    await waitFor(
      { what: `EC2 Security Group (${id}) create`, until: ["there"], through: [], minutes: 10 },
      context,
      async () => {
        const found = await read(id, context);
        egress = found?.IpPermissionsEgress ?? [];
        return found === undefined ? undefined : "there";
      },
    );
    if (egress.length > 0)
      await unlessGone(() => ec2.revokeSecurityGroupEgress({ GroupId: id, IpPermissions: egress }));
    return { id, outputs: withoutDefaults(inputs) };
  });
}

export const securityGroup: Kind = {
  keys: ["name", "description", "vpcId", "tags"],
  replaceKeys: ["name", "description", "vpcId"],
  defaults: autoNamed("name"),
  create: async (inputs, context) => {
    const { ec2 } = await session(context);
    const { GroupId = "" } = await ec2.createSecurityGroup({
      GroupName: text(inputs.name),
      Description: text(inputs.description),
      VpcId: text(inputs.vpcId),
      TagSpecifications: tagSpecifications("security-group", tagsOf(inputs)),
    });
    return finish(GroupId, inputs, context);
  },
  update: async ({ id, inputs: old }, inputs, context) => {
    await retag(id, tagsOf(old), tagsOf(inputs), context);
    return withoutDefaults(inputs);
  },
  delete: async ({ id }, context) => {
    const { ec2 } = await session(context);
    const inUse = (error: unknown) => isCode(error, "DependencyViolation", "InvalidGroup.InUse");
    await unlessGone(() => persisting(10, context, inUse, () => ec2.deleteSecurityGroup({ GroupId: id })));
  },
  read: async ({ id }, context) => ((await read(id, context)) === undefined ? undefined : {}),
  adopt: async (inputs, context) => {
    const { ec2 } = await session(context);
    const { SecurityGroups = [] } = await ec2.describeSecurityGroups({
      Filters: [
        { Name: "group-name", Values: [String(inputs.name)] },
        { Name: "vpc-id", Values: [String(inputs.vpcId)] },
      ],
    });
    const [found] = SecurityGroups;
    if (found?.GroupId === undefined) return undefined;
    const command = `aws ec2 delete-security-group --group-id ${found.GroupId}`;
    assertOurs(tagMap(found.Tags), inputs, `security group "${String(inputs.name)}"`, command);
    return finish(found.GroupId, inputs, context);
  },
};

type Direction = "ingress" | "egress";

async function readRule(id: string, context: Context): Promise<SecurityGroupRule | undefined> {
  const { ec2 } = await session(context);
  const answer = await unlessGone(() => ec2.describeSecurityGroupRules({ SecurityGroupRuleIds: [id] }));
  return answer?.SecurityGroupRules?.[0];
}

function permission(inputs: Values): IpPermission {
  const Description = text(inputs.description);
  const [CidrIp, CidrIpv6] = [text(inputs.cidrIpv4), text(inputs.cidrIpv6)];
  return {
    IpProtocol: text(inputs.ipProtocol),
    FromPort: number(inputs.fromPort),
    ToPort: number(inputs.toPort),
    IpRanges: CidrIp === undefined ? undefined : [{ CidrIp, Description }],
    Ipv6Ranges: CidrIpv6 === undefined ? undefined : [{ CidrIpv6, Description }],
  };
}

function rule(direction: Direction): Kind {
  return {
    keys: [
      ...["securityGroupId", "ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "description"],
      "tags",
    ],
    replaceKeys: ["securityGroupId"],
    create: async (inputs, context) => {
      const { ec2 } = await session(context);
      const request = {
        GroupId: text(inputs.securityGroupId),
        IpPermissions: [permission(inputs)],
        TagSpecifications: tagSpecifications("security-group-rule", tagsOf(inputs)),
      };
      const { SecurityGroupRules = [] } =
        direction === "ingress"
          ? await ec2.authorizeSecurityGroupIngress(request)
          : await ec2.authorizeSecurityGroupEgress(request);
      const id = SecurityGroupRules[0]?.SecurityGroupRuleId ?? "";
      return { id, outputs: inputs };
    },
    update: async ({ id, inputs: old }, inputs, context) => {
      const { ec2 } = await session(context);
      const keys = ["ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "description"];
      if (changed(old, inputs, ...keys)) {
        await ec2.modifySecurityGroupRules({
          GroupId: text(inputs.securityGroupId),
          SecurityGroupRules: [
            {
              SecurityGroupRuleId: id,
              SecurityGroupRule: {
                IpProtocol: text(inputs.ipProtocol),
                FromPort: number(inputs.fromPort),
                ToPort: number(inputs.toPort),
                CidrIpv4: text(inputs.cidrIpv4),
                CidrIpv6: text(inputs.cidrIpv6),
                Description: text(inputs.description),
              },
            },
          ],
        });
      }
      await retag(id, tagsOf(old), tagsOf(inputs), context);
      return inputs;
    },
    delete: async ({ id, inputs }, context) => {
      const { ec2 } = await session(context);
      const request = { GroupId: text(inputs.securityGroupId), SecurityGroupRuleIds: [id] };
      await unlessGone(async () => {
        if ((await readRule(id, context)) === undefined) return;
        if (direction === "ingress") await ec2.revokeSecurityGroupIngress(request);
        else await ec2.revokeSecurityGroupEgress(request);
      });
    },
    read: async ({ id }, context) => ((await readRule(id, context)) === undefined ? undefined : {}),
    adopt: async (inputs, context) => {
      const { ec2 } = await session(context);
      const found = await foundByTags(inputs, context, "security group rules", async (filters) => {
        const group = { Name: "group-id", Values: [String(inputs.securityGroupId)] };
        const { SecurityGroupRules = [] } = await ec2.describeSecurityGroupRules({
          Filters: [...filters, group],
        });
        return SecurityGroupRules.filter(({ IsEgress }) => IsEgress === (direction === "egress"))
          .filter((held) => sameTraffic(held, inputs))
          .map(({ SecurityGroupRuleId: id = "" }) => ({ id }));
      });
      return found && { id: found.id, outputs: inputs };
    },
  };
}

/** True when a rule allows what the inputs ask for; AWS calls all ports of a protocol -1, or leaves them out. */
function sameTraffic(held: SecurityGroupRule, inputs: Values): boolean {
  const port = (value: unknown) => (value === undefined || value === null ? -1 : value);
  return (
    held.IpProtocol === inputs.ipProtocol &&
    port(held.FromPort) === port(inputs.fromPort) &&
    port(held.ToPort) === port(inputs.toPort) &&
    (held.CidrIpv4 ?? "") === (inputs.cidrIpv4 ?? "") &&
    (held.CidrIpv6 ?? "") === (inputs.cidrIpv6 ?? "")
  );
}

export const ingressRule = rule("ingress");
export const egressRule = rule("egress");
