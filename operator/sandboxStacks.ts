/**
 * Stacks of the sandbox, by the sandbox's own engine, embedded or the Pulumi CLI. Loaded only inside the sandbox: it
 * needs the packages of the development.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";

import { chooseEngine } from "../sandbox/commands/engine";
import { readProgramSettings, readSettings, usesAws } from "../sandbox/commands/settings";
import { cloudOf, rememberCloud, rememberSets, setsOf, type Cloud } from "../sandbox/commands/stacks";
import * as engine from "../sandbox/engine";
import { writeJson } from "../sandbox/hosts/files";
import { PROJECT_DIR, STACKS_DIR } from "../sandbox/paths";
import { nameOf, type Change } from "../cli/pulumiEvents";
import type { StackState } from "./recover/state";
import { readProjectFile, type StackSettings, withoutBase } from "../cli/stackFiles";
import { exportedResources } from "./stackExport";
import { stepFailure } from "./stepFailure";
import {
  StackBusy,
  StackNotFound,
  UpdateFailed,
  type StackInfo,
  type StackResource,
  type Stacks,
} from "./stacks";

/**
 * Opens the stacks.
 *
 * @param out Gets the output of updates.
 * @param program Folder of another program. @default this project's
 */
export function openSandboxStacks(out: NodeJS.WritableStream, program?: string): Stacks {
  const projectDir = program ?? PROJECT_DIR;
  const file = readProjectFile(projectDir);
  const project = file.name;
  const cliStacks = join(STACKS_DIR, "pulumi", ".pulumi", "stacks", project);

  return {
    ...{
      project,
      resumesKilledUpdates: true,
      list,
      settings,
      preview,
      up,
      upAgain,
      configure,
      refresh,
      destroy,
      settle,
      remove,
      outputs,
      resources,
    },
    ...{ exportState, importState },
  };

  function list(): Promise<readonly StackInfo[]> {
    const files = (directory: string, ending: string) =>
      (existsSync(directory) ? readdirSync(directory) : [])
        .filter((file) => file.endsWith(ending))
        .map((file) => file.slice(0, -ending.length));
    const names = new Set([
      ...files(join(STACKS_DIR, "stacks"), ".json"),
      ...files(cliStacks, ".json"),
      ...files(STACKS_DIR, RECORD),
    ]);
    const infos = [...names].sort().map((name) => ({ name, updating: engine.isLocked(STACKS_DIR, name) }));
    return Promise.resolve(infos);
  }

  async function settings(stack: string): Promise<StackSettings> {
    await assertKnown(stack);
    if (program !== undefined) return readProgramSettings(program, []);
    return recorded(stack) ?? readSettings(stack, setsOf(stack), cloudOf(stack));
  }

  async function preview(stack: string, wanted: StackSettings): Promise<readonly Change[]> {
    await assertKnown(stack);
    const changes: Change[] = [];
    const onStep = (step: engine.StepEvent) => changes.push({ ...step, name: nameOf(step.urn) });
    const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
    await update(stack, async () =>
      engine.preview({ ...(await options(stack, wanted)), out: silent, onStep }),
    );
    return changes;
  }

  async function up(stack: string, wanted: StackSettings): Promise<void> {
    if (engine.isLocked(STACKS_DIR, stack)) throw new StackBusy(stack);
    writeJson(recordOf(stack), wanted);
    rememberCloud(stack, wanted.cloud === "aws" ? "aws" : "hetzner");
    await update(stack, async () => engine.up(await options(stack, wanted)));
  }

  async function upAgain(stack: string, once: StackSettings): Promise<void> {
    const own = await settings(stack);
    await update(stack, async () => engine.up(await options(stack, { ...own, ...once })));
  }

  async function configure(
    stack: string,
    changed: Readonly<Record<string, string | undefined>>,
  ): Promise<void> {
    await assertKnown(stack);
    const others = setsOf(stack).filter((set) => !(set.slice(0, set.indexOf("=")) in changed));
    const sets = Object.entries(changed).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${value}`],
    );
    rememberSets(stack, [...others, ...sets]);
  }

  async function refresh(stack: string): Promise<void> {
    const last = await settings(stack);
    await update(stack, async () => engine.refresh(await options(stack, last)));
  }

  async function destroy(stack: string): Promise<void> {
    const last = await settings(stack);
    await update(stack, async () => engine.destroy({ ...(await options(stack, last)), refresh: true }));
  }

  /** Does nothing: the next update settles it by itself, and finds what exists. */
  async function settle(stack: string): Promise<void> {
    await assertKnown(stack);
    if (engine.isLocked(STACKS_DIR, stack)) throw new StackBusy(stack);
  }

  async function remove(stack: string): Promise<void> {
    const last = await settings(stack);
    await update(stack, async () => engine.remove(await options(stack, last)));
    for (const file of [recordOf(stack), join(STACKS_DIR, `${stack}.cloud`)]) rmSync(file, { force: true });
  }

  async function outputs(
    stack: string,
    { showSecrets }: { readonly showSecrets: boolean },
  ): Promise<Readonly<Record<string, unknown>>> {
    return engine.outputs(await options(stack, await settings(stack)), { showSecrets });
  }

  async function exportState(stack: string): Promise<StackState> {
    const exported = await engine.stackExport(await options(stack, await settings(stack)));
    return (exported ?? { deployment: {} }) as StackState;
  }

  async function importState(stack: string, state: StackState, urns: readonly string[]): Promise<void> {
    const last = await settings(stack);
    await update(stack, async () =>
      engine.stackImport(await options(stack, last), state as engine.Export, urns),
    );
  }

  async function resources(stack: string): Promise<readonly StackResource[]> {
    return exportedResources(await exportState(stack));
  }

  async function assertKnown(stack: string): Promise<void> {
    if (!(await list()).some(({ name }) => name === stack)) throw new StackNotFound(stack);
  }

  async function options(stack: string, config: StackSettings): Promise<engine.UpdateOptions> {
    return {
      projectDir,
      stack,
      config: withoutBase(config, file),
      env: credentials(process.env),
      stateDir: STACKS_DIR,
      engine: await chooseEngine("auto", stack, { aws: usesAws(config) }),
      out,
    };
  }

  async function update<T>(stack: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof engine.Locked) throw new StackBusy(stack, error.message);
      if (error instanceof engine.UpdateFailed)
        throw new UpdateFailed(stack, stepFailure(error.message.split("\n")).join("\n"));
      throw error;
    }
  }
}

/** Name of the file with a test server's settings, written before anything of it is made. */
const RECORD = ".settings.json";

function recordOf(stack: string): string {
  return join(STACKS_DIR, `${stack}${RECORD}`);
}

function recorded(stack: string): StackSettings | undefined {
  const file = recordOf(stack);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as StackSettings) : undefined;
}

/** Variables for the providers that the sandbox's own command set in this process's environment. */
function credentials(environment: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.entries(environment).filter(([key]) => /^(HCLOUD|AWS)_/.test(key));
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Settings with each secret's text in its place, as Pulumi's CLI shows them to those who may decrypt them. */
export function opened(settings: StackSettings): StackSettings {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      key,
      engine.mapSecrets(value as Parameters<typeof engine.mapSecrets>[0], (secret) => secret),
    ]),
  );
}

/** Folder in which commands keep what they need of the sandbox's stacks. */
export const KEPT_DIR = join(STACKS_DIR, "kept");

/** Settings of a sandbox's stack without a record: its file's, overridden by the sandbox's own. */
export function sandboxSettings(
  stack: string,
  set: readonly string[],
  cloud: Cloud | undefined,
): StackSettings {
  return readSettings(stack, set, cloud);
}
