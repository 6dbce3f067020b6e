/**
 * The deployment engine of the sandbox: carries out a Pulumi program by the embedded engine, or by the real CLI. The
 * embedded one is a rehearsal; it names the features that it does not serve.
 */
import { rmSync } from "node:fs";

import { nameOf } from "../../cli/pulumiEvents";
import { Checkpoint, type Export } from "./checkpoint";
import { Deployment, type DeploymentOptions } from "./deploy";
import { Display, type Summary } from "./display";
import { drivers } from "./drivers";
import { STACK_TYPE } from "./goal";
import { lock } from "./lock";
import { runProgram } from "./program";
import { applyConfig, readProject, type Config, type Project } from "./project";
import * as cli from "./pulumiCli";
import { serve } from "./server";
import { UpdateFailed, urnsOf, type UpdateOptions } from "./update";
import { plain, redacted, type Value, type Values } from "./wire";

export type { OperationEvent, StepEvent } from "./deploy";
export type { Export } from "./checkpoint";
export type { Summary } from "./display";
export { isLocked, Locked } from "./lock";
export { mapSecrets } from "./project";
export { UpdateFailed, type UpdateOptions } from "./update";

/** Parallel operations, by the CLI's default on a small machine. */
const PARALLEL = 16;

/** Brings the stack to the program's state. @throws UpdateFailed after everything else was finished and printed */
export async function up(options: UpdateOptions): Promise<Summary> {
  return options.engine === "pulumi" ? locked(options, () => cli.up(options)) : update(options, false);
}

/** Shows what `up` would do, without a change. */
export async function preview(options: UpdateOptions): Promise<Summary> {
  return options.engine === "pulumi" ? cli.preview(options) : update(options, true);
}

/** Brings the state to that of the clouds, like `pulumi refresh`. Settles unfinished operations first. */
export async function refresh(options: UpdateOptions): Promise<Summary> {
  if (options.engine === "pulumi") return locked(options, () => cli.refresh(options));
  return atRest(options, "Refreshing", async (deployment) => {
    await deployment.recover();
    await deployment.refresh();
  });
}

/** Destroys like `pulumi destroy --exclude-protected --refresh`: protected resources stay, with all that they need. */
export async function destroy(options: UpdateOptions): Promise<Summary> {
  if (options.engine === "pulumi") return locked(options, () => cli.destroy(options));
  return atRest(options, "Destroying", async (deployment) => {
    await deployment.recover();
    if (options.refresh === true) await deployment.refresh();
    if (!deployment.failed) await deployment.destroy();
  });
}

/** Works on the resources of the state, without the program. */
async function atRest(
  options: UpdateOptions,
  doing: string,
  action: (deployment: Deployment) => Promise<void>,
  /** State to begin with, instead of the stack's. */
  state?: Export,
): Promise<Summary> {
  const { project, config } = configured(options);
  return locked(options, async () => {
    if (state !== undefined) Checkpoint.replace(options.stateDir, options.stack, state);
    const checkpoint = Checkpoint.load(options.stateDir, options.stack);
    const display = new Display(options.out, false);
    const deployment = new Deployment(deploymentOptions(options, project, config), checkpoint, display);
    display.line(`${doing} (${options.stack}):`);
    await attempt(display, () => action(deployment));
    return finish(deployment, display, {});
  });
}

/** Outputs of the stack, secrets as "[secret]" unless asked for. Empty when nothing is deployed. */
export async function outputs(
  options: UpdateOptions,
  { showSecrets }: { readonly showSecrets: boolean },
): Promise<Record<string, unknown>> {
  if (options.engine === "pulumi") return cli.outputs(options, showSecrets);
  const stack = outputsOf(options.stateDir, options.stack) ?? {};
  return Object.fromEntries(
    Object.entries(stack).map(([key, value]) => [key, showSecrets ? plain<Value>(value) : redacted(value)]),
  );
}

/** Outputs in a stack's checkpoint; undefined when nothing is deployed. */
function outputsOf(stateDir: string, stack: string): Values | undefined {
  const { resources } = Checkpoint.load(stateDir, stack);
  return resources.find(({ type }) => type === STACK_TYPE)?.outputs;
}

/** Checkpoint in the form of `pulumi stack export`, secrets encrypted; undefined without one. */
export async function stackExport(options: UpdateOptions): Promise<Export | undefined> {
  if (options.engine === "pulumi") return (await cli.stackExport(options)) as Export;
  return Checkpoint.read(Checkpoint.file(options.stateDir, options.stack));
}

/** Does `pulumi stack import`, then `pulumi refresh` of these resources. */
export async function stackImport(
  options: UpdateOptions,
  state: Export,
  urns: readonly string[],
): Promise<void> {
  if (options.engine === "pulumi") return locked(options, () => cli.stackImport(options, state, urns));
  await atRest(options, "Importing", (deployment) => deployment.refresh(urns), state);
}

/** Forgets a stack: its checkpoint, or the CLI's record of it. @throws for a stack that still has resources */
export async function remove(options: UpdateOptions): Promise<void> {
  return locked(options, async () => {
    if (options.engine === "pulumi") return cli.remove(options);
    const { resources } = Checkpoint.load(options.stateDir, options.stack);
    const left = resources.filter(({ type }) => !type.startsWith("pulumi:"));
    if (left.length > 0) {
      throw new Error(
        `stack ${options.stack} still has resources: ${left.map(({ urn }) => nameOf(urn)).join(", ")}`,
      );
    }
    rmSync(Checkpoint.file(options.stateDir, options.stack), { force: true });
  });
}

async function update(options: UpdateOptions, dryRun: boolean): Promise<Summary> {
  const { project, config } = configured(options);
  return locked(options, async () => {
    const checkpoint = Checkpoint.load(options.stateDir, options.stack);
    const display = new Display(options.out, dryRun);
    const replace = urnsOf(options.replace ?? [], checkpoint.resources, options.stack);
    const deployment = new Deployment(
      { ...deploymentOptions(options, project, config), replace },
      checkpoint,
      display,
    );
    display.line(`${dryRun ? "Previewing" : "Updating"} (${options.stack}):`);
    await attempt(display, async () => {
      await deployment.recover();
      await run(options, project, config, deployment, display);
      if (!errored(deployment, display)) await deployment.deleteUnregistered();
    });
    return finish(deployment, display, deployment.finishStackOutputs(errored(deployment, display)));
  });
}

/** Runs the program and all steps that it asks for to their end. */
async function run(
  options: UpdateOptions,
  project: Project,
  config: Config,
  deployment: Deployment,
  display: Display,
): Promise<void> {
  const server = await serve(deployment, display, project.name, options.stack, PARALLEL);
  try {
    const exit = await runProgram(
      {
        projectDir: options.projectDir,
        main: project.main,
        typescript: project.typescript,
        nodeArgs: project.nodeArgs,
        project: project.name,
        stack: options.stack,
        address: server.address,
        preview: deployment.preview,
        parallel: PARALLEL,
        config,
        env: programEnvironment(options.env),
      },
      (line) => {
        // what a stopped program has to say of it is no news
        if (server.stopped() === undefined) display.log("", line);
      },
    );
    await deployment.settle();
    const stopped = server.stopped();
    if (stopped !== undefined) throw stopped;
    if (exit !== 0 && !errored(deployment, display)) {
      throw new Error(`the program ended with ${typeof exit === "number" ? `exit code ${exit}` : exit}`);
    }
  } finally {
    server.close();
  }
}

/** Environment of the program: the providers' too, as by the Pulumi CLI, since hooks ask the cloud. */
function programEnvironment(providers: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return { ...process.env, ...providers, PULUMI_CONFIG_PASSPHRASE: undefined };
}

function configured(options: UpdateOptions): { project: Project; config: Config } {
  const project = readProject(options.projectDir);
  return { project, config: applyConfig(project, options.stack, options.config as Values) };
}

function deploymentOptions(options: UpdateOptions, project: Project, config: Config): DeploymentOptions {
  return {
    project: project.name,
    stack: options.stack,
    projectDir: options.projectDir,
    env: options.env,
    config: config.values,
    secretConfig: config.secretKeys,
    drivers: options.drivers ?? drivers,
    stackOutputs: (stack) => outputsOf(options.stateDir, stack),
    replace: [],
    adopt: options.adopt ?? true,
    onStep: options.onStep,
    onOperation: options.onOperation,
    parallel: PARALLEL,
  };
}

async function locked<T>(options: UpdateOptions, action: () => Promise<T>): Promise<T> {
  const unlock = lock(options.stateDir, options.stack);
  try {
    return await action();
  } finally {
    for (const driver of Object.values(options.drivers ?? drivers)) await driver.close?.();
    unlock();
  }
}

async function attempt(display: Display, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    display.error("", error instanceof Error ? error.message : String(error));
  }
}

/** True when a resource failed, or anything else was reported. */
function errored(deployment: Deployment, display: Display): boolean {
  return deployment.failed || display.errors.length > 0;
}

function finish(deployment: Deployment, display: Display, stackOutputs: Values): Summary {
  display.end(stackOutputs);
  if (errored(deployment, display)) throw new UpdateFailed(display.summary, display.errors);
  return display.summary;
}
