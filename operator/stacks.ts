/** Interface of the operator's commands to an engine: the Pulumi CLI, or in the sandbox the sandbox's own. */
import { Failure } from "../cli/mistake";
import type { Change } from "../cli/pulumiEvents";
import type { StackState } from "./recover/state";
import type { StackSettings } from "../cli/stackFiles";

/** Stack of this project, by the engine. */
export interface StackInfo {
  readonly name: string;
  /** True during an update of it, as far as the backend tells without an update. */
  readonly updating: boolean;
}

/** Resource in a stack's state. Secrets in inputs and outputs are encrypted or left out, never in clear. */
export interface StackResource {
  readonly urn: string;
  /** Type, e.g. "hcloud:index/server:Server". */
  readonly type: string;
  /** Logical name, e.g. "bbb-host-server". */
  readonly name: string;
  /** Id by the provider; undefined for components. */
  readonly id?: string;
  readonly protect: boolean;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly created?: Date;
}

/** Stacks of this project. */
export interface Stacks {
  /** Name of the project in Pulumi.yaml; the label `project` of everything it makes. */
  readonly project: string;
  /** True when an update continues what a killed one was making, even if only the cloud knows of it. */
  readonly resumesKilledUpdates: boolean;
  list(): Promise<readonly StackInfo[]>;
  /** @throws StackNotFound */
  settings(stack: string): Promise<StackSettings>;
  /** Shows what {@link up} would do. */
  preview(stack: string, settings: StackSettings): Promise<readonly Change[]>;
  /**
   * Brings the stack to the program's state, and makes a new one if needed. Records the settings before the first
   * resource is made, so that the stack can always be found and removed.
   *
   * @throws UpdateFailed when all that could be done is done; StackBusy
   */
  up(stack: string, settings: StackSettings): Promise<void>;
  /**
   * Brings a stack to the program's state, by its own settings.
   *
   * @param once Settings over its own, for this update alone.
   * @throws UpdateFailed, StackBusy, StackNotFound
   */
  upAgain(stack: string, once: StackSettings): Promise<void>;
  /**
   * Changes a stack's own settings, where they are kept. Undefined takes one away.
   *
   * @throws Mistake for a stack whose settings are not kept anywhere
   */
  configure(stack: string, changed: Readonly<Record<string, string | undefined>>): Promise<void>;
  /**
   * Brings the state to that of the clouds: what does not exist any more is forgotten.
   *
   * @throws UpdateFailed, StackBusy, StackNotFound
   */
  refresh(stack: string): Promise<void>;
  /**
   * Deletes all resources that are not protected; those missing at the cloud stop nothing.
   *
   * @throws UpdateFailed, StackBusy, StackNotFound
   */
  destroy(stack: string): Promise<void>;
  /**
   * Forgets what a killed update was making, so that the state has all that is known of the stack.
   *
   * @throws UpdateFailed, StackBusy, StackNotFound
   */
  settle(stack: string): Promise<void>;
  /** Forgets a stack without resources, its settings and its history. @throws StackBusy, StackNotFound */
  remove(stack: string): Promise<void>;
  /** Outputs by name, secrets as "[secret]" unless asked for. @throws StackNotFound */
  outputs(
    stack: string,
    options: { readonly showSecrets: boolean },
  ): Promise<Readonly<Record<string, unknown>>>;
  /** State in its stored form, secrets encrypted. @throws StackNotFound */
  exportState(stack: string): Promise<StackState>;
  /**
   * Replaces the state, then brings these resources of it to the clouds' state: one that doesn't exist is forgotten.
   *
   * @throws UpdateFailed, StackBusy, StackNotFound
   */
  importState(stack: string, state: StackState, urns: readonly string[]): Promise<void>;
  /** All resources of the state. @throws StackNotFound */
  resources(stack: string): Promise<readonly StackResource[]>;
}

/** Error for a stack that doesn't exist. */
export class StackNotFound extends Failure {
  constructor(readonly stackName: string) {
    super(`there is no stack ${stackName}`);
  }
}

/** Error for a stack with a running update. */
export class StackBusy extends Failure {
  constructor(
    readonly stackName: string,
    detail = "another update of it is running",
  ) {
    super(`stack ${stackName} is locked: ${detail}`);
  }
}

/** Error of an update that ended with errors, all of which have been printed. */
export class UpdateFailed extends Failure {
  constructor(
    readonly stackName: string,
    reason: string,
  ) {
    super(`stack ${stackName}: ${reason}`);
  }
}
