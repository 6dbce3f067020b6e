import { statusOf } from "./errors";
import { object, optionalObject } from "./schemas";

/** Something that is to go wrong, for the next `times` requests or actions that match. */
export interface Fault {
  /** Requests to match: exact method, regular expression on the path with its query. */
  readonly match?: { readonly method?: string; readonly path?: string };
  /** Command of actions to match instead of requests, e.g. start_server. */
  readonly action?: string;
  /** Number of matches to leave alone first. @default 0 */
  readonly skip?: number;
  /** Number of matches to hit; "every" until it is disarmed. @default 1 */
  readonly times?: number | "every";
  /** Error code of the answer or of the action, e.g. "conflict"; without one only the delay applies. */
  readonly code?: string;
  readonly message?: string;
  /** HTTP status. @default the code's usual one */
  readonly status?: number;
  /** Sent as text/html in place of a JSON error, as a proxy would. */
  readonly html?: string;
  /** Seconds or a date, for an error's header Retry-After. */
  readonly retryAfter?: string;
  readonly delayMs?: number;
  /** Cut the connection without an answer. */
  readonly closeConnection?: boolean;
}

const count = { type: "integer", minimum: 0 } as const;
const string = { type: "string" } as const;

/** Body of POST /_faults. */
export const faultSchema = object({
  match: optionalObject({ method: string, path: { type: "string", format: "regex" } }),
  action: string,
  skip: count,
  times: { anyOf: [count, { const: "every" }] },
  code: string,
  message: string,
  status: { type: "integer", minimum: 400, maximum: 599 },
  html: string,
  retryAfter: string,
  delayMs: count,
  closeConnection: { type: "boolean" },
});

/** Effect of a fault on one request or action. */
export interface Mishap {
  readonly delayMs: number;
  readonly closeConnection: boolean;
  readonly html?: string;
  readonly error?: { readonly status: number; readonly code: string; readonly message: string };
  readonly retryAfter?: string;
}

interface Armed {
  readonly fault: Fault;
  skip: number;
  left: number;
  hits: number;
}

/** The faults that are armed; each match uses one up. Kept in memory only. */
export class Faults {
  #armed: Armed[] = [];

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

  forRequest(method: string, url: string): Mishap | undefined {
    return this.#take(
      ({ action, match }) =>
        action === undefined &&
        (match?.method === undefined || match.method.toUpperCase() === method) &&
        (match?.path === undefined || new RegExp(match.path).test(url)),
    );
  }

  forAction(command: string): Mishap | undefined {
    return this.#take(({ action }) => action === command);
  }

  #take(matches: (fault: Fault) => boolean): Mishap | undefined {
    const armed = this.#armed.find(({ fault }) => matches(fault));
    if (!armed) return undefined;
    if (armed.skip > 0) {
      armed.skip -= 1;
      return undefined;
    }
    armed.left -= 1;
    armed.hits += 1;
    if (armed.left <= 0) this.#armed = this.#armed.filter((other) => other !== armed);
    const { fault } = armed;
    const code = fault.code ?? (fault.status === undefined ? undefined : "server_error");
    return {
      delayMs: fault.delayMs ?? 0,
      closeConnection: fault.closeConnection ?? false,
      html: fault.html,
      retryAfter: fault.retryAfter,
      error:
        code === undefined
          ? undefined
          : {
              code,
              status: fault.status ?? statusOf(code),
              message: fault.message ?? `injected fault: ${code}`,
            },
    };
  }
}
