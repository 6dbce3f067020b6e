import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { AWS_CREDENTIALS_FILE } from "../paths";
import { chooseEngine, runEngine } from "./engine";
import { Mistake } from "../../cli/mistake";
import { readProgramSettings, readSettings, usesAws, usesStorage } from "./settings";
import {
  cloudOf,
  engineOf,
  recordingsGbOf,
  rememberCloud,
  rememberSets,
  rememberTests,
  stackExists,
  type Cloud,
  type Engine,
} from "./stacks";
import { installMoto, startAws, startSandbox } from "./start";

export interface UpdateOptions {
  readonly stack: string;
  readonly engine: "auto" | Engine;
  /** @default the stack's present cloud, then that of its file, then hetzner */
  readonly cloud?: Cloud;
  readonly set: readonly string[];
  /** Folder of another program. @default this project's */
  readonly program?: string;
  /** Logical names of resources to replace without a change. */
  readonly replace?: readonly string[];
  /** Continues what a killed update began. */
  readonly adopt?: boolean;
}

/** Starts the sandbox if it does not run, and has the engine do its work in it; resolves with the exit code. */
export async function update(
  action: "up" | "preview" | "refresh" | "destroy",
  options: UpdateOptions,
): Promise<number> {
  const { stack, replace, adopt } = options;
  if ((action === "destroy" || action === "refresh") && !stackExists(stack)) {
    throw new Mistake(`nothing is deployed in stack ${stack}: see ./scripts/sandbox up`);
  }
  await startSandbox();
  if (action === "up") rememberTests(stack);
  if (options.program !== undefined) return updateProgram(action, options, resolve(options.program));
  const config = readSettings(stack, options.set, options.cloud ?? cloudOf(stack));
  if (action === "up") assertNoGrowth(stack, config.recordingsGb, options.set, recordingsGbOf(stack));
  const aws = usesAws(config);
  const engine = await chooseEngine(options.engine, stack, { aws });
  // What an update no longer uses it may still have to delete.
  if (aws || existsSync(AWS_CREDENTIALS_FILE)) await startAws();
  if (usesStorage(config)) await installMoto();
  if (action === "up") {
    rememberCloud(stack, config.cloud === "aws" ? "aws" : "hetzner");
    rememberSets(stack, options.set);
  }
  const { code } = await runEngine({ action, stack, engine, config, replace, adopt });
  if (action === "up" && code === 0) process.stdout.write(`\n${nextSteps(stack)}\n`);
  return code;
}

/** Another program's update, by the embedded engine unless another is asked for. */
async function updateProgram(
  action: "up" | "preview" | "refresh" | "destroy",
  options: UpdateOptions,
  projectDir: string,
): Promise<number> {
  const { stack, set, replace, adopt } = options;
  const engine = options.engine === "auto" ? (engineOf(stack) ?? "embedded") : options.engine;
  const config = readProgramSettings(projectDir, set);
  return (await runEngine({ action, stack, engine, config, replace, adopt, projectDir })).code;
}

/** Commands to try with a deployment in the sandbox. */
function nextSteps(stack: string): string {
  const ofStack = stack === "sandbox" ? "" : ` --stack ${stack}`;
  const steps = [
    [`./scripts/check ${stack} --sandbox`, "is everything as it should be?"],
    ["./scripts/sandbox status", "the hosts, and their names"],
    ["./scripts/sandbox exec --at NAME -- bash", "a shell on one of them"],
    [`./scripts/sandbox outputs${ofStack}`, "all that the program returns"],
    ["./scripts/sandbox reset", "take everything away again"],
  ] as const;
  const width = Math.max(...steps.map(([command]) => command.length)) + 2;
  return ["What next:", ...steps.map(([command, what]) => `  ${command.padEnd(width)}${what}`)].join("\n");
}

/**
 * Refuses to enlarge a volume unless the same command asks for it, since a volume never shrinks. A stack that was made
 * with another `--set` has a smaller one than its file says.
 *
 * @throws Mistake
 */
export function assertNoGrowth(
  stack: string,
  wanted: unknown,
  set: readonly string[],
  has: number | undefined,
): void {
  const gb = Number(wanted);
  if (has === undefined || !(gb > has) || set.some((one) => one.startsWith("recordingsGb="))) return;
  throw new Mistake(
    `the recordings volume of stack ${stack} has ${has} GB, and would grow to ${gb} GB for good: ` +
      `--set recordingsGb=${gb} has that done, --set recordingsGb=${has} leaves it`,
  );
}
