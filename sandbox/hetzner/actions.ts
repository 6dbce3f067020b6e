import type { Cloud } from "./cloud";
import { ApiError } from "./errors";
import type { Action, ResourceRef, State } from "./model";
import { type Store, takeId } from "./store";

/** Effect of an action. It must be repeatable: a new process starts a running action over again. */
export interface Command {
  /** True when the action's resources answer 423 `locked` to other actions until it has finished. */
  readonly locks: boolean;
  perform(cloud: Cloud, action: Action, progress: (percent: number) => void): Promise<void>;
}

/** Effects by the name in an action's `command`; "resource:name" where two resources use one name differently. */
export type CommandTable = Readonly<Record<string, Command>>;

export interface ActionOptions {
  readonly params?: Record<string, unknown>;
  /** Action that must succeed before this one starts. */
  readonly after?: Action;
}

/** Delay of an action, or the error that ends it; see faults.ts. */
export type Interference = (command: string) => {
  delayMs: number;
  error?: { code: string; message: string };
};

/** Carries actions out beside the requests that began them, and remembers them for good. */
export class Actions {
  readonly #inFlight = new Set<number>();
  #cloud: Cloud | undefined;
  #stopped = false;

  constructor(
    private readonly store: Store,
    private readonly commands: CommandTable,
    private readonly clock: () => Date,
    private readonly interfere: Interference,
    private readonly onError: (action: Action) => void,
  ) {}

  /** Continues the actions that a previous process left running. */
  resume(cloud: Cloud): void {
    this.#cloud = cloud;
    for (const action of Object.values(this.store.state.actions)) {
      if (action.status === "running") this.#schedule(action.id);
    }
  }

  /** Stops writing from now on; the next process continues what is under way. */
  stop(): void {
    this.#stopped = true;
  }

  /** Begins an action; call inside `Store.change`, after all checks. */
  begin(
    state: State,
    command: string,
    resources: readonly ResourceRef[],
    options: ActionOptions = {},
  ): Action {
    const action: Action = {
      id: takeId(state),
      command,
      status: "running",
      progress: 0,
      started: this.clock().toISOString(),
      finished: null,
      resources,
      error: null,
      params: options.params ?? {},
      after: options.after?.id ?? null,
    };
    this.#command(action);
    state.actions[action.id] = action;
    this.#schedule(action.id);
    return action;
  }

  /** Resolves with the actions of those ids, once none of them runs any more. */
  async ended(ids: readonly number[]): Promise<Action[]> {
    const found = (): Action[] => ids.flatMap((id) => this.store.state.actions[id] ?? []);
    while (!this.#stopped && found().some(({ status }) => status === "running"))
      await new Promise((resolve) => setTimeout(resolve, 50));
    return found();
  }

  /** True while a running action holds the resource. */
  isLocked(state: State, resource: ResourceRef): boolean {
    return Object.values(state.actions).some(
      (action) =>
        action.status === "running" &&
        this.#command(action).locks &&
        action.resources.some((held) => held.type === resource.type && held.id === resource.id),
    );
  }

  /** Throws 423 while a running action holds one of the resources. */
  assertUnlocked(state: State, ...resources: ResourceRef[]): void {
    const locked = resources.find((resource) => this.isLocked(state, resource));
    if (!locked) return;
    throw new ApiError("locked", `${locked.type} ${locked.id} is locked: an action is running on it`);
  }

  #command(action: Action): Command {
    const special = this.commands[`${action.resources[0]?.type}:${action.command}`];
    const command = special ?? this.commands[action.command];
    if (!command) throw new Error(`no performer for action ${action.command}`);
    return command;
  }

  #schedule(id: number): void {
    setImmediate(() => void this.#run(id));
  }

  async #run(id: number): Promise<void> {
    const action = this.store.state.actions[id];
    if (!action || !this.#cloud || this.#stopped || action.status !== "running" || this.#inFlight.has(id))
      return;
    const first = action.after === null ? undefined : this.store.state.actions[action.after];
    if (first?.status === "running") return;
    this.#inFlight.add(id);
    let error: Action["error"] = null;
    try {
      if (first?.status === "error") {
        throw new ApiError("action_failed", `the preceding action ${first.command} failed`);
      }
      const { delayMs, error: planned } = this.interfere(action.command);
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
      if (planned) throw new ApiError(planned.code, planned.message);
      await this.#command(action).perform(this.#cloud, action, (percent) => this.#progress(id, percent));
    } catch (thrown) {
      error = {
        code: thrown instanceof ApiError ? thrown.code : "action_failed",
        message: thrown instanceof Error ? thrown.message : String(thrown),
      };
    }
    this.#inFlight.delete(id);
    this.#finish(id, error);
  }

  #progress(id: number, percent: number): void {
    if (this.#stopped) return;
    this.store.change((state) => {
      const action = state.actions[id];
      if (action) action.progress = percent;
    });
  }

  #finish(id: number, error: Action["error"]): void {
    if (this.#stopped) return;
    const finished = this.store.change((state) => {
      const action = state.actions[id];
      if (!action) return undefined;
      action.status = error ? "error" : "success";
      action.progress = 100;
      action.finished = this.clock().toISOString();
      action.error = error;
      return action;
    });
    if (finished?.error) this.onError(finished);
    for (const next of Object.values(this.store.state.actions)) {
      if (next.after === id) this.#schedule(next.id);
    }
  }
}

/** Hetzner's JSON of an action. */
export function renderAction(action: Action): Record<string, unknown> {
  const { id, status, command, progress, started, finished, resources, error } = action;
  return { id, status, command, progress, started, finished, resources, error };
}
