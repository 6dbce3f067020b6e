/**
 * A stack's state on disk, shaped like `pulumi stack export` (deployment version 3): every resource, and the
 * operations that were running. Written whole around each step, so that a killed update can be continued.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { Crypter } from "./secrets";
import type { Value, Values } from "./wire";

export interface ResourceState {
  urn: string;
  custom: boolean;
  /** Read, not made: an object that others change and delete. */
  external?: boolean;
  /** Replaced, and still to be deleted. */
  delete?: boolean;
  /** Deleted ahead of its replacement, which has yet to be created. */
  pendingReplacement?: boolean;
  id?: string;
  type: string;
  inputs: Values;
  outputs: Values;
  parent?: string;
  protect?: boolean;
  dependencies?: string[];
  /** The create was not finished; the next update continues it. */
  initErrors?: string[];
  provider?: string;
  propertyDependencies?: Record<string, string[]>;
  additionalSecretOutputs?: string[];
  /** Seconds. */
  customTimeouts?: { create?: number; update?: number; delete?: number };
  retainOnDelete?: boolean;
  deletedWith?: string;
  replaceWith?: string[];
  ignoreChanges?: string[];
  replaceOnChanges?: string[];
  replacementTrigger?: Value;
  created?: string;
  modified?: string;
}

export interface Operation {
  resource: ResourceState;
  type: "creating" | "updating" | "deleting";
}

interface Deployment {
  manifest: { time: string; magic: string; version: string };
  secrets_providers: { type: "passphrase"; state: { salt: string } };
  resources?: Value[];
  pending_operations?: Value[];
  metadata: Record<string, never>;
}

export interface Export {
  version: 3;
  deployment: Deployment;
}

/** Reads and writes one stack's checkpoint, its secrets always encrypted. */
export class Checkpoint {
  resources: ResourceState[] = [];
  operations: Operation[] = [];
  private readonly crypter: Crypter;
  private written = "";

  private constructor(
    private readonly file: string,
    stateDir: string,
  ) {
    const stored = Checkpoint.read(file);
    this.crypter = Crypter.fromStateDir(stateDir, stored?.deployment.secrets_providers.state.salt);
    if (stored !== undefined) {
      const open = (value: Value) => this.crypter.open(value);
      this.resources = (stored.deployment.resources ?? []).map(open) as unknown as ResourceState[];
      this.operations = (stored.deployment.pending_operations ?? []).map(open) as unknown as Operation[];
      for (const resource of [...this.resources, ...this.operations.map((operation) => operation.resource)]) {
        resource.inputs ??= {};
        resource.outputs ??= {};
      }
      const { resources = [], pending_operations = [] } = stored.deployment;
      this.written = JSON.stringify({ resources, pending_operations });
    }
  }

  static file(stateDir: string, stack: string): string {
    return join(stateDir, "stacks", `${stack}.json`);
  }

  /** Loads a stack's checkpoint; an empty one for a new stack. */
  static load(stateDir: string, stack: string): Checkpoint {
    return new Checkpoint(Checkpoint.file(stateDir, stack), stateDir);
  }

  /** Content of the file, secrets encrypted; undefined without a file. */
  static read(file: string): Export | undefined {
    if (!existsSync(file)) return undefined;
    try {
      return JSON.parse(readFileSync(file, "utf8")) as Export;
    } catch (error) {
      throw new Error(`the checkpoint ${file} cannot be read: ${String(error)}`, { cause: error });
    }
  }

  /** Replaces a stack's state by another. */
  static replace(stateDir: string, stack: string, state: Export): void {
    writeDurably(Checkpoint.file(stateDir, stack), JSON.stringify(state, undefined, 2));
  }

  /**
   * Writes the file before it returns: a new file is synced and renamed over the old. Unchanged content is not written.
   */
  save(): void {
    const seal = (value: unknown) => this.crypter.seal(value as Value);
    const content = {
      resources: this.resources.map(seal),
      pending_operations: this.operations.map(seal),
    };
    const text = JSON.stringify(content);
    if (text === this.written) return;
    const whole: Export = {
      version: 3,
      deployment: {
        manifest: { time: new Date().toISOString(), magic: "", version: "" },
        secrets_providers: { type: "passphrase", state: { salt: this.crypter.salt } },
        ...content,
        metadata: {},
      },
    };
    writeDurably(this.file, JSON.stringify(whole, undefined, 2));
    this.written = text;
  }
}

function writeDurably(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.new`;
  const handle = openSync(temporary, "w", 0o600);
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
  const directory = openSync(dirname(file), "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
