/** Settings of the stack that a test server resembles. */
import { existsSync } from "node:fs";
import { join } from "node:path";

import { Mistake } from "../../cli/mistake";
import { readProjectFile, readStackFile, type StackSettings } from "../../cli/stackFiles";
import type { CloudName } from "../inventory";
import { IN_SANDBOX, loadSandboxStacks, PROJECT_DIR } from "../openStacks";
import type { Stacks } from "../stacks";

/** Refuses a stack without a settings file. @throws Mistake */
export function assertLike(name: string): void {
  if (!existsSync(join(PROJECT_DIR, `Pulumi.${name}.yaml`))) {
    throw new Mistake(`--like ${name}: there is no Pulumi.${name}.yaml`);
  }
}

/** Name of the stack that is meant where none is named: test, or else staging. */
export function defaultLike(): string {
  return existsSync(join(PROJECT_DIR, "Pulumi.test.yaml")) ? "test" : "staging";
}

/** Settings of a stack that is there; in the sandbox with what it has for the settings that are asked for. */
export function settingsOf(stacks: Stacks, stack: string, asked: readonly string[]): Promise<StackSettings> {
  return IN_SANDBOX && asked.length > 0 ? settingsLike(stacks, stack, { asked }) : stacks.settings(stack);
}

/**
 * Reads the settings of a stack's file.
 *
 * @param asked Settings that override them in the sandbox, as KEY=VALUE.
 * @param cloud Cloud of the sandbox. @default that of the settings
 */
export async function settingsLike(
  stacks: Stacks,
  name: string,
  { asked = [], cloud }: { readonly asked?: readonly string[]; readonly cloud?: CloudName } = {},
): Promise<StackSettings> {
  if (IN_SANDBOX) return loadSandboxStacks().sandboxSettings(name, asked, cloud);
  const { base } = readProjectFile(PROJECT_DIR);
  const file = readStackFile(PROJECT_DIR, stacks.project, name);
  if (file === undefined) return base;
  if (file.environments.length > 0) return stacks.settings(name);
  const settings = { ...base, ...file.settings };
  if (file.encrypted.length === 0) return settings;
  // A token in the environment spares opening another stack's secrets.
  const needed = file.encrypted.filter((key) => !(key === "hcloud:token" && process.env.HCLOUD_TOKEN));
  return needed.length === 0 ? settings : stacks.settings(name);
}
