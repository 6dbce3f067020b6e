/**
 * The user's own stacks, by the Pulumi CLI and its Automation API. Backend and log-in are those that `pulumi` itself
 * would use in the project's folder, in which no file is written. A stack without a Pulumi.<stack>.yaml, such as a test
 * server, has its settings on record in the backend, from before its first resource on.
 */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import type * as automation from "@pulumi/pulumi/automation";
import { parse, stringify } from "yaml";

import { changeOf, type Change } from "../cli/pulumiEvents";
import { Mistake } from "../cli/mistake";
import { cliReason, runCli } from "./pulumiCli";
import { isDead, readLocks } from "./pulumiLocks";
import type { StackState } from "./recover/state";
import {
  hasStackFile,
  parseStackFile,
  readProjectFile,
  readStackFile,
  stackFilePath,
  type StackSettings,
  withoutBase,
  type ProjectFile,
} from "../cli/stackFiles";
import { exportedResources } from "./stackExport";
import {
  StackBusy,
  StackNotFound,
  UpdateFailed,
  type StackInfo,
  type StackResource,
  type Stacks,
} from "./stacks";

type Automation = typeof automation;

/**
 * Opens the stacks.
 * @param out Gets the output of updates.
 * @throws Mistake without `pulumi`
 */
export async function openPulumiStacks(projectDir: string, out: NodeJS.WritableStream): Promise<Stacks> {
  const api = (await import("@pulumi/pulumi/automation/index.js")) as Automation;
  const command = await api.PulumiCommand.get().catch((error: unknown) => {
    throw new Mistake(
      "the pulumi CLI is not on PATH: install it (https://www.pulumi.com/docs/iac/download-install/), " +
        "or add --sandbox to try this on a cloud inside this machine",
      { cause: error },
    );
  });
  return new PulumiStacks(api, command, projectDir, out);
}

class PulumiStacks implements Stacks {
  readonly project: string;
  private readonly file: ProjectFile;
  readonly resumesKilledUpdates = false;

  constructor(
    private readonly api: Automation,
    private readonly command: automation.PulumiCommand,
    private readonly projectDir: string,
    private readonly out: NodeJS.WritableStream,
  ) {
    this.file = readProjectFile(projectDir);
    this.project = this.file.name;
  }

  async list(): Promise<readonly StackInfo[]> {
    return this.inWorkspace(async (workspace) =>
      (await workspace.listStacks()).map(({ name, updateInProgress }) => ({
        // Another organization's have its name in front.
        name: name.split("/").at(-1)!,
        updating: updateInProgress ?? false,
      })),
    );
  }

  async settings(stack: string): Promise<StackSettings> {
    return { ...this.file.base, ...(await this.ownSettings(stack)) };
  }

  private async ownSettings(stack: string): Promise<StackSettings> {
    const file = hasStackFile(this.projectDir, stack)
      ? readStackFile(this.projectDir, this.project, stack)
      : undefined;
    if (file?.encrypted.length === 0 && file.environments.length === 0) return file.settings;
    return this.inWorkspace(async (workspace) => {
      await this.select(workspace, stack);
      if (!(await this.recall(workspace, stack))) return {};
      const { settings, encrypted, environments } = parseStackFile(
        readFileSync(this.settingsFile(workspace, stack), "utf8"),
        this.project,
        `Pulumi.${stack}.yaml`,
      );
      if (encrypted.length === 0 && environments.length === 0) return settings;
      const all = Object.entries(await workspace.getAllConfig(stack)).map(
        ([key, { value }]) => [this.plainKey(key), value] as const,
      );
      // Environments have any key; without them, only what is encrypted is missing.
      const missing = all.filter(([key]) => encrypted.includes(key) || environments.length > 0);
      // What stands in the file goes before what its environments have.
      return { ...Object.fromEntries(missing), ...settings };
    });
  }

  async preview(stack: string, settings: StackSettings): Promise<readonly Change[]> {
    const changes: Change[] = [];
    await this.inWorkspace(async (workspace) => {
      const selected = await this.select(workspace, stack);
      await this.recall(workspace, stack);
      await this.write(workspace, stack, settings);
      await this.update(selected, (run) =>
        selected.preview({
          color: run.color,
          onEvent: (event) => {
            const change = changeOf(event);
            if (change !== undefined) changes.push(change);
          },
        }),
      );
    });
    return changes;
  }

  async up(stack: string, settings: StackSettings): Promise<void> {
    await this.inWorkspace(async (workspace) => {
      const selected = await this.select(workspace, stack).catch((error: unknown) => {
        if (!(error instanceof StackNotFound)) throw error;
        return this.api.Stack.create(stack, workspace);
      });
      const recorded = await this.recall(workspace, stack);
      await this.write(workspace, stack, settings);
      // Of a stack without resources it only puts the settings into the backend's history.
      if (!recorded) await this.update(selected, () => selected.refresh());
      await this.update(selected, (run) => selected.up(run));
    });
  }

  async destroy(stack: string): Promise<void> {
    await this.inWorkspace(async (workspace) => {
      const selected = await this.select(workspace, stack);
      await this.recall(workspace, stack);
      await this.update(selected, (run) =>
        selected.destroy({ ...run, excludeProtected: true, refresh: true }),
      );
    });
  }

  async upAgain(stack: string, once: StackSettings): Promise<void> {
    await this.inWorkspace(async (workspace) => {
      const selected = await this.select(workspace, stack);
      await this.recall(workspace, stack);
      this.change(workspace, stack, once);
      await this.update(selected, (run) => selected.up(run));
    });
  }

  async configure(stack: string, changed: Readonly<Record<string, string | undefined>>): Promise<void> {
    if (!hasStackFile(this.projectDir, stack)) {
      throw new Mistake(
        `stack ${stack} has no Pulumi.${stack}.yaml in ${this.projectDir}, whose settings could be changed`,
      );
    }
    // The CLI's own change of the file keeps its comments.
    await this.inWorkspace(async ({ envVars }) => {
      const place = { command: this.command.command, workDir: this.projectDir, envVars };
      for (const [key, value] of Object.entries(changed)) {
        const words = value === undefined ? ["rm", key] : ["set", key, value];
        await runCli(place, ["config", ...words, "--stack", stack]);
      }
    });
  }

  async refresh(stack: string): Promise<void> {
    await this.inWorkspace(async (workspace) => {
      const selected = await this.select(workspace, stack);
      await this.recall(workspace, stack);
      await this.update(selected, (run) => selected.refresh(run));
    });
  }

  async settle(stack: string): Promise<void> {
    await this.inWorkspace(async (workspace) => {
      const selected = await this.select(workspace, stack);
      await this.recall(workspace, stack);
      await this.update(selected, (run) => selected.refresh({ ...run, clearPendingCreates: true }));
    });
  }

  async remove(stack: string): Promise<void> {
    await this.inWorkspace(async (workspace) => {
      const selected = await this.select(workspace, stack);
      await this.update(selected, () => workspace.removeStack(stack));
    });
  }

  async outputs(
    stack: string,
    { showSecrets }: { readonly showSecrets: boolean },
  ): Promise<Readonly<Record<string, unknown>>> {
    return this.inWorkspace(async (workspace) => {
      const all = await (await this.select(workspace, stack)).outputs();
      const plain = Object.entries(all).map(([key, { value, secret }]) => [
        key,
        secret && !showSecrets ? "[secret]" : (value as unknown),
      ]);
      return Object.fromEntries(plain) as Record<string, unknown>;
    });
  }

  async exportState(stack: string): Promise<StackState> {
    return this.inWorkspace(async (workspace) => {
      await this.select(workspace, stack);
      // The Automation API's own export has every secret in clear.
      return JSON.parse(await this.run(workspace, ["stack", "export", "--stack", stack])) as StackState;
    });
  }

  async importState(stack: string, state: StackState, urns: readonly string[]): Promise<void> {
    await this.inWorkspace(async (workspace) => {
      const selected = await this.select(workspace, stack);
      await this.recall(workspace, stack);
      const file = join(workspace.workDir, "state.json");
      writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
      await this.update(selected, () =>
        this.run(workspace, ["stack", "import", "--stack", stack, "--file", file]),
      );
      if (urns.length === 0) return;
      await this.update(selected, (run) => selected.refresh({ ...run, target: [...urns] }));
    });
  }

  async resources(stack: string): Promise<readonly StackResource[]> {
    return exportedResources(await this.exportState(stack));
  }

  // --- workspaces: a folder for each call, with the project's Pulumi.yaml leading to the program ------------------

  private async inWorkspace<T>(action: (workspace: automation.LocalWorkspace) => Promise<T>): Promise<T> {
    const workDir = realpathSync(mkdtempSync(join(tmpdir(), "bigbluebutton-stack-")));
    try {
      const project = parse(readFileSync(join(this.projectDir, "Pulumi.yaml"), "utf8")) as { main?: string };
      const main = relative(workDir, join(realpathSync(this.projectDir), project.main ?? "."));
      writeFileSync(join(workDir, "Pulumi.yaml"), stringify({ ...project, main }));
      const workspace = await this.api.LocalWorkspace.create({
        workDir,
        pulumiCommand: this.command,
        envVars: { PULUMI_SKIP_UPDATE_CHECK: "true" },
        secretsProvider: this.secretsProvider(),
      });
      return await action(workspace);
    } catch (error) {
      throw error instanceof this.api.CommandError ? new Mistake(cliReason(error), { cause: error }) : error;
    } finally {
      rmSync(workDir, { recursive: true, force: true });
    }
  }

  /** Encryption of new stacks' secrets; the backend's own if Pulumi.test.yaml names none. */
  private secretsProvider(): string | undefined {
    return readStackFile(this.projectDir, this.project, "test")?.secretsProvider;
  }

  private async select(workspace: automation.LocalWorkspace, stack: string): Promise<automation.Stack> {
    try {
      return await this.api.Stack.select(stack, workspace);
    } catch (error) {
      throw error instanceof this.api.StackNotFoundError ? new StackNotFound(stack) : error;
    }
  }

  private settingsFile(workspace: automation.LocalWorkspace, stack: string): string {
    return join(workspace.workDir, `Pulumi.${stack}.yaml`);
  }

  /**
   * Puts a stack's settings into the workspace, from its own file or the backend; returns false when neither has any.
   */
  private async recall(workspace: automation.LocalWorkspace, stack: string): Promise<boolean> {
    if (hasStackFile(this.projectDir, stack)) {
      copyFileSync(stackFilePath(this.projectDir, stack), this.settingsFile(workspace, stack));
      return true;
    }
    try {
      await workspace.refreshConfig(stack);
      return true;
    } catch (error) {
      if (error instanceof this.api.CommandError && /no previous deployment/i.test(error.message))
        return false;
      throw error;
    }
  }

  /** Replaces the settings in the workspace; the encryption of their secrets stays. */
  private async write(
    workspace: automation.LocalWorkspace,
    stack: string,
    settings: StackSettings,
  ): Promise<void> {
    const file = this.settingsFile(workspace, stack);
    const stored = existsSync(file)
      ? (parse(readFileSync(file, "utf8")) as Record<string, unknown> | null)
      : {};
    const isSecret = (key: string) => key.includes(":");
    const plain = Object.entries(withoutBase(settings, this.file)).filter(([key]) => !isSecret(key));
    const config = Object.fromEntries(plain.map(([key, value]) => [`${this.project}:${key}`, value]));
    writeFileSync(file, stringify({ ...stored, config }), { mode: 0o600 });
    for (const [key, value] of Object.entries(settings).filter(([key]) => isSecret(key))) {
      await this.run(workspace, ["config", "set", key, "--secret", "--stack", stack], String(value));
    }
  }

  /** Changes some settings in the workspace. The others stay in their written form: what is encrypted is not opened. */
  private change(workspace: automation.LocalWorkspace, stack: string, changed: StackSettings): void {
    const file = this.settingsFile(workspace, stack);
    const stored = ((existsSync(file) ? parse(readFileSync(file, "utf8")) : undefined) ?? {}) as {
      readonly config?: Readonly<Record<string, unknown>>;
    };
    const changes = Object.entries(changed).map(([key, value]) => [`${this.project}:${key}`, value] as const);
    const names = Object.keys(changed);
    const others = Object.entries(stored.config ?? {}).filter(([key]) => !names.includes(this.plainKey(key)));
    const config = Object.fromEntries([...others, ...changes]);
    writeFileSync(file, stringify({ ...stored, config }), { mode: 0o600 });
  }

  private run(
    workspace: automation.LocalWorkspace,
    args: readonly string[],
    input?: string,
  ): Promise<string> {
    const { workDir, envVars } = workspace;
    return runCli({ command: this.command.command, workDir, envVars }, args, input);
  }

  private plainKey(key: string): string {
    return key.startsWith(`${this.project}:`) ? key.slice(this.project.length + 1) : key;
  }

  // --- updates ---------------------------------------------------------------------------------------------------

  /** Runs an update; removes a dead process's lock first. @throws UpdateFailed, StackBusy */
  private async update(
    stack: automation.Stack,
    action: (run: { readonly color: "never"; readonly onOutput: (text: string) => void }) => Promise<unknown>,
  ): Promise<void> {
    const run = { color: "never", onOutput: (text: string) => void this.out.write(text) } as const;
    for (let tried = 1; ; tried++) {
      try {
        await action(run);
        return;
      } catch (error) {
        const message = this.lockedOut(error);
        if (message === undefined)
          throw error instanceof this.api.CommandError
            ? new UpdateFailed(stack.name, cliReason(error))
            : error;
        const locks = readLocks(message);
        if (tried > 1 || locks.length === 0 || !locks.every((lock) => isDead(lock, new Date()))) {
          const owners = locks.map(({ description }) => description).join(", ");
          const remedy = `if no update runs any more, pulumi cancel --stack ${stack.name} takes the lock away`;
          throw new StackBusy(stack.name, owners === "" ? undefined : `${owners}: ${remedy}`);
        }
        await stack.cancel();
      }
    }
  }

  /** Message of the CLI about a stack that another update has, or was killed with; undefined for any other error. */
  private lockedOut(error: unknown): string | undefined {
    if (error instanceof this.api.ConcurrentUpdateError) return error.message;
    const said = error instanceof Mistake ? (error.cause as Error | undefined)?.message : undefined;
    return said?.includes("the stack is currently locked") ? said : undefined;
  }
}
