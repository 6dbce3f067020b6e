import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";

import { transformSync } from "@swc/core";

import {
  destroy,
  outputs,
  preview,
  refresh,
  up,
  UpdateFailed,
  type Summary,
  type UpdateOptions,
} from "../../../sandbox/engine";
import type { Export, ResourceState } from "../../../sandbox/engine/checkpoint";
import { PartialCreate, type Context, type Driver, type Kind } from "../../../sandbox/engine/driver";
import { drivers } from "../../../sandbox/engine/drivers";
import type { Values } from "../../../sandbox/engine/wire";

/** The project's own folder. */
export const root = join(__dirname, "../../..");

/** Beginning of every program of these tests: a resource of the provider below, and a component. */
const PRELUDE = `
import * as pulumi from "@pulumi/pulumi";
class Thing extends pulumi.CustomResource {
  declare serial: pulumi.Output<string>;
  constructor(name: string, props: Record<string, unknown> = {}, opts?: pulumi.CustomResourceOptions, type = "Thing") {
    super("test:index:" + type, name, { serial: undefined, ...props }, opts);
  }
}
class Group extends pulumi.ComponentResource {
  constructor(name: string, args = {}, opts?: pulumi.ComponentResourceOptions) {
    super("test:index:Group", name, args, opts);
  }
}
void Thing; void Group;
`;

export interface Result {
  readonly summary: Summary;
  readonly output: string;
  /** Errors; empty after a success. */
  readonly errors: readonly string[];
}

/** Project folder, a state folder, and a provider "test" that records its calls. */
export class Workbench {
  readonly directory = mkdtempSync(join(tmpdir(), "engine-"));
  readonly projectDir = join(this.directory, "project");
  readonly stateDir = join(this.directory, "state");
  /** Calls in the provider's order: "create a", "delete b" … */
  readonly calls: string[] = [];
  /** Has updates continue what a killed one began. */
  adopt = true;
  /** Names of resources whose every operation fails. */
  readonly broken = new Set<string>();
  /** Called for each call before its answer. */
  onCall: ((call: string) => void) | undefined;
  config: Record<string, unknown> = {};
  env: Record<string, string> = {};
  private serial = 0;

  constructor(program: string, config = "") {
    mkdirSync(this.projectDir);
    symlinkSync(join(root, "node_modules"), join(this.projectDir, "node_modules"));
    writeFileSync(join(this.projectDir, "package.json"), '{ "name": "demo" }');
    writeFileSync(
      join(this.projectDir, "Pulumi.yaml"),
      `name: demo\nruntime: { name: nodejs, options: { typescript: false } }\n${config}`,
    );
    this.program(program);
  }

  /** Writes a program in TypeScript, compiled here: the SDK's own compiler takes a second at each run. */
  program(body: string): void {
    this.write("index", PRELUDE + body);
  }

  /** Puts modules of the project beside the program, e.g. "clouds/names". */
  modules(...paths: readonly string[]): void {
    for (const path of paths) this.write(path, readFileSync(join(root, `${path}.ts`), "utf8"));
  }

  private write(name: string, text: string): void {
    const { code } = transformSync(text, {
      jsc: { parser: { syntax: "typescript" }, target: "es2022" },
      module: { type: "commonjs" },
    });
    const file = join(this.projectDir, `${name}.js`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  options(
    out: NodeJS.WritableStream = new Writable({ write: (_chunk, _encoding, done) => done() }),
  ): UpdateOptions {
    const { projectDir, stateDir, config, env, adopt } = this;
    const all = { ...drivers, test: this.provider() };
    return { projectDir, stateDir, config, env, adopt, stack: "dev", engine: "embedded", out, drivers: all };
  }

  up(replace: readonly string[] = []): Promise<Result> {
    return this.update((options) => up({ ...options, replace }));
  }

  preview(): Promise<Result> {
    return this.update(preview);
  }

  refresh(): Promise<Result> {
    return this.update(refresh);
  }

  /** @param refreshed Refreshes first, like `pulumi destroy --refresh`. */
  destroy(refreshed = false): Promise<Result> {
    return this.update((options) => destroy({ ...options, refresh: refreshed }));
  }

  /** Runs an action in a process of its own, and kills it without warning as soon as `when` is true. */
  async killed(action: "up" | "destroy", when: () => boolean): Promise<void> {
    const { projectDir, stateDir, stack, config, env, engine } = this.options();
    const child = spawn(process.execPath, ["--import", "tsx", join(root, "sandbox/engine/main.ts")], {
      cwd: root,
      stdio: ["pipe", "ignore", "inherit"],
    });
    child.stdin.end(JSON.stringify({ action, projectDir, stateDir, stack, config, env, engine }));
    const ended = once(child, "exit");
    while (!when()) {
      if (child.exitCode !== null) throw new Error(`the ${action} ended by itself`);
      await new Promise((done) => setTimeout(done, 20));
    }
    child.kill("SIGKILL");
    await ended;
  }

  outputs(showSecrets = false): Promise<Record<string, unknown>> {
    return outputs(this.options(), { showSecrets });
  }

  /** Checkpoint on disk. */
  text(): string {
    return readFileSync(join(this.stateDir, "stacks", "dev.json"), "utf8");
  }

  resources(): ResourceState[] {
    const { deployment } = JSON.parse(this.text()) as Export;
    return (deployment.resources ?? []) as unknown as ResourceState[];
  }

  resource(name: string): ResourceState | undefined {
    return this.resources().find(({ urn }) => urn.endsWith(`::${name}`));
  }

  /** Calls of the provider since the last call of this. */
  takeCalls(): string[] {
    return this.calls.splice(0);
  }

  private async update(action: (options: UpdateOptions) => Promise<Summary>): Promise<Result> {
    let output = "";
    const out = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        output += chunk.toString();
        done();
      },
    });
    try {
      return { summary: await action(this.options(out)), output, errors: [] };
    } catch (error) {
      if (!(error instanceof UpdateFailed)) throw error;
      return { summary: error.summary, output, errors: error.errors };
    }
  }

  private provider(): Driver {
    const act = async (what: string, { name, timeout }: Context, inputs: Values) => {
      this.calls.push(`${what} ${name}`);
      this.onCall?.(`${what} ${name}`);
      if (inputs.forever === true) {
        await new Promise((_, reject) =>
          timeout?.addEventListener("abort", () => reject(new Error("timed out"))),
        );
      }
      await new Promise((done) => setTimeout(done, Number(inputs.ms ?? 0)));
      if (this.broken.has(name)) throw new Error(`no luck with ${name}`);
    };
    const thing: Kind = {
      replaceKeys: ["size"],
      create: async (inputs, context) => {
        await act("create", context, inputs);
        const created = {
          id: `id-${++this.serial}`,
          outputs: { ...inputs, serial: `serial-${this.serial}` },
        };
        if (inputs.half === true) throw new PartialCreate(created, new Error("only half done"));
        return created;
      },
      update: async (old, inputs, context) => {
        await act("update", context, inputs);
        return { ...inputs, serial: old.outputs.serial ?? null };
      },
      delete: async ({ inputs }, context) => act("delete", context, inputs),
    };
    const named: Kind = { ...thing, deleteBeforeReplace: true };
    return {
      version: "1.0.0",
      kinds: { "test:index:Thing": thing, "test:index:Named": named },
      invokes: {
        "test:index:look": async ({ key }, { config }) => ({
          found: `${String(key)}!`,
          config: config.place ?? "",
        }),
      },
    };
  }
}
