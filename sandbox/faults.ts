/** Share of matches that a fault hits. */
export interface Occurrence {
  /** Number of matches to leave alone first. @default 0 */
  readonly skip?: number;
  /** Number of matches to hit; "every" until it is disarmed. @default 1 */
  readonly times?: number | "every";
}

interface Armed<Fault> {
  readonly fault: Fault;
  skip: number;
  left: number;
  hits: number;
}

/** Faults that are armed; each match uses one up. Kept in memory only. */
export class ArmedFaults<Fault extends Occurrence> {
  #armed: Armed<Fault>[] = [];

  arm(...faults: readonly Fault[]): void {
    this.#armed.push(
      ...faults.map((fault) => ({
        fault,
        skip: fault.skip ?? 0,
        left: fault.times === "every" ? Infinity : (fault.times ?? 1),
        hits: 0,
      })),
    );
  }

  /**
   * Disarms all.
   * @returns those that did not happen as often as they should; those for every match, if they had none
   */
  clear(): Fault[] {
    const unused = this.#armed.filter(({ hits, left }) => left !== Infinity || hits === 0);
    this.#armed = [];
    return unused.map(({ fault }) => fault);
  }

  /** Lists the faults that remain. */
  list(): Fault[] {
    return this.#armed.map(({ fault, left, skip }) => ({
      ...fault,
      skip,
      times: left === Infinity ? "every" : left,
    }));
  }

  /** Returns the first matching fault if it hits this time, and uses it up. */
  take(matches: (fault: Fault) => boolean): Fault | undefined {
    const armed = this.#armed.find(({ fault }) => matches(fault));
    if (!armed) return undefined;
    if (armed.skip > 0) {
      armed.skip -= 1;
      return undefined;
    }
    armed.left -= 1;
    armed.hits += 1;
    if (armed.left <= 0) this.#armed = this.#armed.filter((other) => other !== armed);
    return armed.fault;
  }
}
