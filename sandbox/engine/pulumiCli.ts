/**
 * The engine "pulumi": the real CLI, through the Automation API, with its state in a folder of this machine. Its
 * files are in the state directory, never in the project: neither a Pulumi.<stack>.yaml nor a login is touched.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { promisify } from "node:util";

import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import { parse, stringify } from "yaml";

import { changeOf, nameOf } from "../../cli/pulumiEvents";

import type { Operation, ResourceState } from "./checkpoint";
import { emptySummary, type Summary } from "./display";
import type { Created } from "./driver";
import { drivers } from "./drivers";
import { providerUrn } from "./graph";
import { startTime } from "./lock";
import { applyConfig, mapSecrets, readProject, type Project } from "./project";
import { Crypter, passphraseFile } from "./secrets";
import { UpdateFailed, urnsOf, type UpdateOptions } from "./update";
import { plainValues, type Value, type Values } from "./wire";

interface Opened {
  readonly stack: Stack;
  readonly run: {
    readonly color: "never";
    readonly onOutput: (text: string) => void;
    readonly onEvent: (event: EngineEvent) => void;
  };
  /** Summary of the last operation, by its events. */
  readonly summary: Summary;
}

export async function up(options: UpdateOptions): Promise<Summary> {
  removeDeadLocks(options);
  const opened = await configured(options);
  await goOnAfterKill(opened, options);
  const replace = await replacedBy(opened, options);
  return finished(opened, () => opened.stack.up({ ...opened.run, replace }));
}

export async function preview(options: UpdateOptions): Promise<Summary> {
  const opened = await configured(options);
  const replace = await replacedBy(opened, options);
  return finished(opened, () => opened.stack.preview({ ...opened.run, replace }));
}

export async function refresh(options: UpdateOptions): Promise<Summary> {
  removeDeadLocks(options);
  const opened = await configured(options);
  await goOnAfterKill(opened, options);
  return finished(opened, () => opened.stack.refresh(opened.run));
}

export async function destroy(options: UpdateOptions): Promise<Summary> {
  removeDeadLocks(options);
  const opened = await configured(options);
  await goOnAfterKill(opened, options);
  const summary = await finished(opened, () =>
    opened.stack.destroy({ ...opened.run, excludeProtected: true, refresh: options.refresh }),
  );
  const { resources = [] } = await deploymentOf(opened.stack);
  summary.protectedKept = resources.filter((state) => state.protect === true).map(({ urn }) => nameOf(urn));
  for (const name of summary.protectedKept) options.out.write(`    ${name} is protected and was kept\n`);
  return summary;
}

export async function outputs(
  options: UpdateOptions,
  showSecrets: boolean,
): Promise<Record<string, unknown>> {
  const { stack } = await open(options);
  const all = Object.entries(await stack.outputs());
  return Object.fromEntries(
    all.map(([key, { value, secret }]) => [key, secret && !showSecrets ? "[secret]" : (value as unknown)]),
  );
}

/** Forgets a stack. @throws for a stack that still has resources */
export async function remove(options: UpdateOptions): Promise<void> {
  removeDeadLocks(options);
  const { stack } = await open(options);
  await stack.workspace.removeStack(stack.name);
}

export async function stackImport(
  options: UpdateOptions,
  state: unknown,
  urns: readonly string[],
): Promise<void> {
  removeDeadLocks(options);
  const opened = await configured(options);
  const { workDir, envVars } = opened.stack.workspace;
  const file = join(workDir, `${options.stack}-state.json`);
  writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
  try {
    const args = ["stack", "import", "--stack", opened.stack.name, "--file", file];
    await promisify(execFile)("pulumi", args, { cwd: workDir, env: { ...process.env, ...envVars } });
  } finally {
    rmSync(file, { force: true });
  }
  if (urns.length > 0)
    await finished(opened, () => opened.stack.refresh({ ...opened.run, target: [...urns] }));
}

export async function stackExport(options: UpdateOptions): Promise<unknown> {
  return encrypted((await open(options)).stack);
}

/** State of a stack with its secrets as they are kept: the Automation API's own export opens every one. */
async function encrypted({
  name,
  workspace: { workDir, envVars },
}: Stack): Promise<{ deployment?: Deployment }> {
  const { stdout } = await promisify(execFile)("pulumi", ["stack", "export", "--stack", name], {
    cwd: workDir,
    env: { ...process.env, ...envVars },
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as { deployment?: Deployment };
}

// --- the stack and its settings -------------------------------------------------------------------------------

function backendDir({ stateDir }: UpdateOptions): string {
  return join(resolve(stateDir), "pulumi");
}

/** Opens the stack with the settings of this update, checked like by the CLI, but all at once. */
async function configured(options: UpdateOptions): Promise<Opened> {
  const project = readProject(options.projectDir);
  applyConfig(project, options.stack, options.config as Values);
  const opened = await open(options);
  writeSettings(join(opened.stack.workspace.workDir, `Pulumi.${options.stack}.yaml`), project, options);
  return opened;
}

async function open(options: UpdateOptions): Promise<Opened> {
  // Half a second to load, for this engine only.
  const { LocalWorkspace, PulumiCommand } = await import("@pulumi/pulumi/automation/index.js");
  const pulumiCommand = await PulumiCommand.get().catch((error: unknown) => {
    throw new Error(
      "the engine pulumi needs the `pulumi` CLI on PATH: install it, or use --engine embedded",
      {
        cause: error,
      },
    );
  });
  const backend = backendDir(options);
  const workDir = join(backend, "work");
  mkdirSync(workDir, { recursive: true, mode: 0o700 });
  writeProject(workDir, options.projectDir);
  const envVars = {
    ...options.env,
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(resolve(options.stateDir)),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // There is no way out: of a package without its plugin, as aws, the CLI would try to fetch it five times.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: options.stack, workDir },
    { envVars, pulumiCommand, secretsProvider: "passphrase" },
  );
  const summary = emptySummary();
  return {
    stack,
    summary,
    run: {
      color: "never",
      onOutput: (text) => options.out.write(text),
      onEvent: (event) => {
        const changes = event.summaryEvent?.resourceChanges as Record<string, number> | undefined;
        if (changes !== undefined) Object.assign(summary, counted(changes));
        const change = changeOf(event);
        if (change !== undefined) options.onStep?.(change);
      },
    },
  };
}

function counted(changes: Readonly<Record<string, number>>): Partial<Summary> {
  return {
    created: changes.create ?? 0,
    updated: changes.update ?? 0,
    replaced: changes.replace ?? 0,
    deleted: changes.delete ?? 0,
    unchanged: changes.same ?? 0,
  };
}

/**
 * Writes a copy of the project's Pulumi.yaml beside the state, with the program's path: the CLI writes settings next to
 * it.
 */
function writeProject(workDir: string, projectDir: string): void {
  const project = parse(readFileSync(join(projectDir, "Pulumi.yaml"), "utf8")) as { main?: string };
  const main = relative(workDir, resolve(projectDir, project.main ?? "."));
  writeFileSync(join(workDir, "Pulumi.yaml"), stringify({ ...project, main }));
}

/** Writes the stack's own file with these settings; those that Pulumi.yaml calls secret, and `{secure: text}`, are encrypted. */
function writeSettings(file: string, project: Project, options: UpdateOptions): void {
  const stored = parse(readFileSync(file, "utf8")) as { encryptionsalt: string };
  const crypter = Crypter.fromStateDir(options.stateDir, stored.encryptionsalt);
  const config = Object.entries(options.config as Values).map(([key, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const name = key.includes(":") ? key : `${project.name}:${key}`;
    const secret = project.declarations[key]?.secret === true;
    const encrypt = (plain: string) => ({ secure: crypter.encrypt(plain) });
    return [name, secret ? encrypt(text) : mapSecrets(value, encrypt)];
  });
  const settings = { ...stored, config: Object.fromEntries(config) as Values };
  // The CLI reads YAML 1.1, for which a date without quotes is no text.
  writeFileSync(file, stringify(settings, { version: "1.1" }), { mode: 0o600 });
}

// --- the run --------------------------------------------------------------------------------------------------

async function finished({ summary }: Opened, run: () => Promise<unknown>): Promise<Summary> {
  try {
    await run();
    return summary;
  } catch (error) {
    // its output has been shown already
    throw new UpdateFailed(summary, [error instanceof Error ? error.message : String(error)]);
  }
}

interface Deployment {
  resources?: ResourceState[];
  pending_operations?: (Omit<Operation, "type"> & { type: string })[];
}

const creatingOf = ({ pending_operations: pending = [] }: Deployment = {}) =>
  pending.filter(({ type }) => type === "creating");

async function deploymentOf(stack: Stack): Promise<Deployment> {
  return ((await stack.exportStack()).deployment ?? {}) as Deployment;
}

async function replacedBy({ stack }: Opened, { replace = [] }: UpdateOptions): Promise<string[]> {
  if (replace.length === 0) return [];
  return urnsOf(replace, (await deploymentOf(stack)).resources ?? [], stack.name);
}

/** Removes locks of killed CLI processes, which only `pulumi cancel` would remove. */
function removeDeadLocks(options: UpdateOptions): void {
  const locks = join(backendDir(options), ".pulumi", "locks");
  if (!existsSync(locks)) return;
  for (const name of readdirSync(locks, { recursive: true, encoding: "utf8" })) {
    const file = join(locks, name);
    if (!name.endsWith(".json") || !statSync(file).isFile()) continue;
    const { pid } = JSON.parse(readFileSync(file, "utf8")) as { pid: number };
    if (startTime(pid) === undefined) rmSync(file, { force: true });
  }
}

/**
 * Settles what a killed update was creating; the CLI leaves that to a dialogue. An object that exists at the cloud goes
 * into the state, in the provider's reading; all others are forgotten and made anew.
 * @throws one line for an object that exists, but that this stack did not make
 */
async function goOnAfterKill({ stack, run }: Opened, options: UpdateOptions): Promise<void> {
  if (options.adopt === false || creatingOf((await encrypted(stack)).deployment).length === 0) return;
  const exported = await stack.exportStack();
  const deployment = (exported.deployment ?? {}) as Deployment;
  const { resources = [], pending_operations: pending = [] } = deployment;
  const creating = creatingOf(deployment);
  const adopted: ResourceState[] = [];
  for (const { resource } of creating) {
    const created = await existing(resource, [...resources, ...adopted], options);
    if (created === undefined) continue;
    options.out.write(
      `    ${nameOf(resource.urn)}: found what the killed update had created, ${created.id}; going on with it\n`,
    );
    // The provider reads by what its own state would hold, the id among it.
    adopted.push({ ...resource, id: created.id, outputs: { ...created.outputs, id: created.id } });
  }
  await stack.importStack({
    ...exported,
    deployment: {
      ...deployment,
      resources: [...resources, ...adopted],
      pending_operations: pending.filter(({ type }) => type !== "creating"),
    },
  });
  if (adopted.length > 0) await stack.refresh({ ...run, target: adopted.map(({ urn }) => urn) });
}

/** Finds the objects of a killed create, by the drivers of the embedded engine. */
async function existing(
  { urn, type, provider = "", inputs = {} }: ResourceState,
  resources: readonly ResourceState[],
  options: UpdateOptions,
): Promise<Created | undefined> {
  const [pkg = ""] = type.split(":");
  const driver = (options.drivers ?? drivers)[pkg];
  const configured = Object.entries(options.config as Values)
    .filter(([key]) => key.startsWith(`${pkg}:`))
    .map(([key, value]) => [key.split(":")[1], value] as [string, Value]);
  const explicit = resources.find((resource) => resource.urn === providerUrn(provider));
  const context = {
    env: options.env,
    config: { ...Object.fromEntries(configured), ...plainValues(explicit?.inputs ?? {}) },
    projectDir: options.projectDir,
    name: nameOf(urn),
    log: (line: string) => options.out.write(`    ${line}\n`),
    timeout: undefined,
    taken: resources.flatMap((resource) => (resource.type === type ? [resource.id ?? ""] : [])),
  };
  try {
    return await driver?.kinds[type]?.adopt?.(plainValues(inputs), context);
  } finally {
    await driver?.close?.();
  }
}
