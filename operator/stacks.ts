/** What the operator's commands ask of an engine: the Pulumi CLI, or in the sandbox the sandbox's own. */
import { Failure } from "../cli/mistake";
import type { Change } from "../cli/pulumiEvents";
import type { StackState } from "./recover/state";

/**
 * Settings of a stack by their plain keys ("domain"), values as they are in a Pulumi.<stack>.yaml; a key with a colon
 * ("hcloud:token") configures a provider.
 */
export type StackSettings = Readonly<Record<string, unknown>>;

/** A stack of this project, as the engine has it. */
export interface StackInfo {
  readonly name: string;
  /** An update of it is running right now, as far as the backend tells without being asked to update. */
  readonly updating: boolean;
}

/** A resource in a stack's state. Secrets in inputs and outputs are encrypted or left out, never in clear. */
export interface StackResource {
  readonly urn: string;
  /** e.g. "hcloud:index/server:Server" */
  readonly type: string;
  /** The logical name, e.g. "bbb-host-server". */
  readonly name: string;
  /** The provider's id; undefined for components. */
  readonly id?: string;
  readonly protect: boolean;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly created?: Date;
}

/** The stacks of this project. */
export interface Stacks {
  /** The project's name, of Pulumi.yaml; the label `project` of everything it makes. */
  readonly project: string;
  /** Whether an update goes on with what a killed one was making, even where only the cloud knows of it. */
  readonly goesOn: boolean;
  list(): Promise<readonly StackInfo[]>;
  /** @throws StackNotFound */
  settings(stack: string): Promise<StackSettings>;
  /** What {@link up} would do. */
  preview(stack: string, settings: StackSettings): Promise<readonly Change[]>;
  /**
   * Bring the stack to what the program says, making it where there is none. The settings are on record before the
   * first resource is made, so that whatever happens the stack can be found and removed.
   *
   * @throws UpdateFailed when all that could be done is done; StackBusy
   */
  up(stack: string, settings: StackSettings): Promise<void>;
  /**
   * Delete all resources that are not protected; what is gone at the cloud already stops nothing.
   *
   * @throws UpdateFailed, StackBusy, StackNotFound
   */
  destroy(stack: string): Promise<void>;
  /**
   * Forget what a killed update was making, so that the state has all that can be known of the stack.
   *
   * @throws UpdateFailed, StackBusy, StackNotFound
   */
  settle(stack: string): Promise<void>;
  /** Forget a stack without resources, its settings and its history. @throws StackBusy, StackNotFound */
  remove(stack: string): Promise<void>;
  /** Outputs by name, secrets as "[secret]" unless asked for. @throws StackNotFound */
  outputs(
    stack: string,
    options: { readonly showSecrets: boolean },
  ): Promise<Readonly<Record<string, unknown>>>;
  /** The state as it is kept, secrets encrypted. @throws StackNotFound */
  exportState(stack: string): Promise<StackState>;
  /**
   * Replace the state, then bring these resources of it to what the clouds have: one that does not exist is forgotten.
   *
   * @throws UpdateFailed, StackBusy, StackNotFound
   */
  importState(stack: string, state: StackState, urns: readonly string[]): Promise<void>;
  /** Everything in the state. @throws StackNotFound */
  resources(stack: string): Promise<readonly StackResource[]>;
}

/** There is no such stack. */
export class StackNotFound extends Failure {
  constructor(readonly stackName: string) {
    super(`there is no stack ${stackName}`);
  }
}

/** Another update of the stack is running. */
export class StackBusy extends Failure {
  constructor(
    readonly stackName: string,
    detail = "another update of it is running",
  ) {
    super(`stack ${stackName} is locked: ${detail}`);
  }
}

/** The update ended with errors, all of which have been printed. */
export class UpdateFailed extends Failure {
  constructor(
    readonly stackName: string,
    reason: string,
  ) {
    super(`stack ${stackName}: ${reason}`);
  }
}
