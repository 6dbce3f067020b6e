import { listParam, type Call } from "../call";
import { forward, type Cloud } from "../cloud";
import { AwsError, notEmulated } from "../errors";
import type { PlacementGroup } from "../state";
import { readInstance } from "../view";
import { ec2Answer } from "./answers";
import type { Rule } from "./rule";

/** Spread placement groups, which moto lacks. */

/** Most running instances in an availability zone of a group. */
const RUNNING = 7;

const create: Rule = (cloud, call) => {
  const { GroupName: name = "", Strategy: strategy } = call.params;
  const { state } = cloud.store;
  if (strategy !== "spread") throw notEmulated(`placement groups of the strategy ${strategy ?? "cluster"}`);
  if (name === "") throw new AwsError("MissingParameter", "The request must contain the parameter groupName");
  if (state.placementGroups[name])
    throw new AwsError("InvalidPlacementGroup.Duplicate", `The placement group '${name}' already exists.`);
  const id = `pg-${String(state.nextPlacementGroup++).padStart(17, "0")}`;
  const tags = tagsOf(call, "TagSpecification.1.Tag");
  return Promise.resolve(
    ec2Answer(call, { placementGroup: node((state.placementGroups[name] = { id, name, tags })) }),
  );
};

const list: Rule = (cloud, call) => {
  const groups = Object.values(cloud.store.state.placementGroups);
  const names = listParam(call.params, "GroupName");
  const missing = names.find((name) => !groups.some((group) => group.name === name));
  if (missing !== undefined) throw unknown(missing);
  const found = groups.filter(
    (group) => (names.length === 0 || names.includes(group.name)) && hasTags(group, call),
  );
  return Promise.resolve(ec2Answer(call, { placementGroupSet: { item: found.map(node) } }));
};

const remove: Rule = (cloud, call) => {
  const { GroupName: name = "" } = call.params;
  const { state } = cloud.store;
  if (!state.placementGroups[name]) throw unknown(name);
  if (membersOf(cloud, name).length > 0) {
    throw new AwsError(
      "InvalidPlacementGroup.InUse",
      `The placement group ${name} is in use and may not be deleted.`,
    );
  }
  Reflect.deleteProperty(state.placementGroups, name);
  return Promise.resolve(ec2Answer(call, { return: "true" }));
};

/** Changes a group's tags; those of anything else are moto's. */
function tagging(change: (group: PlacementGroup, tags: Readonly<Record<string, string>>) => void): Rule {
  return (cloud, call) => {
    const [id = ""] = listParam(call.params, "ResourceId");
    const group = Object.values(cloud.store.state.placementGroups).find((one) => one.id === id);
    if (!group) return forward(cloud, call);
    change(group, tagsOf(call, "Tag"));
    return Promise.resolve(ec2Answer(call, { return: "true" }));
  };
}

/**
 * Refuses a group that does not exist, or that is full in the zone. The code of the latter is not known: no client looks at
 * it.
 */
export async function assertRoomInGroup(cloud: Cloud, name: string, zone: string): Promise<void> {
  if (!cloud.store.state.placementGroups[name]) throw unknown(name);
  const running = membersOf(cloud, name).filter(
    ([, { state }]) => state === "pending" || state === "running",
  );
  const zones = await Promise.all(running.map(([id]) => readInstance(cloud, id)));
  if (zones.filter(({ availabilityZone }) => availabilityZone === zone).length < RUNNING) return;
  throw new AwsError(
    "InsufficientInstanceCapacity",
    `The placement group ${name} has ${RUNNING} running instances in ${zone}, the most that a spread group can have there.`,
  );
}

function membersOf(cloud: Cloud, name: string) {
  return Object.entries(cloud.store.state.instances).filter(
    ([, { placementGroup, state }]) => placementGroup === name && state !== "terminated",
  );
}

function unknown(name: string): AwsError {
  return new AwsError("InvalidPlacementGroup.Unknown", `The Placement Group '${name}' is unknown.`);
}

function node({ id, name, tags }: PlacementGroup) {
  return {
    groupId: id,
    groupName: name,
    state: "available",
    strategy: "spread",
    spreadLevel: "rack",
    tagSet: { item: Object.entries(tags).map(([key, value]) => ({ key, value })) },
  };
}

function tagsOf({ params }: Call, prefix: string): Record<string, string> {
  const tags: Record<string, string> = {};
  for (let index = 1; params[`${prefix}.${index}.Key`] !== undefined; index += 1)
    tags[params[`${prefix}.${index}.Key`]!] = params[`${prefix}.${index}.Value`] ?? "";
  return tags;
}

/** True for a group with all tags that the call's filters name. */
function hasTags({ tags }: PlacementGroup, { params }: Call): boolean {
  for (let index = 1; params[`Filter.${index}.Name`] !== undefined; index += 1) {
    const name = params[`Filter.${index}.Name`]!;
    if (!name.startsWith("tag:")) throw notEmulated(`filtering placement groups by ${name}`);
    const value = tags[name.slice("tag:".length)];
    if (value === undefined || !listParam(params, `Filter.${index}.Value`).includes(value)) return false;
  }
  return true;
}

export const placementGroupRules: Readonly<Record<string, Rule>> = {
  "ec2:CreatePlacementGroup": create,
  "ec2:DescribePlacementGroups": list,
  "ec2:DeletePlacementGroup": remove,
  "ec2:CreateTags": tagging((group, tags) => (group.tags = { ...group.tags, ...tags })),
  "ec2:DeleteTags": tagging((group, tags) => {
    group.tags = Object.fromEntries(Object.entries(group.tags).filter(([key]) => !(key in tags)));
  }),
};
