import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

import { Mistake } from "../cli/mistake";
import type * as SandboxStacks from "./sandboxStacks";
import { openPulumiStacks } from "./pulumiStacks";
import type { Stacks } from "./stacks";

/** Folder of the project. */
export const PROJECT_DIR = join(__dirname, "..");

/** True inside the sandbox, which runs an operator's command in its own network, with its own credentials. */
export const IN_SANDBOX = process.env.BBB_OPERATOR_SANDBOX === "1";

/**
 * Opens the user's own stacks, or those of the sandbox.
 *
 * @param out Gets the output of updates.
 * @param program Folder of another program. @default this project's
 * @throws Mistake without `pulumi`
 */
export async function openStacks(
  sandbox: boolean,
  out: NodeJS.WritableStream,
  program?: string,
): Promise<Stacks> {
  const projectDir = program === undefined ? PROJECT_DIR : resolve(program);
  if (!existsSync(join(projectDir, "Pulumi.yaml"))) {
    throw new Mistake(`--program ${program}: there is no Pulumi.yaml in it`);
  }
  if (!sandbox) return openPulumiStacks(projectDir, out);
  if (!IN_SANDBOX)
    throw new Mistake("--sandbox: start this by its command in scripts/, which enters the sandbox");
  return loadSandboxStacks().openSandboxStacks(out, program === undefined ? undefined : projectDir);
}

/** Loads the module of the sandbox, which needs the packages of the development. */
export function loadSandboxStacks(): typeof SandboxStacks {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- these are not there in every installation
  return require("./sandboxStacks") as typeof SandboxStacks;
}
