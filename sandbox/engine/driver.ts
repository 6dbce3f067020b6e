/**
 * The engine's interface to a provider. Drivers see plain values: no secret wrappers, and unknowns only in previews.
 */
import type { Values } from "./wire";

export interface Context {
  /** Environment of the update: credentials and endpoints, as the real providers read them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Provider configuration: "hcloud:token" and the like, or the inputs of an explicit provider. */
  readonly config: Values;
  readonly projectDir: string;
  /** The resource's logical name. */
  readonly name: string;
  /** Shows the operator one line at once. */
  log(line: string): void;
  /** Aborted at the operation's limit in customTimeouts; never without one. */
  readonly timeout: AbortSignal | undefined;
  /** The previous update was killed during this deletion: an object that no longer exists counts as deleted. */
  readonly resumed?: boolean;
  /** For `adopt`: ids of the checkpoint's resources of this type, which no killed update has just created. */
  readonly taken?: readonly string[];
}

export interface State {
  readonly id: string;
  readonly inputs: Values;
  readonly outputs: Values;
}

export interface Created {
  readonly id: string;
  readonly outputs: Values;
}

/** One resource type. */
export interface Kind {
  /** Inputs that it serves; any other stops the run. @default all */
  readonly keys?: readonly string[];
  /** Keys, or paths such as "a.b", whose change replaces the resource. */
  readonly replaceKeys?: readonly string[];
  /** Outputs that are secret in every program. */
  readonly secretOutputs?: readonly string[];
  /** In the preview of an update, makes every output without an input of its name unknown. */
  readonly outputsFollowInputs?: boolean;
  /** True when a replacement deletes first, unless the program says otherwise. */
  readonly deleteBeforeReplace?: boolean;
  /** Inputs to add to the program's: defaults, an automatic name. `old`: the resource's former inputs. */
  defaults?(inputs: Values, old: Values | undefined, name: string): Values;
  create(inputs: Values, context: Context): Promise<Created>;
  update?(old: State, inputs: Values, context: Context): Promise<Values>;
  delete?(state: State, context: Context): Promise<void>;
  /**
   * Present state at the cloud, for a refresh: outputs, of which those named as an input are that input's value.
   * Outputs that are left out stay.
   *
   * @returns undefined for an object that no longer exists
   */
  read?(state: State, context: Context): Promise<Values | undefined>;
  /**
   * Finds and finishes what a killed update may have created.
   * @returns undefined when nothing was created
   * @throws for an object that this stack did not make
   */
  adopt?(inputs: Values, context: Context): Promise<Created | undefined>;
}

export interface Driver {
  readonly version: string;
  readonly kinds: Readonly<Record<string, Kind>>;
  readonly invokes?: Readonly<Record<string, (args: Values, context: Context) => Promise<Values>>>;
  /** Ends what outlives a call, such as connections. Called once, after a failed update also. */
  close?(): Promise<void>;
}

/** Error of a create that left something behind: it stays in the checkpoint, and the next update continues it. */
export class PartialCreate extends Error {
  constructor(
    readonly created: Created,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause));
  }
}
