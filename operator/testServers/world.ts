/** Environment of the commands, which tests replace. */
import type { CloudObject, Inventory } from "../inventory";
import { Mistake } from "../../cli/mistake";
import type { StackSettings } from "../../cli/stackFiles";
import { StackNotFound, type Stacks } from "../stacks";
import { fromEpoch } from "./duration";
import { PREFIX, survey, type StackView, type Survey } from "./survey";

export interface World {
  readonly stacks: Stacks;
  /** Opens the inventories of the clouds that these settings use. @throws Mistake for missing credentials */
  readonly inventories: (settings: readonly StackSettings[]) => Promise<readonly Inventory[]>;
  /** Settings of the stack that test servers resemble: its clouds may have objects of unknown stacks. */
  readonly like: () => Promise<StackSettings | undefined>;
  readonly now: () => Date;
  /** Prints one line about the progress. */
  readonly say: (line: string) => void;
  readonly sleep: (seconds: number) => Promise<void>;
  /** True once the caller wants it to end: running work is finished, nothing more begins. */
  readonly interrupted: () => boolean;
}

/** Reason of work that was not begun. */
export const INTERRUPTED = "interrupted before it was begun";

/** Survey of everything that could be looked at. */
export interface Sight extends Survey {
  readonly views: readonly StackView[];
  readonly objects: readonly CloudObject[];
  /** Inventories that answered. */
  readonly inventories: readonly Inventory[];
  readonly unlisted: readonly Unlisted[];
  /** Places that could not be looked at and the reason, a line each. */
  readonly problems: readonly string[];
}

/** Cloud, or a region of one, that could not be listed. */
export interface Unlisted {
  readonly inventory: Inventory;
  readonly error: Error;
}

/**
 * Surveys the engine and the clouds. One that can't be read is reported, and the others are read.
 *
 * @throws the reason when no cloud at all can be read
 */
export async function look(world: World): Promise<Sight> {
  const { stacks } = world;
  const infos = await stacks.list();
  const settings = new Map<string, StackSettings>();
  const unread = new Map<string, Error>();
  for (const { name } of infos.filter(({ name }) => name.startsWith(PREFIX))) {
    const found = await readable(name, unread, () => stacks.settings(name), {});
    if (found !== undefined && !unread.has(name)) settings.set(name, found);
  }
  // Before the states: what is made in the meantime is then in a state, but not yet here.
  const { objects, inventories, unlisted } = await listEach(
    await allInventories(world, settings, unread),
    stacks.project,
  );
  const labelled = new Set(
    objects.filter(({ labels }) => fromEpoch(labels.expires)).map(({ labels }) => labels.stack),
  );
  const views: StackView[] = [];
  for (const info of infos) {
    const { name } = info;
    const asked = settings.has(name) || unread.has(name) || labelled.has(name);
    const resources = asked ? await readable(name, unread, () => stacks.resources(name), []) : [];
    if (resources === undefined) continue;
    views.push({ info, settings: settings.get(name), resources, unread: unread.get(name) });
  }
  const problems = [
    ...[...unread].map(([name, { message }]) => `stack ${name} can't be looked at: ${message}`),
    ...unlisted.map(({ inventory, error }) => `${placeOf(inventory)} can't be looked at: ${error.message}`),
  ];
  for (const problem of problems) world.say(problem);
  return { ...survey(views, objects, world.now()), views, objects, inventories, unlisted, problems };
}

/** Name of a place: "hetzner", "aws eu-central-1". */
export function placeOf({ cloud, region }: Pick<Inventory, "cloud" | "region">): string {
  return region === undefined ? cloud : `${cloud} ${region}`;
}

/** Opens the inventories of the known test servers and, if there are credentials, those of future ones. */
async function allInventories(
  world: World,
  settings: ReadonlyMap<string, StackSettings>,
  unread: Map<string, Error>,
): Promise<readonly Inventory[]> {
  const like = await world.like();
  const known = [...settings.values()];
  try {
    return await world.inventories(like === undefined ? known : [...known, like]);
  } catch (error) {
    if (!(error instanceof Mistake) || settings.size === 0) throw error;
    const inventories = await openable(world, settings, unread);
    world.say(`not looked everywhere for what belongs to no stack: ${error.message}`);
    return inventories;
  }
}

/**
 * Opens inventories of all stacks; with missing credentials of some, of the others. @throws Mistake when none is left
 */
async function openable(
  world: World,
  settings: ReadonlyMap<string, StackSettings>,
  unread: Map<string, Error>,
): Promise<readonly Inventory[]> {
  try {
    return await world.inventories([...settings.values()]);
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const usable: StackSettings[] = [];
    for (const [stack, one] of settings) {
      try {
        await world.inventories([one]);
        usable.push(one);
      } catch (reason) {
        unread.set(stack, reason as Error);
      }
    }
    if (usable.length === 0) throw error;
    return world.inventories(usable);
  }
}

async function listEach(
  inventories: readonly Inventory[],
  project: string,
): Promise<Pick<Sight, "objects" | "inventories" | "unlisted">> {
  const answers = await Promise.allSettled(inventories.map((inventory) => inventory.list(project)));
  const unlisted = answers.flatMap((answer, index) =>
    answer.status === "rejected" ? [{ inventory: inventories[index]!, error: answer.reason as Error }] : [],
  );
  if (unlisted.length > 0 && unlisted.length === inventories.length) throw unlisted[0]!.error;
  return {
    objects: answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : [])),
    inventories: inventories.filter((_, index) => answers[index]!.status === "fulfilled"),
    unlisted,
  };
}

/** Lists everything of the project at all clouds. */
export async function listAll(inventories: readonly Inventory[], project: string): Promise<CloudObject[]> {
  return (await Promise.all(inventories.map((inventory) => inventory.list(project)))).flat();
}

/**
 * Reads something of a stack. After an error it notes it and returns `otherwise`; undefined for a stack that is gone.
 */
async function readable<T>(
  stack: string,
  unread: Map<string, Error>,
  ask: () => Promise<T>,
  otherwise: T,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof StackNotFound) return undefined;
    if (!unread.has(stack)) unread.set(stack, error as Error);
    return otherwise;
  }
}
