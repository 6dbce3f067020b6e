/** Who depends on whom in a checkpoint. */
import type { ResourceState } from "./checkpoint";

export function providerUrn(reference: string): string {
  return reference.slice(0, reference.lastIndexOf("::"));
}

/** Every URN that a resource needs: parent, provider, dependencies of either sort, deletedWith. */
export function needs(state: ResourceState): Set<string> {
  return new Set(
    [
      state.parent,
      state.provider === undefined ? undefined : providerUrn(state.provider),
      state.deletedWith,
      ...(state.dependencies ?? []),
      ...Object.values(state.propertyDependencies ?? {}).flat(),
    ].filter((urn) => urn !== undefined),
  );
}

/** The URNs of the protected resources and of everything that they need, directly or not. */
export function protectedClosure(states: readonly ResourceState[]): Set<string> {
  const kept = new Set<string>();
  const keep = (urn: string): void => {
    if (kept.has(urn)) return;
    kept.add(urn);
    for (const state of states) if (state.urn === urn) needs(state).forEach(keep);
  };
  for (const state of states) if (state.protect === true) keep(state.urn);
  return kept;
}

/**
 * Whom the deletion of `root` takes along, in dependency order: dependents that `replaces` says would be
 * replaced by it, given the set condemned so far. `states` are in dependency order.
 */
export function condemnedWith(
  root: ResourceState,
  states: readonly ResourceState[],
  replaces: (state: ResourceState, condemned: ReadonlySet<string>) => boolean,
): ResourceState[] {
  const condemned = new Set([root.urn]);
  return states.filter((state) => {
    if (state === root || !state.custom || !replaces(state, condemned)) return false;
    condemned.add(state.urn);
    return true;
  });
}

/**
 * Run `action` on each state once all who need it are done: in rounds, as the CLI's engine does (ScheduleDeletes), each of
 * them side by side and none before the last has ended. The last round holds those that need none of the others, the one
 * before those that need only these, and so on. A state whose dependents failed is left alone. `action` resolves to false
 * for a failure.
 */
export async function dependentsFirst(
  states: readonly ResourceState[],
  action: (state: ResourceState) => Promise<boolean>,
): Promise<void> {
  const neededOf = (state: ResourceState) => {
    const needed = needs(state);
    return states.filter((other) => other.urn !== state.urn && needed.has(other.urn));
  };
  const spared = new Set<ResourceState>();
  const spare = (state: ResourceState): void => {
    for (const needed of neededOf(state)) {
      if (spared.has(needed)) continue;
      spared.add(needed);
      spare(needed);
    }
  };
  for (const round of rounds(states, neededOf).reverse()) {
    const ended = round
      .filter((state) => !spared.has(state))
      .map(async (state) => ({ state, done: await action(state) }));
    for (const { state, done } of await Promise.all(ended)) if (!done) spare(state);
  }
}

/** Those that need no other, then those that need only these, and so on. */
function rounds(
  states: readonly ResourceState[],
  neededOf: (state: ResourceState) => readonly ResourceState[],
): ResourceState[][] {
  const left = new Set(states);
  const all: ResourceState[][] = [];
  while (left.size > 0) {
    const round = [...left].filter((state) => !neededOf(state).some((needed) => left.has(needed)));
    if (round.length === 0) throw new Error(`${[...left].map(({ urn }) => urn).join(", ")} need each other`);
    round.forEach((state) => left.delete(state));
    all.push(round);
  }
  return all;
}

/** A state that no longer names these URNs among what it needs. */
export function withoutNeed(state: ResourceState, gone: ReadonlySet<string>): ResourceState {
  const left = (urns: readonly string[] = []) => urns.filter((urn) => !gone.has(urn));
  const { dependencies, propertyDependencies, deletedWith, replaceWith, ...rest } = state;
  return {
    ...rest,
    ...(dependencies && { dependencies: left(dependencies) }),
    ...(propertyDependencies && {
      propertyDependencies: Object.fromEntries(
        Object.entries(propertyDependencies).map(([key, urns]) => [key, left(urns)]),
      ),
    }),
    ...(deletedWith !== undefined && !gone.has(deletedWith) ? { deletedWith } : {}),
    ...(replaceWith && { replaceWith: left(replaceWith) }),
  };
}
