/** Dependencies between the resources of a checkpoint. */
import type { ResourceState } from "./checkpoint";

export function providerUrn(reference: string): string {
  return reference.slice(0, reference.lastIndexOf("::"));
}

/** All URNs that a resource needs: parent, provider, dependencies of either sort, deletedWith. */
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

/** URNs of the protected resources and of everything that they need, directly or not. */
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
 * Resources deleted together with `root`, in dependency order: dependents that `replaces` would replace, given the set
 * chosen so far. `states` are in dependency order.
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
 * Runs `action` on each state after all that need it. It works in rounds, as the CLI's engine does (ScheduleDeletes):
 * those of one round run side by side, and none begins before the last round has ended. The last round has the states
 * that need none of the others, the one before it those that need only these, and so on. A state whose dependents
 * failed is left alone. `action` resolves to false for a failure.
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

/** Groups states: those that need no other, then those that need only these, and so on. */
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

/** Returns the state without these URNs among those that it needs. */
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
