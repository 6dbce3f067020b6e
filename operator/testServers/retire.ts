/** Takes a test server down for good: by the engine, then its remains at the clouds, then its stack. */
import type { CloudObject, Inventory, Removal } from "../inventory";
import { cloudObjectKey, keyOf } from "../inventory/keys";
import { isIn } from "../inventory/open";
import { Failure } from "../../cli/mistake";
import { poolServers, useOf } from "../poolServers";
import { StackBusy, StackNotFound, type StackResource } from "../stacks";
import { iso } from "./duration";
import { expiryOf, lastingVolumes, leftovers, nameOf } from "./survey";
import { INTERRUPTED, listAll, placeOf, type Unlisted, type World } from "./world";

export interface Retirement {
  readonly stack: string;
  /**
   * Result.
   * - removed: by this command
   * - gone: another command was faster
   * - extended: it has a later expiry now
   * - busy: an update of it is running, or something on a server of its pool
   * - failed: something of it still exists
   */
  readonly outcome: "removed" | "gone" | "extended" | "busy" | "failed";
  readonly reason?: string;
}

export interface RetireOptions {
  readonly inventories: readonly Inventory[];
  /** Places that could not be listed: a stack that may have something there stays. */
  readonly unlisted?: readonly Unlisted[];
  /** Retires it only if its time is up, which is asked again: somebody may have extended it. */
  readonly onlyExpired: boolean;
  /** Finds the servers of a pool. @default those of the stack's outputs */
  readonly pool?: typeof poolServers;
}

/** Retires a stack. Never throws: the result has the errors, and others can go on. */
export async function retire(world: World, stack: string, options: RetireOptions): Promise<Retirement> {
  const { say, stacks } = world;
  try {
    const later = options.onlyExpired ? await laterExpiry(world, stack, options) : undefined;
    if (later !== undefined) {
      return { stack, outcome: "extended", reason: `it has been extended until ${iso(later)}` };
    }
    if (options.onlyExpired) {
      const running = await runningIn(world, stack, options);
      if (running !== undefined) return { stack, outcome: "busy", reason: running };
    }
    const left = async () => {
      const objects = await listAll(options.inventories, stacks.project);
      return leftovers(stack, objects, options.onlyExpired ? world.now() : FAR_FUTURE);
    };
    await removeCutOff(world, stack, options.inventories, await left());
    if (world.interrupted()) throw new Failure(INTERRUPTED);
    await stacks.destroy(stack);
    const problems = (await removeAll(world, options.inventories, await left())).flatMap(
      ({ object, problem }) =>
        problem === undefined ? [] : [`${object.type} ${object.name} is still there: ${problem}`],
    );
    if (problems.length > 0) return { stack, outcome: "failed", reason: problems.join("; ") };
    await stacks.remove(stack);
    say(`${stack}: removed`);
    return { stack, outcome: "removed" };
  } catch (error) {
    if (await isGone(world, stack, error)) {
      return { stack, outcome: "gone", reason: "another command removed it" };
    }
    const reason = error instanceof Error ? error.message : String(error);
    return { stack, outcome: error instanceof StackBusy ? "busy" : "failed", reason };
  }
}

/** What runs on the servers of a pool, by their own account; undefined for nothing, and for a single server. */
async function runningIn(
  { stacks, say }: World,
  stack: string,
  { pool = poolServers }: RetireOptions,
): Promise<string | undefined> {
  const servers = pool(stack, await stacks.outputs(stack, { showSecrets: true }));
  if (!servers) return undefined;
  const { running, silent } = await useOf(servers);
  for (const line of silent) say(`${stack}: ${line}`);
  return running.length === 0
    ? undefined
    : `${nameOf(stack)} is in use, ${running.join("; ")}: nothing of it was removed`;
}

/** Limit for objects that are removed without regard to their expiry. */
export const FAR_FUTURE = new Date(8.64e15);

/** Expiry of a stack, if it is in the future. @throws Failure for a stack that must not go for another reason */
async function laterExpiry(
  { stacks, now }: World,
  stack: string,
  { inventories, unlisted = [] }: RetireOptions,
): Promise<Date | undefined> {
  const settings = await stacks.settings(stack);
  const unseen = unlisted.find(({ inventory }) => isIn(settings, inventory));
  if (unseen !== undefined) {
    throw new Failure(`what it has at ${placeOf(unseen.inventory)} is not known: ${unseen.error.message}`);
  }
  const resources = await stacks.resources(stack);
  const objects = await listAll(inventories, stacks.project);
  const expires = expiryOf({ info: { name: stack, updating: false }, settings, resources }, objects);
  if (expires === undefined) throw new Failure("it has no expiry any more, so it stays");
  if (expires > now()) return expires;
  assertAllExpire(stack, resources);
  return undefined;
}

/** Refuses a volume without an expiry: only a person decides over it. @throws Failure */
function assertAllExpire(stack: string, resources: readonly StackResource[]): void {
  const names = lastingVolumes(resources).map(({ name, id }) => `${name} (${id ?? "not made yet"})`);
  if (names.length === 0) return;
  throw new Failure(
    `volume ${names.join(", ")} has no expiry, so nothing of ${stack} was removed: ` +
      `if what is on it may go, test-server down ${nameOf(stack)} removes it with the server`,
  );
}

/** True when another command removed the stack meanwhile, which can cause any error. */
async function isGone({ stacks }: World, stack: string, error: unknown): Promise<boolean> {
  if (error instanceof StackNotFound) return true;
  try {
    return !(await stacks.list()).some(({ name }) => name === stack);
  } catch {
    return false;
  }
}

/**
 * Removes objects that exist at the cloud, but not in a stack's state: an update was killed while it made them. They
 * may hold objects of the state, for which the engine would wait in vain.
 *
 * @param objects The stack's objects that may be removed.
 * @throws StackBusy when the state only doesn't have them yet
 */
export async function removeCutOff(
  world: World,
  stack: string,
  inventories: readonly Inventory[],
  objects: readonly CloudObject[],
): Promise<void> {
  const { stacks } = world;
  const unknown = async () => {
    const known = (await stacks.resources(stack)).map(keyOf);
    return objects.filter((object) => !known.includes(cloudObjectKey(object)));
  };
  if ((await unknown()).length === 0) return;
  await stacks.settle(stack);
  await removeAll(world, inventories, await unknown());
}

/** Removes objects of any cloud, and reports each. */
export async function removeAll(
  { say, interrupted }: World,
  inventories: readonly Inventory[],
  objects: readonly CloudObject[],
): Promise<Removal[]> {
  const removals: Removal[] = [];
  for (const inventory of inventories) {
    // In another region there is no such object, which would count as removed.
    const own = objects.filter(
      ({ cloud, region }) => cloud === inventory.cloud && region === inventory.region,
    );
    if (interrupted()) removals.push(...own.map((object) => ({ object, problem: INTERRUPTED })));
    else if (own.length > 0) removals.push(...(await inventory.remove(own)));
  }
  for (const { object, problem } of removals) {
    const end = problem === undefined ? "removed" : `stays: ${problem}`;
    say(`${object.labels.stack}: ${object.type} ${object.name} ${end}`);
  }
  return removals;
}
