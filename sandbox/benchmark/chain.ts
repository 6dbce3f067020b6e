/** Longest chain of dependent operations in an update: a lower bound for any engine. Pure. */

export interface Timed {
  readonly urn: string;
  /** Milliseconds since the same moment. */
  readonly start: number;
  readonly end: number;
}

export interface Link {
  readonly urn: string;
  readonly milliseconds: number;
}

export interface Chain {
  readonly milliseconds: number;
  /** First to last; only resources that were operated on. */
  readonly links: readonly Link[];
}

/**
 * @param needs The URNs that a resource directly needs.
 * @throws Error for resources that need each other.
 */
export function longestChain(operations: readonly Timed[], needs: (urn: string) => Iterable<string>): Chain {
  const durations = new Map<string, number>();
  for (const { urn, start, end } of operations) durations.set(urn, (durations.get(urn) ?? 0) + end - start);
  const known = new Map<string, Chain | undefined>();

  function chainTo(urn: string): Chain {
    if (known.has(urn)) {
      const chain = known.get(urn);
      if (chain === undefined) throw new Error(`${urn} needs itself`);
      return chain;
    }
    known.set(urn, undefined);
    const before = longest([...needs(urn)].map(chainTo));
    const milliseconds = durations.get(urn);
    const chain =
      milliseconds === undefined
        ? before
        : {
            milliseconds: before.milliseconds + milliseconds,
            links: [...before.links, { urn, milliseconds }],
          };
    known.set(urn, chain);
    return chain;
  }

  return longest([...durations.keys()].map(chainTo));
}

function longest(chains: readonly Chain[]): Chain {
  return chains.reduce((best, chain) => (chain.milliseconds > best.milliseconds ? chain : best), {
    milliseconds: 0,
    links: [],
  });
}

/** Median of some values. @throws Error for no values */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  if (middle.length === 0) throw new Error("no values");
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}
