/** Registration of a resource by the program. Refuses options that the engine does not serve, by name. */
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";

import type { ResourceState } from "./checkpoint";
import { fromStruct, known, type Value, type Values } from "./wire";

export const STACK_TYPE = "pulumi:pulumi:Stack";

/** Type of a reference to another stack's outputs. */
export const STACK_REFERENCE = "pulumi:pulumi:StackReference";

/** Error that stops the whole run: it needs something that only the real engine has. */
export class NotServed extends Error {
  constructor(what: string) {
    super(`${what} is not served by the embedded engine: use --engine pulumi`);
  }
}

export interface Goal {
  readonly type: string;
  readonly name: string;
  readonly parent: string;
  readonly custom: boolean;
  readonly inputs: Values;
  /** "urn::id" of an explicit provider, or empty. */
  readonly provider: string;
  readonly version: string;
  readonly deleteBeforeReplace: boolean | undefined;
  /** Names of hooks. */
  readonly beforeCreate: readonly string[];
  readonly beforeUpdate: readonly string[];
  readonly options: Pick<
    ResourceState,
    | "protect"
    | "dependencies"
    | "propertyDependencies"
    | "additionalSecretOutputs"
    | "customTimeouts"
    | "retainOnDelete"
    | "deletedWith"
    | "replaceWith"
    | "ignoreChanges"
    | "replaceOnChanges"
    | "replacementTrigger"
  >;
}

/** Reads a registration. @throws NotServed for an option that has no effect here */
export function readGoal(request: RegisterResourceRequest): Goal {
  const type = request.getType();
  const refuse = (used: boolean, option: string) => {
    if (used) throw new NotServed(`the option ${option} of ${type} "${request.getName()}"`);
  };
  refuse(request.getRemote(), "remote (a packaged component)");
  refuse(request.getImportid() !== "", "import");
  refuse(request.getAliasesList().length + request.getAliasurnsList().length > 0, "aliases");
  refuse(request.getTransformsList().length > 0, "transforms");
  refuse(request.getStateMigrationsList().length > 0, "stateMigrations");
  refuse(request.getHidediffsList().length > 0, "hideDiffs");
  refuse(request.getEnvvarmappingsMap().getLength() > 0, "envVarMappings");
  refuse(request.getPackageref() !== "", "packageRef (a parameterized package)");
  const {
    beforeCreateList: beforeCreate = [],
    beforeUpdateList: beforeUpdate = [],
    ...otherHooks
  } = request.getHooks()?.toObject() ?? {};
  refuse(
    Object.values(otherHooks).some((hooks) => hooks.length > 0),
    "hooks, but for beforeCreate and beforeUpdate",
  );
  const timeouts = request.getCustomtimeouts();
  refuse((timeouts?.getRead() ?? "") !== "", "customTimeouts.read");
  return {
    type,
    name: request.getName(),
    parent: request.getParent(),
    custom: request.getCustom(),
    inputs: fromStruct(request.getObject()),
    provider: request.getProvider(),
    version: request.getVersion(),
    deleteBeforeReplace: request.getDeletebeforereplacedefined()
      ? request.getDeletebeforereplace()
      : undefined,
    beforeCreate,
    beforeUpdate,
    options: compact({
      protect: request.getProtect() || undefined,
      dependencies: list(request.getDependenciesList().sort()),
      propertyDependencies: propertyDependencies(request),
      additionalSecretOutputs: list(request.getAdditionalsecretoutputsList()),
      customTimeouts: timeoutsInSeconds(timeouts?.toObject()),
      retainOnDelete: request.getRetainondelete() || undefined,
      deletedWith: request.getDeletedwith() || undefined,
      replaceWith: list(request.getReplaceWithList()),
      ignoreChanges: list(request.getIgnorechangesList()),
      replaceOnChanges: list(request.getReplaceonchangesList()),
      replacementTrigger:
        known((request.getReplacementTrigger()?.toJavaScript() ?? null) as Value) ?? undefined,
    }),
  };
}

function list(items: string[]): string[] | undefined {
  return items.length > 0 ? items : undefined;
}

/** Returns the object without its undefined members. */
export function compact<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

function propertyDependencies(request: RegisterResourceRequest): Record<string, string[]> | undefined {
  const entries: [string, string[]][] = [];
  request.getPropertydependenciesMap().forEach((dependencies, key) => {
    entries.push([key, dependencies.getUrnsList().sort()]);
  });
  return entries.length > 0 ? Object.fromEntries(entries.sort()) : undefined;
}

function timeoutsInSeconds(timeouts: { create: string; update: string; pb_delete: string } | undefined) {
  if (timeouts === undefined) return undefined;
  const { create, update, pb_delete } = timeouts;
  const result = compact({ create: duration(create), update: duration(update), delete: duration(pb_delete) });
  return Object.keys(result).length > 0 ? result : undefined;
}

const UNITS: Readonly<Record<string, number>> = {
  h: 3600,
  m: 60,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  µs: 1e-6,
  ns: 1e-9,
};

/** Seconds of a Go duration such as "1h30m"; undefined for an empty text. */
export function duration(text: string): number | undefined {
  if (text === "") return undefined;
  if (!/^(\d+(\.\d+)?(ms|us|µs|ns|h|m|s))+$/.test(text))
    throw new Error(`"${text}" is not a duration such as "20m"`);
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ""] ?? 0),
    0,
  );
}
