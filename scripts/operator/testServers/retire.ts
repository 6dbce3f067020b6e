/** Takes a test server down for good: by the engine, then what is left of it at the clouds, then its stack. */
import type { CloudObject, Inventory, Removal } from "../inventory";
import { cloudObjectKey, keyOf } from "../inventory/keys";
import { StackBusy, StackNotFound } from "../stacks";
import { iso } from "./duration";
import { expiryOf, leftovers } from "./survey";
import { listAll, type World } from "./world";

export interface Retirement {
  readonly stack: string;
  /**
   * - removed: by this command
   * - gone: another one was faster
   * - extended: it has a later expiry now
   * - busy: an update of it is running
   * - failed: something of it is still there
   */
  readonly outcome: "removed" | "gone" | "extended" | "busy" | "failed";
  readonly reason?: string;
}

export interface RetireOptions {
  readonly inventories: readonly Inventory[];
  /** Only where its time is up, which is asked again: somebody may have extended it. */
  readonly onlyExpired: boolean;
}

/** Never throws: what went wrong is in the answer, and others can go on. */
export async function retire(world: World, stack: string, options: RetireOptions): Promise<Retirement> {
  const { say } = world;
  try {
    const later = options.onlyExpired ? await laterExpiry(world, stack, options.inventories) : undefined;
    if (later !== undefined) {
      return { stack, outcome: "extended", reason: `it has been extended until ${iso(later)}` };
    }
    say(`${stack}: removing`);
    const until = options.onlyExpired ? world.now() : FAR_FUTURE;
    const problems = await destroy(world, stack, options.inventories, until);
    if (problems.length > 0) return { stack, outcome: "failed", reason: problems.join("; ") };
    await world.stacks.remove(stack);
    say(`${stack}: removed`);
    return { stack, outcome: "removed" };
  } catch (error) {
    if (error instanceof StackNotFound)
      return { stack, outcome: "gone", reason: "another command removed it" };
    const reason = error instanceof Error ? error.message : String(error);
    return { stack, outcome: error instanceof StackBusy ? "busy" : "failed", reason };
  }
}

const FAR_FUTURE = new Date(8.64e15);

/** When a stack expires, if that is not yet. */
async function laterExpiry(
  { stacks, now }: World,
  stack: string,
  inventories: readonly Inventory[],
): Promise<Date | undefined> {
  const settings = await stacks.settings(stack);
  const resources = await stacks.resources(stack);
  const objects = await listAll(inventories, stacks.project);
  const expires = expiryOf({ info: { name: stack, updating: false }, settings, resources }, objects);
  if (expires === undefined) throw new Error("it has no expiry any more, so it stays");
  return expires > now() ? expires : undefined;
}

/**
 * All of a stack's resources. An update that was cut off can have made something that its state does not have, and that
 * holds what it has: then that is removed first, and the engine tries again.
 */
async function destroy(
  world: World,
  stack: string,
  inventories: readonly Inventory[],
  until: Date,
): Promise<string[]> {
  const left = async () => leftovers(stack, await listAll(inventories, world.stacks.project), until);
  try {
    await world.stacks.destroy(stack);
  } catch (error) {
    if (error instanceof StackBusy || error instanceof StackNotFound) throw error;
    const known = (await world.stacks.resources(stack)).map(keyOf);
    const cutOff = (await left()).filter((object) => !known.includes(cloudObjectKey(object)));
    if (cutOff.length === 0) throw error;
    await removeAll(world, inventories, cutOff);
    await world.stacks.destroy(stack);
  }
  return (await removeAll(world, inventories, await left())).flatMap(({ object, problem }) =>
    problem === undefined ? [] : [`${object.type} ${object.name} is still there: ${problem}`],
  );
}

/** Remove objects of any cloud, telling of each. */
export async function removeAll(
  { say }: World,
  inventories: readonly Inventory[],
  objects: readonly CloudObject[],
): Promise<Removal[]> {
  const removals: Removal[] = [];
  for (const inventory of inventories) {
    const own = objects.filter(({ cloud }) => cloud === inventory.cloud);
    if (own.length > 0) removals.push(...(await inventory.remove(own)));
  }
  for (const { object, problem } of removals) {
    say(
      `${object.labels.stack}: ${object.type} ${object.name} ${problem === undefined ? "removed" : `stays: ${problem}`}`,
    );
  }
  return removals;
}
