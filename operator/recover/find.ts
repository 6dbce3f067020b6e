/** Search for the object that an interrupted create may have made. Decides; calls nothing. */
import type { CloudObject } from "../inventory";
import { cloudObjectKey, keyOf, typeOf } from "../inventory/keys";
import { Failure } from "../../cli/mistake";
import { nameOf } from "../../cli/pulumiEvents";
import type { StateResource } from "./state";

/**
 * Finds the object of a create.
 * @param objects Objects with this stack's labels.
 * @param taken Keys of the objects of the state's resources.
 * @returns the provider's id for it; undefined when it was not made
 * @throws Failure for several candidates
 */
export function idOf(
  resource: StateResource,
  objects: readonly CloudObject[],
  taken: ReadonlySet<string>,
): string | undefined {
  const { type, inputs = {} } = resource;
  switch (type) {
    case "hcloud:index/volumeAttachment:VolumeAttachment":
      return objects.find(
        (object) =>
          object.type === "volume" &&
          object.id === String(inputs.volumeId) &&
          object.server === String(inputs.serverId),
      )?.id;
    case "hcloud:index/zoneRrset:ZoneRrset": {
      const id = `${String(inputs.name)}/${String(inputs.type)}`;
      return objects.some((object) => object.id === `${String(inputs.zone)}/${id}`) ? id : undefined;
    }
    // Records of Route 53 bear no tags: what its id names is read, and kept if it says what was asked for.
    case "aws:route53/record:Record":
      return [inputs.zoneId, inputs.name, inputs.type].map(String).join("_");
  }
  const wanted = typeOf(type);
  if (wanted === undefined) return undefined;
  const found = objects.filter(
    (object) =>
      wanted.cloud === object.cloud &&
      wanted.type === object.type &&
      !taken.has(cloudObjectKey(object)) &&
      isAskedFor(object, inputs),
  );
  if (found.length > 1) {
    throw new Failure(
      `${found.length} of ${wanted.type} could be ${nameOf(resource.urn)} (${found.map(({ id }) => id).join(", ")}): ` +
        `remove those that are not in use at the cloud, then run this again`,
    );
  }
  return found[0]?.id;
}

/** True for resources whose create can be repeated without harm, or that exist in the state only. */
export function isRepeatable(type: string): boolean {
  return !/^(hcloud|aws):/.test(type) || REPEATABLE.includes(type);
}

const REPEATABLE = [
  "hcloud:index/rdns:Rdns",
  "aws:ec2/eipAssociation:EipAssociation",
  "aws:ec2/volumeAttachment:VolumeAttachment",
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
];

function isAskedFor(object: CloudObject, inputs: Readonly<Record<string, unknown>>): boolean {
  const labels = Object.entries({ ...(inputs.labels as object), ...(inputs.tags as object) });
  if (!labels.every(([key, value]) => object.labels[key] === value)) return false;
  const name =
    object.cloud === "hetzner" ? inputs.name : (inputs.keyName ?? (object.type === "role" && inputs.name));
  const called = object.cloud === "hetzner" ? object.name : object.id;
  return typeof name !== "string" || name === called;
}

/** Keys of the objects of all resources of a state. */
export function keysOf(resources: readonly StateResource[]): Set<string> {
  return new Set(resources.flatMap(({ type, id, inputs = {} }) => keyOf({ type, id, inputs }) ?? []));
}
