/** Which object at a cloud a creation that was cut off has made, if any. Decides; calls nothing. */
import type { CloudObject } from "../inventory";
import { cloudObjectKey, keyOf, typeOf } from "../inventory/keys";
import { Failure } from "../../cli/mistake";
import { nameOf } from "../../cli/pulumiEvents";
import type { StateResource } from "./state";

/**
 * @param objects what bears this stack's labels
 * @param taken keys of the objects that resources of the state are
 * @returns the id that the provider gives it; undefined where it was not made
 * @throws Failure where more than one could be it
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

/** Resources whose creation is the same again when it is done twice, or that exist in the state only. */
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

/** Keys of all objects that the resources of a state are. */
export function keysOf(resources: readonly StateResource[]): Set<string> {
  return new Set(resources.flatMap(({ type, id, inputs = {} }) => keyOf({ type, id, inputs }) ?? []));
}
