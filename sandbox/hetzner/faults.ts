import { ArmedFaults, type Occurrence } from "../faults";
import { statusOf } from "./errors";
import { object, optionalObject } from "./schemas";

/** Something that is to go wrong, for the next requests or actions that match. */
export interface Fault extends Occurrence {
  /** Requests to match: exact method, regular expression on the path with its query. */
  readonly match?: { readonly method?: string; readonly path?: string };
  /** Command of actions to match instead of requests, e.g. start_server. */
  readonly action?: string;
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

/** Faults of a service that answers over HTTP. */
export class Faults extends ArmedFaults<Fault> {
  forRequest(method: string, url: string): Mishap | undefined {
    return mishapOf(
      this.take(
        ({ action, match }) =>
          action === undefined &&
          (match?.method === undefined || match.method.toUpperCase() === method) &&
          (match?.path === undefined || new RegExp(match.path).test(url)),
      ),
    );
  }

  forAction(command: string): Mishap | undefined {
    return mishapOf(this.take(({ action }) => action === command));
  }
}

function mishapOf(fault: Fault | undefined): Mishap | undefined {
  if (!fault) return undefined;
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
