/** What the commands work on, so that tests can give them another. */
import type { CloudObject, Inventory } from "../inventory";
import { Mistake } from "../mistake";
import { StackNotFound, type Stacks, type StackSettings } from "../stacks";
import { fromEpoch } from "./duration";
import { PREFIX, survey, type StackView, type Survey } from "./survey";

export interface World {
  readonly stacks: Stacks;
  /** Inventories of the clouds that these settings use. @throws Mistake where credentials are missing */
  readonly inventories: (settings: readonly StackSettings[]) => Promise<readonly Inventory[]>;
  /** Settings of the stack that test servers are made like, whose clouds may have some of which no stack is known. */
  readonly like: () => Promise<StackSettings | undefined>;
  readonly now: () => Date;
  /** One line about what goes on. */
  readonly say: (line: string) => void;
  readonly sleep: (seconds: number) => Promise<void>;
  /** Whether the caller wants it to end: what runs is finished, nothing more begins. */
  readonly interrupted: () => boolean;
}

/** Why something was not begun. */
export const INTERRUPTED = "interrupted before it was begun";

/** All that there is now. */
export interface Sight extends Survey {
  readonly views: readonly StackView[];
  readonly objects: readonly CloudObject[];
  readonly inventories: readonly Inventory[];
}

/** Ask the engine and the clouds. */
export async function look(world: World): Promise<Sight> {
  const { stacks } = world;
  const infos = await stacks.list();
  const settings = new Map<string, StackSettings>();
  for (const { name } of infos.filter(({ name }) => name.startsWith(PREFIX))) {
    const found = await unlessGone(() => stacks.settings(name));
    if (found !== undefined) settings.set(name, found);
  }
  const inventories = await allInventories(world, [...settings.values()]);
  // Before the states: what is made in the meantime is then in a state, but not yet here.
  const objects = await listAll(inventories, stacks.project);
  const labelled = new Set(
    objects.filter(({ labels }) => fromEpoch(labels.expires)).map(({ labels }) => labels.stack),
  );
  const views: StackView[] = [];
  for (const info of infos) {
    const asked = settings.has(info.name) || labelled.has(info.name);
    const resources = asked ? await unlessGone(() => stacks.resources(info.name)) : [];
    if (resources !== undefined) views.push({ info, settings: settings.get(info.name), resources });
  }
  return { ...survey(views, objects, world.now()), views, objects, inventories };
}

/** Of what the known test servers use, and where there are credentials of what those to come would. */
async function allInventories(
  world: World,
  settings: readonly StackSettings[],
): Promise<readonly Inventory[]> {
  const like = await world.like();
  try {
    return await world.inventories(like === undefined ? settings : [...settings, like]);
  } catch (error) {
    if (!(error instanceof Mistake) || settings.length === 0) throw error;
    const inventories = await world.inventories(settings);
    world.say(`not looked everywhere for what belongs to no stack: ${error.message}`);
    return inventories;
  }
}

/** Everything of the project at all clouds. */
export async function listAll(inventories: readonly Inventory[], project: string): Promise<CloudObject[]> {
  return (await Promise.all(inventories.map((inventory) => inventory.list(project)))).flat();
}

async function unlessGone<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof StackNotFound) return undefined;
    throw error;
  }
}
