import type { CloudObject, ObjectType, Removal } from ".";

/**
 * Removes objects group by group, all of a group at the same time. A failure is reported, and the others continue.
 *
 * @param order Types of the objects; parts come in a later group than their holders.
 */
export async function removeInOrder(
  objects: readonly CloudObject[],
  order: readonly (readonly ObjectType[])[],
  remove: (object: CloudObject) => Promise<void>,
): Promise<Removal[]> {
  const known = order.flat();
  const last = objects.filter(({ type }) => !known.includes(type));
  const groups = [...order.map((types) => objects.filter(({ type }) => types.includes(type))), last];
  const removals: Removal[] = [];
  for (const group of groups) {
    removals.push(...(await Promise.all(group.map((object) => attempt(object, remove)))));
  }
  return removals;
}

/** Tries to remove an object. One that the cloud protects stays: only its owner lifts that. */
async function attempt(
  object: CloudObject,
  remove: (object: CloudObject) => Promise<void>,
): Promise<Removal> {
  if (object.protected) return { object, problem: "it is protected at the cloud" };
  try {
    await remove(object);
    return { object };
  } catch (error) {
    return { object, problem: error instanceof Error ? error.message : String(error) };
  }
}
