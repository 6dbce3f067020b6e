import type { Call } from "./call";
import { AwsError } from "./errors";

/** Something that is to go wrong, for the next `times` calls of an action. */
export interface Fault {
  /** e.g. RunInstances. */
  readonly action: string;
  /** Number of matching calls to leave alone first. @default 0 */
  readonly skip?: number;
  /** Number of calls to hit. @default 1 */
  readonly times?: number;
  /** AWS's error code, e.g. InsufficientInstanceCapacity. Without one only the delay applies. */
  readonly code?: string;
  readonly message?: string;
  /** HTTP status; default 400. Clients try again on 500, 503 and on codes like RequestLimitExceeded. */
  readonly status?: number;
  readonly delayMs?: number;
  /** Carries out the call and loses only the answer. */
  readonly afterwards?: boolean;
}

interface Armed {
  readonly fault: Fault;
  skip: number;
  left: number;
}

/** The faults that are armed; each match uses one up. Kept in memory only. */
export class Faults {
  #armed: Armed[] = [];

  arm(fault: Fault): void {
    this.#armed.push({ fault, skip: fault.skip ?? 0, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#armed = [];
  }

  list(): Fault[] {
    return this.#armed.map(({ fault, skip, left }) => ({ ...fault, skip, times: left }));
  }

  /** Returns the fault for a call, if any, and uses it up. */
  take({ action }: Call): Fault | undefined {
    const armed = this.#armed.find(({ fault }) => fault.action === action);
    if (!armed) return undefined;
    if (armed.skip > 0) {
      armed.skip -= 1;
      return undefined;
    }
    armed.left -= 1;
    if (armed.left === 0) this.#armed = this.#armed.filter((other) => other !== armed);
    return armed.fault;
  }
}

export function faultError({ code, message, status }: Fault): AwsError | undefined {
  return code === undefined
    ? undefined
    : new AwsError(code, message ?? `injected fault: ${code}`, status ?? 400);
}
