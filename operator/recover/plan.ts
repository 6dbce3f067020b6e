/** Plan for a stack whose update was killed. Decides; calls nothing. */
import type { CloudObject } from "../inventory";
import { cloudObjectKey } from "../inventory/keys";
import { nameOf } from "../../cli/pulumiEvents";
import { idOf, isRepeatable, keysOf } from "./find";
import { openValues, type StackState, type StateResource } from "./state";

/** Remedy for one interrupted operation. */
export interface Remedy {
  readonly urn: string;
  readonly name: string;
  readonly operation: string;
  /**
   * Kind of remedy.
   * - adopt: the object exists, and comes into the state as `id`
   * - again: nothing is left of it, or repeating does no harm; the next update makes it
   * - read: the state has it, and is brought to the cloud's state
   */
  readonly what: "adopt" | "again" | "read";
  readonly id?: string;
}

export interface Plan {
  readonly remedies: readonly Remedy[];
  /** Objects with this stack's labels that are neither in its state nor being made. */
  readonly strays: readonly CloudObject[];
  /** State without pending operations, with the adopted objects. */
  readonly state: StackState;
  /** URNs to read at the clouds afterwards. */
  readonly urns: readonly string[];
}

/**
 * Makes the plan.
 * @param objects Objects with this stack's labels at its clouds.
 * @param rules Ids of security group rules that were made, by URN.
 * @throws Failure when it is unknown what was made
 */
export function planOf(
  state: StackState,
  objects: readonly CloudObject[],
  rules: ReadonlyMap<string, string> = new Map(),
): Plan {
  const { resources = [], pending_operations: pending = [] } = state.deployment;
  const taken = keysOf(resources);
  const remedies: Remedy[] = [];
  const adopted: StateResource[] = [];
  for (const { type: operation, resource } of pending) {
    const { urn } = resource;
    const remedy = { urn, name: nameOf(urn), operation };
    if (operation !== "creating") {
      remedies.push({ ...remedy, what: resources.some((one) => one.urn === urn) ? "read" : "again" });
      continue;
    }
    const id = isRepeatable(resource.type) ? undefined : (rules.get(urn) ?? idOf(resource, objects, taken));
    if (id === undefined) {
      remedies.push({ ...remedy, what: "again" });
      continue;
    }
    remedies.push({ ...remedy, what: "adopt", id });
    const made = { ...resource, id, outputs: { ...openValues(resource.inputs), id } };
    adopted.push(made);
    for (const key of keysOf([made])) taken.add(key);
  }
  const urns = adopted.map(({ urn }) => urn);
  return {
    remedies,
    strays: objects.filter((object) => !taken.has(cloudObjectKey(object))),
    state: {
      ...state,
      deployment: {
        ...state.deployment,
        // One that is in the state already was to be replaced by it.
        resources: [
          ...resources.map((one) => (urns.includes(one.urn) ? { ...one, delete: true } : one)),
          ...adopted,
        ],
        pending_operations: [],
      },
    },
    urns: remedies.filter(({ what }) => what !== "again").map(({ urn }) => urn),
  };
}

/** Adopted records with another content than requested: they are somebody else's. */
export function foreignRecords(before: StackState, after: StackState): string[] {
  const values = ({ records }: Readonly<Record<string, unknown>> = {}) =>
    JSON.stringify([...((records as string[] | undefined) ?? [])].sort());
  const { pending_operations: pending = [] } = before.deployment;
  return pending
    .filter(({ resource }) => resource.type === "aws:route53/record:Record")
    .filter(({ resource }) => {
      const read = after.deployment.resources?.find(({ urn }) => urn === resource.urn);
      return read !== undefined && values(read.outputs) !== values(resource.inputs);
    })
    .map(({ resource }) => resource.urn);
}
