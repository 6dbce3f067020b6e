/** A stack's state, as `pulumi stack export` prints it: secrets encrypted. */

/** One resource of it, as far as it is looked at; whatever else it has stays. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  /** Superseded by a replacement, and still to be deleted. */
  readonly delete?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** What an update was doing when it was killed. */
export interface PendingOperation {
  readonly type: string;
  readonly resource: StateResource;
}

export interface StackState {
  readonly deployment: {
    readonly resources?: readonly StateResource[];
    readonly pending_operations?: readonly PendingOperation[];
  };
}

/** What marks an encrypted value. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** The values that are not encrypted as a whole or in part. */
export function openValues(values: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => key !== "__defaults" && !hasSecret(value)),
  );
}

function hasSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return SIGNATURE in value || Object.values(value).some(hasSecret);
}
