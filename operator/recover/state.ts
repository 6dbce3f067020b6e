/** State of a stack, as `pulumi stack export` prints it: secrets encrypted. */

/** Resource of a state. Fields that are not listed stay unchanged. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  /** Replaced, and still to be deleted. */
  readonly delete?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** Operation of an update at the moment it was killed. */
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

/** Mark of an encrypted value. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** Values without any encrypted part. */
export function openValues(values: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => key !== "__defaults" && !hasSecret(value)),
  );
}

function hasSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return SIGNATURE in value || Object.values(value).some(hasSecret);
}
