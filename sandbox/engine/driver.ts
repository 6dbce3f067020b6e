/** What the engine asks of a provider. Drivers see plain values: no secret wrappers, no unknowns but in previews. */
import type { Values } from "./wire";

export interface Context {
  /** Environment of the update: credentials and endpoints, as the real providers read them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Provider configuration: "hcloud:token" and the like, or the inputs of an explicit provider. */
  readonly config: Values;
  readonly projectDir: string;
  /** The resource's logical name. */
  readonly name: string;
  /** One line shown to the operator as it happens. */
  log(line: string): void;
  /** Aborted when the operation's customTimeouts entry runs out; never, where there is none. */
  readonly timeout: AbortSignal | undefined;
  /** The previous update was killed while it did this same deletion: what is gone already counts as deleted. */
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
  /** The inputs it serves; any other stops the run. undefined: whatever comes. */
  readonly keys?: readonly string[];
  /** A change of these, or of what is below "a.b", replaces the resource; by its new inputs where they decide. */
  readonly replaceKeys?: readonly string[] | ((inputs: Values) => readonly string[]);
  /** Outputs that are secret whatever the program says. */
  readonly secretOutputs?: readonly string[];
  /** Every output that no input mirrors becomes unknown in the preview of an update. */
  readonly outputsFollowInputs?: boolean;
  /** Whether a replacement deletes first, where the program does not say. */
  deleteBeforeReplace?(inputs: Values): boolean;
  /** Inputs to add to the program's: defaults, an automatic name. `old` are the resource's inputs before. */
  defaults?(inputs: Values, old: Values | undefined, name: string): Values;
  create(inputs: Values, context: Context): Promise<Created>;
  update?(old: State, inputs: Values, context: Context): Promise<Values>;
  delete?(state: State, context: Context): Promise<void>;
  /**
   * What the cloud has of it now, for a refresh: outputs as they are there, those of the same name as an input being
   * that input's value, too. Outputs that are left out stay.
   *
   * @returns undefined where it no longer exists
   */
  read?(state: State, context: Context): Promise<Values | undefined>;
  /** Find and finish what a killed update may have created; undefined: it had not; throw: it is not ours. */
  adopt?(inputs: Values, context: Context): Promise<Created | undefined>;
}

export interface Driver {
  readonly version: string;
  readonly kinds: Readonly<Record<string, Kind>>;
  readonly invokes?: Readonly<Record<string, (args: Values, context: Context) => Promise<Values>>>;
  /** Ends what outlives a call, as connections: called once after an update, whatever its end. */
  close?(): Promise<void>;
}

/** What replaces a resource of that kind when it changes to these inputs. */
export function replaceKeysOf({ replaceKeys = [] }: Kind, inputs: Values): readonly string[] {
  return typeof replaceKeys === "function" ? replaceKeys(inputs) : replaceKeys;
}

/** A create that left something behind: it stays in the checkpoint, and the next update continues it. */
export class PartialCreate extends Error {
  constructor(
    readonly created: Created,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause));
  }
}
