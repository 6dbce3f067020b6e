/** Polling for an object's state, by the rules of the real provider (StateChangeConf of its plugin SDK). */
import { setTimeout as sleep } from "node:timers/promises";

import type { Context } from "../../driver";

/** State of an object that no longer exists, or not everywhere yet. */
const GONE = undefined;

export interface Wait {
  /** Subject of the wait in an error: "EC2 Instance (i-1) create". */
  readonly what: string;
  /** States to reach; none waits until it no longer exists. */
  readonly until: readonly string[];
  /** States on the way there; any other ends the wait with an error. */
  readonly through: readonly string[];
  readonly minutes: number;
}

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 3000;
/** Number of reads that may miss a new object: an API answers from copies that learn of it later. */
const MISSES = 20;

/** Milliseconds before the next read: short at first, three seconds in the end. */
function delay(reads: number): number {
  return Math.min(FIRST_DELAY_MS * 1.4 ** reads, LONGEST_DELAY_MS);
}

/** Polls until `read` returns one of the wanted states. @throws for any other end, and at the time limit */
export async function waitFor(
  { what, until, through, minutes }: Wait,
  context: Context,
  read: () => Promise<string | undefined>,
): Promise<void> {
  const deadline = Date.now() + minutes * 60_000;
  let misses = 0;
  for (let reads = 0; ; reads++) {
    const state = await read();
    if (state === GONE ? until.length === 0 : until.includes(state)) return;
    if (state === GONE) misses += 1;
    else misses = 0;
    if (misses > MISSES) throw new Error(`waiting for ${what}: couldn't find resource (${MISSES} retries)`);
    const wanted = until.join(", ");
    if (state !== GONE && !through.includes(state))
      throw new Error(`waiting for ${what}: unexpected state '${state}', wanted target '${wanted}'`);
    if (context.timeout === undefined ? Date.now() > deadline : context.timeout.aborted) {
      const limit = context.timeout === undefined ? `, timeout: ${minutes}m0s` : "";
      throw new Error(
        `waiting for ${what}: timeout while waiting for state to become '${wanted}' ` +
          `(last state: '${state ?? ""}'${limit})`,
      );
    }
    await sleep(delay(reads));
  }
}

/** Repeats an action for some minutes while it fails for a passing reason, such as a deletion of something in use. */
export async function persisting<T>(
  minutes: number,
  context: Context,
  passing: (error: unknown) => boolean,
  action: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + minutes * 60_000;
  for (let tried = 0; ; tried++) {
    try {
      return await action();
    } catch (error) {
      const over = context.timeout === undefined ? Date.now() > deadline : context.timeout.aborted;
      if (over || !passing(error)) throw error;
      await sleep(delay(tried));
    }
  }
}
