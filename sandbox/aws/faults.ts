import type { Occurrence } from "../faults";
import { AwsError } from "./errors";

/** Something that is to go wrong, for the next calls of an action. */
export interface Fault extends Occurrence {
  /** e.g. RunInstances. */
  readonly action: string;
  /** AWS's error code, e.g. InsufficientInstanceCapacity. Without one only the delay applies. */
  readonly code?: string;
  readonly message?: string;
  /** HTTP status; default 400. Clients try again on 500, 503 and on codes like RequestLimitExceeded. */
  readonly status?: number;
  readonly delayMs?: number;
  /** Carries out the call and loses only the answer. */
  readonly afterwards?: boolean;
}

export function faultError({ code, message, status }: Fault): AwsError | undefined {
  return code === undefined
    ? undefined
    : new AwsError(code, message ?? `injected fault: ${code}`, status ?? 400);
}
