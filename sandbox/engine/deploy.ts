/**
 * One update: turns registrations into steps (same, create, update, replace, delete), carries them out by the drivers
 * and keeps the checkpoint true around each of them. The rules are those of Pulumi's step generator
 * (pkg/resource/deploy/step_generator.go).
 */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";

import { nameOf } from "../../cli/pulumiEvents";
import type { Checkpoint, Operation, ResourceState } from "./checkpoint";
import { changedPaths, difference, withIgnoredChanges } from "./diff";
import { typeOf, type Display, type Step } from "./display";
import { PartialCreate, type Context, type Driver, type Kind, type State } from "./driver";
import { compact, NotServed, STACK_REFERENCE, STACK_TYPE, type Goal } from "./goal";
import { Hooks } from "./hooks";
import { condemnedWith, dependentsFirst, needs, protectedClosure, providerUrn, withoutNeed } from "./graph";
import {
  containsSecret,
  containsUnknown,
  hashAssets,
  plainValues,
  secret,
  UNKNOWN,
  type Values,
} from "./wire";

export interface DeploymentOptions {
  /** Outputs of another stack of the project, secrets wrapped; undefined for a stack that doesn't exist. */
  readonly stackOutputs: (stack: string) => Values | undefined;
  readonly project: string;
  readonly stack: string;
  readonly projectDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Namespaced settings. Those of the form "hcloud:…" configure the default provider of hcloud. */
  readonly config: Readonly<Record<string, string>>;
  readonly secretConfig: readonly string[];
  readonly drivers: Readonly<Record<string, Driver>>;
  /** URNs of resources to replace without a change. */
  readonly replace: readonly string[];
  /** Continues what a killed update was creating. */
  readonly adopt: boolean;
  readonly onStep?: (step: StepEvent) => void;
  readonly onOperation?: (operation: OperationEvent) => void;
  /** Operations at a time. */
  readonly parallel: number;
}

/** Beginning of a step that creates, changes or deletes one resource. */
export interface StepEvent {
  readonly step: Exclude<Step, "same">;
  readonly urn: string;
  readonly type: string;
  /** Inputs that an update changes, e.g. "labels.expires". */
  readonly paths: readonly string[];
}

/** End of one call of a driver, after success or failure. */
export interface OperationEvent {
  readonly urn: string;
  readonly type: Operation["type"];
  /** In milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
}

export interface Registered {
  readonly urn: string;
  readonly id: string;
  readonly outputs: Values;
  readonly failed: boolean;
}

const PROVIDER_TYPE = "pulumi:providers:";

export class Deployment {
  readonly hooks = new Hooks();
  /** States of the last update that this one has not replaced yet, in dependency order. */
  private olds: ResourceState[];
  private readonly news = new Map<string, ResourceState>();
  private readonly operations = new Set<Operation>();
  private readonly registered = new Set<string>();
  private readonly replaced = new Set<string>();
  /** URNs that this update deletes or has deleted. */
  private readonly deleted = new Set<string>();
  /** Resources deleted with those that they depend on; they are replaced when the program registers them. */
  private readonly recreating = new Set<string>();
  /** Resources whose deletion ahead of a replacement is decided. */
  private readonly condemned = new Set<ResourceState>();
  private readonly interruptedDeletes = new Set<string>();
  private readonly running = new Set<Promise<unknown>>();
  private readonly failures = new Set<string>();
  private givenStackOutputs: Values | undefined;
  private slots: number;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly options: DeploymentOptions,
    private readonly checkpoint: Checkpoint,
    private readonly display: Display,
  ) {
    this.olds = [...checkpoint.resources];
    this.slots = options.parallel;
  }

  get preview(): boolean {
    return this.display.preview;
  }

  get failed(): boolean {
    return this.failures.size > 0;
  }

  /** True for a message that only says that a resource is missing which failed here. */
  isConsequence(message: string): boolean {
    return [...this.failures].some((urn) =>
      message.includes(`resource ${nameOf(urn)} [${typeOf(urn)}] failed to register`),
    );
  }

  /** State of a resource that this update registered. */
  find(urn: string): ResourceState | undefined {
    return this.news.get(urn);
  }

  /**
   * Settles the stack's outputs. After an error, a missing output keeps its former value: it is not known to be gone.
   * The CLI's engine does the same (executeRegisterResourceOutputs).
   */
  finishStackOutputs(errored: boolean): Values {
    const stack = [...this.news.values()].find(({ type }) => type === STACK_TYPE);
    if (stack === undefined) return {};
    if (this.givenStackOutputs !== undefined) {
      stack.outputs = { ...(errored ? stack.outputs : {}), ...this.givenStackOutputs };
      this.save();
    }
    return stack.outputs;
  }

  /** Waits for every step that is under way. */
  async settle(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running);
  }

  register(goal: Goal): Promise<Registered> {
    return this.track(this.step(goal));
  }

  /**
   * Reads another stack's outputs, as a resource of the type pulumi:pulumi:StackReference: the only one that can be
   * read. Source: pkg/resource/deploy/builtins.go, readStackReference.
   */
  read(type: string, name: string, id: string, parent: string, inputs: Values): ResourceState {
    if (type !== STACK_REFERENCE) throw new NotServed("reading an existing resource (get, or the option id)");
    const stack = this.ownProjects(id);
    const urn = this.urn(type, name, parent);
    const outputs = this.options.stackOutputs(stack);
    if (outputs === undefined) {
      this.fail(urn, new Error(`unknown stack "${id}"`));
      throw new Error(`resource ${name} [${type}] failed to register`);
    }
    const secretOutputNames = Object.keys(outputs).filter((key) => containsSecret(outputs[key]));
    const state: ResourceState = {
      ...{ urn, custom: true, external: true, id, type, inputs, parent },
      outputs: { ...inputs, outputs, secretOutputNames: secretOutputNames.sort() },
    };
    this.keep(
      state,
      this.olds.find((old) => old.urn === urn),
    );
    return state;
  }

  /** Returns the bare name of a stack of this project. @throws NotServed for another project's */
  private ownProjects(name: string): string {
    const [stack = "", project = this.options.project, ...owner] = name.split("/").reverse();
    if (project !== this.options.project || owner.join("/") !== "organization")
      throw new NotServed(`the stack ${name} of another project`);
    return stack;
  }

  /**
   * Types and outputs of the resources in this stack's checkpoint, by their URNs, without those yet to be deleted.
   * Source: pkg/backend/backend.go, GetStackResourceOutputs.
   */
  stackResources(name: string): Values {
    if (this.ownProjects(name) !== this.options.stack)
      throw new NotServed(`the resources of the stack ${name}`);
    const there = this.checkpoint.resources.filter((state) => state.delete !== true);
    return Object.fromEntries(there.map(({ urn, type, outputs }) => [urn, { type, outputs }]));
  }

  /** This stack's own outputs, by its checkpoint. Source: pkg/backend/backend.go, GetStackOutputs. */
  ownOutputs(name: string): Values {
    if (this.ownProjects(name) !== this.options.stack)
      throw new NotServed(`the outputs of the stack ${name}`);
    return this.checkpoint.resources.find(({ type }) => type === STACK_TYPE)?.outputs ?? {};
  }

  registerOutputs(urn: string, outputs: Values): void {
    const state = this.news.get(urn);
    if (state === undefined) throw new Error(`outputs of ${urn}, which is not registered`);
    if (state.type === STACK_TYPE) {
      this.givenStackOutputs = outputs;
      return;
    }
    if (isDeepStrictEqual(state.outputs, outputs)) return;
    state.outputs = outputs;
    this.save();
  }

  async invoke(token: string, args: Values, provider: string, version: string): Promise<Values> {
    const [pkg = ""] = token.split(":");
    const invoke = this.options.drivers[pkg]?.invokes?.[token];
    if (invoke === undefined) throw new NotServed(`the function ${token}`);
    const reference = provider === "" ? this.defaultProvider(pkg, version) : provider;
    // Without a slot of its own: a resource whose hook asks has one already.
    return this.track(invoke(plainValues(args), this.context("", reference, undefined)));
  }

  // --- registration -----------------------------------------------------------------------------------------

  private async step(goal: Goal): Promise<Registered> {
    const stackUrn = `urn:pulumi:${this.options.stack}::${this.options.project}::${STACK_TYPE}::${this.options.project}-${this.options.stack}`;
    const parent = goal.type === STACK_TYPE ? undefined : goal.parent || stackUrn;
    const urn = this.urn(goal.type, goal.name, parent);
    if (this.registered.has(urn))
      throw new Error(`Duplicate resource URN '${urn}'; try giving it a unique name`);
    this.registered.add(urn);
    const old = this.olds.find((state) => state.urn === urn && state.delete !== true);
    const state: ResourceState = compact({
      urn,
      custom: goal.custom,
      id: undefined,
      type: goal.type,
      inputs: hashAssets(goal.inputs, this.options.projectDir),
      outputs: {},
      parent,
      ...goal.options,
      created: old?.created,
      modified: old?.modified,
    });
    try {
      if (!goal.custom) return this.component(state, old);
      if (goal.type.startsWith(PROVIDER_TYPE)) return this.provider(state, old);
      state.provider =
        goal.provider === ""
          ? this.defaultProvider(goal.type.split(":")[0] ?? "", goal.version)
          : goal.provider;
      return await this.resource(goal, state, old);
    } catch (error) {
      if (error instanceof NotServed) throw error;
      this.fail(urn, error);
      return { urn, id: "", outputs: {}, failed: true };
    }
  }

  private urn(type: string, name: string, parent: string | undefined): string {
    const parentType = parent?.split("::")[2] ?? "";
    const qualified = parentType === "" || parentType === STACK_TYPE ? type : `${parentType}$${type}`;
    return `urn:pulumi:${this.options.stack}::${this.options.project}::${qualified}::${name}`;
  }

  private component(state: ResourceState, old: ResourceState | undefined): Registered {
    const step =
      old === undefined
        ? "create"
        : difference(old.inputs, state.inputs, [], []).changed.length > 0
          ? "update"
          : "same";
    const end = this.display.begin(step, state.urn, "", true);
    state.outputs = old?.outputs ?? {};
    this.keep(state, old);
    end();
    return { urn: state.urn, id: "", outputs: {}, failed: false };
  }

  /**
   * Registers a provider that the program makes itself. The real provider decides what its change means for its
   * resources.
   */
  private provider(state: ResourceState, old: ResourceState | undefined): Registered {
    const changed = old === undefined ? [] : difference(old.inputs, state.inputs, [], []).changed;
    if (changed.length > 0)
      throw new NotServed(`a change of ${changed.join(", ")} of the provider "${nameOf(state.urn)}"`);
    const end = this.display.begin(old === undefined ? "create" : "same", state.urn, "", true);
    state.id = old?.id ?? randomUUID();
    state.outputs = state.inputs;
    this.keep(state, old);
    end();
    return { urn: state.urn, id: state.id, outputs: state.outputs, failed: false };
  }

  /** Reference of a package's default provider, which its first use puts into the checkpoint. */
  private defaultProvider(pkg: string, asked = ""): string {
    const driver = this.options.drivers[pkg];
    if (driver === undefined) throw new NotServed(`the package ${pkg}`);
    const version = asked || driver.version;
    const urn = this.urn(`${PROVIDER_TYPE}${pkg}`, `default_${version.replaceAll(/[.+-]/g, "_")}`, undefined);
    const known = this.news.get(urn);
    if (known !== undefined) return `${urn}::${known.id}`;
    const old = this.olds.find((state) => state.urn === urn);
    const configured = Object.entries(this.options.config).filter(([key]) => key.startsWith(`${pkg}:`));
    const inputs = Object.fromEntries([
      ["version", version],
      ...configured.map(([key, value]) => [
        key.slice(pkg.length + 1),
        key === "hcloud:token" || this.options.secretConfig.includes(key) ? secret(value) : value,
      ]),
    ]) as Values;
    const id = old?.id ?? randomUUID();
    this.keep({ urn, custom: true, id, type: `${PROVIDER_TYPE}${pkg}`, inputs, outputs: inputs }, old);
    return `${urn}::${id}`;
  }

  private kind(type: string): Kind {
    const kind = this.options.drivers[type.split(":")[0] ?? ""]?.kinds[type];
    if (kind === undefined) throw new NotServed(`the resource type ${type}`);
    return kind;
  }

  private checkedInputs(kind: Kind, state: ResourceState, inputs: Values, old: Values | undefined): Values {
    const unserved = Object.keys(inputs).filter((key) => kind.keys !== undefined && !kind.keys.includes(key));
    if (unserved.length > 0)
      throw new NotServed(`${unserved.join(", ")} of ${state.type} "${nameOf(state.urn)}"`);
    const added = kind.defaults?.(
      plainValues(inputs),
      old === undefined ? undefined : plainValues(old),
      nameOf(state.urn),
    );
    return { ...added, ...inputs };
  }

  private async resource(
    goal: Goal,
    state: ResourceState,
    old: ResourceState | undefined,
  ): Promise<Registered> {
    const kind = this.kind(state.type);
    const asked = state.inputs;
    if (old === undefined || this.recreating.has(state.urn)) {
      state.inputs = this.checkedInputs(kind, state, asked, undefined);
      const step = this.recreating.delete(state.urn) ? "replace" : "create";
      if (step === "replace") this.replaced.add(state.urn);
      return this.create(goal, kind, state, old, step);
    }
    const wanted = withIgnoredChanges(asked, old.inputs, goal.options.ignoreChanges ?? []);
    state.inputs = this.checkedInputs(kind, state, wanted, old.inputs);
    const { changed, replace, paths } = difference(
      old.inputs,
      state.inputs,
      kind.replaceKeys ?? [],
      goal.options.replaceOnChanges ?? [],
    );
    const told = this.options.replace.includes(state.urn) ? ["--replace"] : [];
    const triggered = isTriggered(state, old) ? ["replacementTrigger"] : [];
    const half = old.pendingReplacement === true ? ["interrupted replacement"] : [];
    const because = this.replacedAlong(state) ?? [...replace, ...told, ...triggered, ...half];
    if (because.length > 0) {
      // Defaults and ignored changes of the old resource do not bind its replacement.
      state.inputs = this.checkedInputs(kind, state, asked, undefined);
      return this.replace(goal, kind, state, old, because);
    }
    if (changed.length > 0 || (old.initErrors ?? []).length > 0)
      return this.update(goal, kind, state, old, changed, paths);
    state.id = old.id;
    state.outputs = old.outputs;
    const end = this.display.begin("same", state.urn);
    this.keep(state, old);
    end();
    return this.result(state);
  }

  private replacedAlong(state: ResourceState): string[] | undefined {
    return state.replaceWith?.some((urn) => this.replaced.has(urn)) === true ? ["replaceWith"] : undefined;
  }

  // --- steps ------------------------------------------------------------------------------------------------

  private async create(
    goal: Goal,
    kind: Kind,
    state: ResourceState,
    old: ResourceState | undefined,
    step: Step,
    why = "",
  ): Promise<Registered> {
    const end = this.display.begin(step, state.urn, why);
    if (step !== "same") this.options.onStep?.({ step, urn: state.urn, type: state.type, paths: [] });
    const hooks = () => this.runHooks(goal.beforeCreate, undefined, state);
    if (this.preview) {
      await hooks();
      state.outputs = state.inputs;
      this.keep(state, old);
      end();
      return this.result(state);
    }
    const finish = (id: string, outputs: Values) => {
      state.id = id;
      state.outputs = this.annotated(kind, state, outputs);
      state.created = state.modified = new Date().toISOString();
      const superseded = old !== undefined && this.olds.includes(old) ? old : undefined;
      if (superseded !== undefined && superseded.pendingReplacement !== true) superseded.delete = true;
      this.keep(state, superseded?.pendingReplacement === true ? superseded : undefined);
    };
    try {
      const { id, outputs } = await this.operation("creating", state, async () => {
        await hooks();
        return kind.create(plainValues(state.inputs), this.contextOf(state, state.customTimeouts?.create));
      });
      finish(id, outputs);
    } catch (error) {
      if (error instanceof PartialCreate) {
        state.initErrors = [error.message];
        finish(error.created.id, error.created.outputs);
      }
      throw error;
    }
    end();
    return this.result(state);
  }

  private async update(
    goal: Goal,
    kind: Kind,
    state: ResourceState,
    old: ResourceState,
    changed: readonly string[],
    paths: readonly string[],
  ): Promise<Registered> {
    const end = this.display.begin("update", state.urn, changed.length > 0 ? ` [${changed.join(", ")}]` : "");
    this.options.onStep?.({ step: "update", urn: state.urn, type: state.type, paths });
    state.id = old.id;
    await this.runHooks(goal.beforeUpdate, old, state);
    if (this.preview) {
      state.outputs = this.expectedOutputs(kind, state, old);
      this.keep(state, old);
      end();
      return this.result(state);
    }
    if (kind.update === undefined) throw new NotServed(`a change of ${changed.join(", ")} of ${state.type}`);
    const update = kind.update.bind(kind);
    const outputs = await this.operation("updating", state, () =>
      update(plainState(old), plainValues(state.inputs), this.contextOf(state, state.customTimeouts?.update)),
    );
    state.outputs = this.annotated(kind, state, outputs);
    state.modified = new Date().toISOString();
    this.keep(state, old);
    end();
    return this.result(state);
  }

  private runHooks(
    names: readonly string[],
    old: ResourceState | undefined,
    state: ResourceState,
  ): Promise<void> {
    const warn = (message: string) => this.display.warning(state.urn, message);
    return this.hooks.before(names, old, state, this.preview, warn);
  }

  private async replace(
    goal: Goal,
    kind: Kind,
    state: ResourceState,
    old: ResourceState,
    because: readonly string[],
  ): Promise<Registered> {
    if (old.protect === true && state.protect === true) {
      throw new Error(
        `unable to replace resource "${state.urn}" (${because.join(", ")} changed) as it is protected: ` +
          "take the `protect` flag from it in the program, then run up again",
      );
    }
    this.replaced.add(state.urn);
    const deleteFirst = goal.deleteBeforeReplace ?? kind.deleteBeforeReplace ?? false;
    if (deleteFirst) await this.deleteForReplacement(old);
    return this.create(goal, kind, state, old, "replace", ` [${because.join(", ")}]`);
  }

  /**
   * Deletes a resource ahead of its replacement, and before it those that its replacement replaces, one after the
   * other. Resources deleted for another one are deleted side by side with it. Each stays in the checkpoint until it is
   * created anew. A second replacement does not delete it again, but deletes all that depend on it. The CLI's engine
   * 3.259 does the same (continueStepsFromDiff, calculateDependentReplacements, findResourcesReplacedWith).
   */
  private async deleteForReplacement(root: ResourceState): Promise<void> {
    const candidates = this.olds.filter((state) => !this.registered.has(state.urn) || state.delete === true);
    const dependents = condemnedWith(root, candidates, (state, condemned) =>
      this.replacedByLossOf(state, condemned),
    );
    const along = this.olds.filter(({ replaceWith }) => replaceWith?.includes(root.urn));
    const condemned = [...dependents, ...along].reverse().filter((state) => !this.condemned.has(state));
    const guarded = condemned.find((state) => state.protect === true && state.delete !== true);
    if (guarded !== undefined) {
      throw new Error(
        `unable to replace resource "${guarded.urn}" as part of replacing "${root.urn}" as it is protected: ` +
          "take the `protect` flag from it in the program, then run up again",
      );
    }
    for (const state of condemned) {
      this.condemned.add(state);
      this.deleted.add(state.urn);
      if (state.delete !== true) this.recreating.add(state.urn);
    }
    for (const state of condemned) await this.remove(state, "deleting for replacement");
    if (root.pendingReplacement !== true) await this.remove(root, "deleting original");
  }

  private replacedByLossOf(state: ResourceState, condemned: ReadonlySet<string>): boolean {
    if (state.provider !== undefined && condemned.has(providerUrn(state.provider))) return true;
    const lost = Object.entries(state.propertyDependencies ?? {}).filter(([, urns]) =>
      urns.some((urn) => condemned.has(urn)),
    );
    if (lost.length === 0) return false;
    const without = { ...state.inputs, ...Object.fromEntries(lost.map(([key]) => [key, UNKNOWN])) };
    const inputs = withIgnoredChanges(without, state.inputs, state.ignoreChanges ?? []);
    const { replaceKeys = [] } = this.kind(state.type);
    return difference(state.inputs, inputs, replaceKeys, state.replaceOnChanges ?? []).replace.length > 0;
  }

  // --- deletion ---------------------------------------------------------------------------------------------

  /** Ends an update: deletes replaced resources and those that the program no longer has. */
  async deleteUnregistered(): Promise<void> {
    for (const urn of this.recreating) if (!this.registered.has(urn)) this.display.summary.deleted += 1;
    await this.deleteAll(this.olds.filter((state) => state.delete === true || !this.news.has(state.urn)));
  }

  /** Deletes everything except protected resources and those that they need. */
  async destroy(): Promise<void> {
    const kept = protectedClosure(this.olds);
    const condemned = this.olds.filter(
      ({ urn, delete: superseded }) => superseded === true || !kept.has(urn),
    );
    this.display.summary.protectedKept = this.olds
      .filter(({ protect }) => protect === true)
      .map(({ urn }) => nameOf(urn));
    const left = this.olds.filter((state) => !condemned.includes(state) && !isDefaultProvider(state));
    this.display.summary.unchanged = left.length;
    await this.deleteAll(condemned);
  }

  private async deleteAll(states: readonly ResourceState[]): Promise<void> {
    const guarded = states.filter((state) => state.protect === true && state.delete !== true);
    for (const { urn } of guarded) {
      this.fail(
        urn,
        new Error(
          "is no longer in the program, but protected: put it back, or take its `protect` flag away first",
        ),
      );
    }
    if (guarded.length > 0) return;
    for (const { urn } of states) this.deleted.add(urn);
    const gone = states.filter(({ pendingReplacement }) => pendingReplacement === true);
    this.olds = this.olds.filter((state) => !gone.includes(state));
    if (gone.length > 0) this.save();
    await dependentsFirst(without(states, gone), async (state) => {
      try {
        await this.remove(state);
        return true;
      } catch (error) {
        this.fail(state.urn, error);
        return false;
      }
    });
  }

  /** Deletes one resource. With `why`, it is one half of a replacement, which the summary does not count by itself. */
  private async remove(state: ResourceState, why?: string): Promise<void> {
    const replaced = why ?? (state.delete === true ? "deleting original" : undefined);
    const counted = replaced === undefined && !isDefaultProvider(state) && state.external !== true;
    if (replaced !== undefined && !this.preview) this.display.line(` -- ${nameOf(state.urn)} ${replaced}`);
    const end = counted ? this.display.begin("delete", state.urn, "", !state.custom) : () => {};
    if (counted) this.options.onStep?.({ step: "delete", urn: state.urn, type: state.type, paths: [] });
    const made = state.custom && !state.type.startsWith(PROVIDER_TYPE) && state.external !== true;
    const kind = made ? this.kind(state.type) : undefined;
    const gone = state.deletedWith !== undefined && this.deleted.has(state.deletedWith);
    const destroy = kind?.delete?.bind(kind);
    if (destroy !== undefined && !gone && state.retainOnDelete !== true && !this.preview) {
      await this.operation("deleting", state, () => {
        const context = this.contextOf(state, state.customTimeouts?.delete);
        return destroy(plainState(state), { ...context, resumed: this.interruptedDeletes.has(state.urn) });
      });
    }
    if (why !== undefined && state.delete !== true) state.pendingReplacement = true;
    else this.olds = this.olds.filter((other) => other !== state);
    this.save();
    end();
  }

  // --- refresh ----------------------------------------------------------------------------------------------

  /**
   * Brings the checkpoint to the clouds' state: objects that no longer exist are forgotten, changed ones are taken
   * over.
   *
   * @param urns Resources to look at. @default all
   */
  async refresh(urns?: readonly string[]): Promise<void> {
    const gone = new Set<string>();
    const asked = this.olds.filter(({ urn }) => urns === undefined || urns.includes(urn));
    await Promise.all(
      asked.map(async (state) => {
        try {
          if (!(await this.reread(state))) gone.add(state.urn);
        } catch (error) {
          this.fail(state.urn, error);
        }
      }),
    );
    if (this.failed) return;
    for (const { urn } of this.olds) if (gone.has(urn)) this.display.begin("delete", urn, "", true)();
    this.olds = this.olds.filter(({ urn }) => !gone.has(urn)).map((state) => withoutNeed(state, gone));
    const { summary } = this.display;
    summary.unchanged = this.olds.filter((state) => !isDefaultProvider(state)).length - summary.updated;
    this.save();
  }

  /** Reads one resource anew. @returns false when it no longer exists */
  private async reread(state: ResourceState): Promise<boolean> {
    if (state.pendingReplacement === true) return true;
    const made = state.custom && !state.type.startsWith(PROVIDER_TYPE) && state.external !== true;
    const kind = made ? this.kind(state.type) : undefined;
    const read = kind?.read?.bind(kind);
    if (kind === undefined || read === undefined) return true;
    const seen = await this.track(this.slot(() => read(plainState(state), this.contextOf(state, undefined))));
    if (seen === undefined) return false;
    const asked = Object.keys(state.inputs).filter(
      (key) => key in seen && changedPaths(state.inputs[key], seen[key]).length > 0,
    );
    const end = asked.length > 0 ? this.display.begin("update", state.urn, "", true) : () => {};
    for (const key of asked) {
      state.inputs[key] = containsSecret(state.inputs[key]) ? secret(seen[key]!) : seen[key]!;
    }
    state.outputs = { ...state.outputs, ...this.annotated(kind, state, seen) };
    end();
    return true;
  }

  // --- after a kill -----------------------------------------------------------------------------------------

  /**
   * Settles the operations that a killed update left. A create whose result exists is finished and put into the
   * checkpoint; this update does the others anew.
   * @throws one line for a resource that exists, but that this stack did not make
   */
  async recover(): Promise<void> {
    if (!this.options.adopt) return this.warnOfPending();
    for (const { resource, type } of this.checkpoint.operations) {
      if (type === "deleting") this.interruptedDeletes.add(resource.urn);
      const adopt = type === "creating" ? this.kind(resource.type).adopt : undefined;
      if (adopt === undefined || this.preview) continue;
      const inputs = plainValues(resource.inputs);
      const taken = this.olds.flatMap((old) => (old.type === resource.type ? [old.id ?? ""] : []));
      const context = this.contextOf(resource, resource.customTimeouts?.create);
      const adopted = await this.track(adopt(inputs, { ...context, taken }));
      if (adopted === undefined) continue;
      const kind = this.kind(resource.type);
      this.olds = this.olds.filter((old) => old.urn !== resource.urn || old.pendingReplacement !== true);
      for (const old of this.olds) if (old.urn === resource.urn) old.delete = true;
      this.olds.push({
        ...resource,
        id: adopted.id,
        outputs: this.annotated(kind, resource, adopted.outputs),
      });
      this.display.line(
        `    ${nameOf(resource.urn)}: found what the killed update had created, ${adopted.id}; going on with it`,
      );
    }
    if (!this.preview) this.save();
  }

  /** Warns of pending creates, in the CLI's words: they stay on record, and the update tries to make them again. */
  private warnOfPending(): void {
    const creating = this.checkpoint.operations.filter(({ type }) => type === "creating");
    for (const operation of creating) {
      this.operations.add(operation);
      this.display.warning(operation.resource.urn, "interrupted while creating");
    }
  }

  // --- means ------------------------------------------------------------------------------------------------

  private fail(urn: string, error: unknown): void {
    this.failures.add(urn);
    this.display.error(urn, error instanceof Error ? error.message : String(error));
  }

  private result(state: ResourceState): Registered {
    return { urn: state.urn, id: state.id ?? "", outputs: state.outputs, failed: false };
  }

  /** Outputs in their stored form: secret when the type, the program or the input of that name says so. */
  private annotated(kind: Kind, state: ResourceState, outputs: Values): Values {
    const secrets = [...(kind.secretOutputs ?? []), ...(state.additionalSecretOutputs ?? [])];
    return Object.fromEntries(
      Object.entries(outputs).map(([key, value]) => [
        key,
        secrets.includes(key) || containsSecret(state.inputs[key]) ? secret(value) : value,
      ]),
    );
  }

  private expectedOutputs(kind: Kind, state: ResourceState, old: ResourceState): Values {
    const computed = Object.entries(old.outputs).filter(([key]) => !(key in old.inputs));
    const expected = computed.map(([key, value]) => [
      key,
      kind.outputsFollowInputs === true ? UNKNOWN : value,
    ]);
    return { ...(Object.fromEntries(expected) as Values), ...state.inputs };
  }

  private contextOf(state: ResourceState, timeout: number | undefined): Context {
    return this.context(state.urn, state.provider ?? "", timeout);
  }

  private context(urn: string, provider: string, timeoutSeconds: number | undefined): Context {
    const reference = providerUrn(provider);
    const configured = this.news.get(reference) ?? this.olds.find((state) => state.urn === reference);
    return {
      env: this.options.env,
      config: plainValues(configured?.inputs ?? {}),
      projectDir: this.options.projectDir,
      name: nameOf(urn),
      log: (line) => this.display.log(urn, line),
      timeout: timeoutSeconds === undefined ? undefined : AbortSignal.timeout(timeoutSeconds * 1000),
    };
  }

  /** Replaces the former state of a resource. When both say the same, the file is not written. */
  private keep(state: ResourceState, old: ResourceState | undefined): void {
    this.news.set(state.urn, state);
    if (old !== undefined) this.olds = this.olds.filter((other) => other !== old);
    if (!isDeepStrictEqual(state, old)) this.save();
  }

  private save(): void {
    if (this.preview) return;
    this.checkpoint.resources = inDependencyOrder([...this.news.values(), ...this.olds]);
    this.checkpoint.operations = [...this.operations];
    this.checkpoint.save();
  }

  /** Runs one call of a driver between two writes of the checkpoint. */
  private async operation<T>(
    type: Operation["type"],
    resource: ResourceState,
    action: () => Promise<T>,
  ): Promise<T> {
    return this.slot(async () => {
      const operation = { resource, type };
      this.operations.add(operation);
      this.save();
      const start = Date.now();
      try {
        const result = await action();
        this.operations.delete(operation); // from disk with the result, in one write
        return result;
      } catch (error) {
        this.operations.delete(operation);
        if (!(error instanceof PartialCreate)) this.save();
        throw error;
      } finally {
        this.options.onOperation?.({ urn: resource.urn, type, start, end: Date.now() });
      }
    });
  }

  private async slot<T>(action: () => Promise<T>): Promise<T> {
    if (this.slots === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.slots -= 1;
    try {
      return await action();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.slots += 1;
      else next();
    }
  }

  private track<T>(promise: Promise<T>): Promise<T> {
    this.running.add(promise);
    const done = () => this.running.delete(promise);
    promise.then(done, done);
    return promise;
  }
}

/**
 * True when a changed trigger forces a replacement. Absent on both sides never does; an unknown value always does
 * (shouldTriggerReplace).
 */
function isTriggered(state: ResourceState, old: ResourceState): boolean {
  const [now, before] = [state, old].map(({ replacementTrigger: trigger }) => trigger ?? undefined);
  if (containsUnknown(now)) return true;
  return now !== undefined && before !== undefined && changedPaths(before, now).length > 0;
}

function without<T>(all: readonly T[], some: readonly T[]): T[] {
  return all.filter((one) => !some.includes(one));
}

/** True for providers that the engine makes itself, which no summary counts. */
function isDefaultProvider({ type, urn }: ResourceState): boolean {
  return type.startsWith(PROVIDER_TYPE) && nameOf(urn).startsWith("default_");
}

function plainState({ id = "", inputs, outputs }: ResourceState): State {
  return { id, inputs: plainValues(inputs), outputs: plainValues(outputs) };
}

/** Sorts stably: states keep their order, except those that stand before something that they need. */
function inDependencyOrder(states: readonly ResourceState[]): ResourceState[] {
  const seen = new Set<ResourceState>();
  const placed: ResourceState[] = [];
  const place = (state: ResourceState): void => {
    if (seen.has(state)) return;
    seen.add(state);
    const needed = needs(state);
    for (const other of states) if (other !== state && needed.has(other.urn)) place(other);
    placed.push(state);
  };
  states.forEach(place);
  return placed;
}
