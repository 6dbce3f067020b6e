/** Removal of expired test servers. Any number of these may run at once. */
import type { CloudObject, Inventory, Removal } from "../inventory";
import { cloudObjectKey, keyOf } from "../inventory/keys";
import { StackBusy, StackNotFound } from "../stacks";
import { removeAll, retire, type RetireOptions, type Retirement } from "./retire";
import type { Orphan, TestServer } from "./survey";
import { INTERRUPTED, look, type Sight, type World } from "./world";

export interface ReapOptions {
  /** Searches for orphans, which belong to no stack. */
  readonly orphans: boolean;
  /** Removes the orphans. */
  readonly remove: boolean;
  /** Selects only orphans whose time is up. */
  readonly expiredOnly: boolean;
  /** Seconds to wait for stacks in use by another command. */
  readonly waitSeconds: number;
  /** Finds the servers of a pool. @default those of the stack's outputs */
  readonly pool?: RetireOptions["pool"];
  /** Asks once, before anything is removed. */
  readonly confirm: (due: Due) => Promise<boolean>;
}

/** Test servers and orphans to remove. */
export interface Due {
  readonly servers: readonly TestServer[];
  readonly orphans: readonly Orphan[];
}

export interface ReapResult {
  /** Results for each expired stack. */
  readonly servers: readonly Retirement[];
  /** Orphans, if they were searched for: removed, or with the reason why not. */
  readonly orphans: readonly (Orphan & { readonly removed: boolean; readonly problem?: string })[];
  /** Number of orphans that were not searched for. */
  readonly orphansUnseen: number;
  readonly kept: readonly string[];
  /** Places that could not be searched and the reason, a line each. */
  readonly problems: readonly string[];
  /** True when everything was searched, and nothing expired is left. */
  readonly clean: boolean;
}

const POLL_SECONDS = 5;

export async function reap(world: World, options: ReapOptions): Promise<ReapResult> {
  const sight = await look(world);
  // One that is being updated is named and waited for, not passed over.
  const now = world.now();
  const unread = sight.views.filter((view) => view.unread).map(({ info }) => info.name);
  const expired = sight.servers.filter(
    ({ stack, state, expires }) => state !== "orphaned" && expires <= now && !unread.includes(stack),
  );
  // What was cut off of a stack that goes, goes with it.
  const others = sight.orphans.filter(({ stack }) => !expired.some((server) => server.stack === stack));
  const seen = options.orphans ? others.filter(({ expired }) => expired || !options.expiredOnly) : [];
  const due: Due = { servers: expired, orphans: options.remove ? seen : [] };
  const agreed = due.servers.length + due.orphans.length === 0 || (await options.confirm(due));

  const servers = agreed ? await retireAll(world, expired, sight, options) : [];
  const removals = agreed ? await removeOrphans(world, due.orphans, sight.inventories) : [];
  const orphans = seen.map((orphan) => {
    const removal = removals.find(({ object }) => object === orphan.object);
    return {
      ...orphan,
      removed: removal !== undefined && removal.problem === undefined,
      problem: removal?.problem,
    };
  });
  return {
    servers,
    orphans,
    orphansUnseen: others.length - seen.length,
    kept: sight.kept,
    problems: sight.problems,
    clean:
      agreed &&
      sight.problems.length === 0 &&
      servers.every(({ outcome }) => outcome !== "busy" && outcome !== "failed") &&
      orphans.every(({ expired, removed, problem }) => removed || (!expired && problem === undefined)),
  };
}

/** Retires stacks one after the other; then again those in use, until they are gone or the time to wait is over. */
async function retireAll(
  world: World,
  servers: readonly TestServer[],
  { inventories, unlisted }: Sight,
  { waitSeconds, pool }: ReapOptions,
): Promise<Retirement[]> {
  const retirements = new Map<string, Retirement>();
  const attempt = async (stack: string) => {
    retirements.set(stack, await retire(world, stack, { inventories, unlisted, onlyExpired: true, pool }));
  };
  for (const { stack } of servers) {
    if (world.interrupted()) {
      retirements.set(stack, { stack, outcome: "failed", reason: INTERRUPTED });
      continue;
    }
    world.say(`${stack}: removing`);
    await attempt(stack);
  }
  const busy = () => [...retirements.values()].filter(({ outcome }) => outcome === "busy");
  for (const { reason } of busy()) world.say(`${reason}; waiting for it up to ${waitSeconds} s`);
  for (
    let waited = 0;
    waited < waitSeconds && !world.interrupted() && busy().length > 0;
    waited += POLL_SECONDS
  ) {
    await world.sleep(POLL_SECONDS);
    for (const { stack } of busy()) {
      if (world.interrupted()) return [...retirements.values()];
      await attempt(stack);
    }
  }
  return [...retirements.values()];
}

/** Removes orphans. Of an existing stack, only objects that are in no state once nothing of it is under way. */
async function removeOrphans(
  world: World,
  orphans: readonly Orphan[],
  inventories: readonly Inventory[],
): Promise<Removal[]> {
  const lost = orphans.filter(({ why }) => why === "lost").map(({ object }) => object);
  const stacks = [...new Set(orphans.filter(({ why }) => why === "cut off").map(({ stack }) => stack))];
  const cutOff: CloudObject[] = [];
  const kept: Removal[] = [];
  for (const stack of stacks) {
    const objects = orphans.filter((one) => one.stack === stack).map(({ object }) => object);
    if (world.interrupted()) {
      kept.push(...objects.map((object) => ({ object, problem: INTERRUPTED })));
      continue;
    }
    try {
      const known = await settledKeys(world, stack);
      cutOff.push(...objects.filter((object) => !known.has(cloudObjectKey(object))));
      kept.push(
        ...objects
          .filter((object) => known.has(cloudObjectKey(object)))
          .map((object) => ({ object, problem: "its stack has it after all" })),
      );
    } catch (error) {
      const problem = error instanceof StackBusy ? error.message : `${stack}: ${(error as Error).message}`;
      kept.push(...objects.map((object) => ({ object, problem })));
    }
  }
  return [...kept, ...(await removeAll(world, inventories, [...lost, ...cutOff]))];
}

async function settledKeys({ stacks }: World, stack: string): Promise<Set<string>> {
  try {
    await stacks.settle(stack);
    return new Set((await stacks.resources(stack)).flatMap((resource) => keyOf(resource) ?? []));
  } catch (error) {
    if (error instanceof StackNotFound) return new Set();
    throw error;
  }
}
