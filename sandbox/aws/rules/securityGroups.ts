import { forward } from "../cloud";
import { AwsError } from "../errors";
import { readGroups, readInterfaces, type Group } from "../view";
import type { Rule } from "./rule";

/** Deletes a group; moto deletes one that is in use. */
const remove: Rule = async (cloud, call) => {
  const groups = await readGroups(cloud);
  const { GroupId: wanted, GroupName: name } = call.params;
  const group = groups.find((other) => other.id === wanted || (wanted === undefined && other.name === name));
  if (!group) return forward(cloud, call);
  if (group.name === "default") {
    throw new AwsError(
      "CannotDelete",
      `the specified group: "${group.id}" name: "default" cannot be deleted by a user`,
    );
  }
  const interfaces = await readInterfaces(cloud);
  const used =
    interfaces.some((other) => other.groups.some(({ id }) => id === group.id)) ||
    groups.some((other) => other.id !== group.id && refersTo(other, group.id));
  if (used) throw new AwsError("DependencyViolation", `resource ${group.id} has a dependent object`);
  return forward(cloud, call);
};

function refersTo({ inbound, outbound }: Group, id: string): boolean {
  return [...inbound, ...outbound].some(({ groups }) => groups.includes(id));
}

export const securityGroupRules: Readonly<Record<string, Rule>> = { "ec2:DeleteSecurityGroup": remove };
