import { existsSync } from "node:fs";

import { STACKS_DIR } from "../paths";
import { chooseEngine, runEngine } from "./engine";
import { Mistake } from "../../cli/mistake";
import { stackExists } from "./stacks";

const DEFAULT_STACK = "sandbox";

export interface OutputsOptions {
  readonly stack: string;
  readonly engine: "auto" | "embedded" | "pulumi";
  readonly json?: true;
  readonly showSecrets?: true;
}

/** Print a stack's outputs as `pulumi stack output` does; resolves with the exit code. */
export async function showOutputs(asked: string | undefined, options: OutputsOptions): Promise<number> {
  const { showSecrets = false } = options;
  const { stack, name } = meant(asked, options);
  const nothing = new Mistake(`nothing is deployed in stack ${stack}: see ./scripts/sandbox up`);
  if (!existsSync(STACKS_DIR)) throw nothing;
  const engine = await chooseEngine(options.engine, stack, { aws: false });
  const { code, stdout } = await runEngine(
    { action: "outputs", stack, engine, config: {}, showSecrets },
    true,
  );
  if (code !== 0) return code;
  const outputs = JSON.parse(stdout) as Record<string, unknown>;
  if (Object.keys(outputs).length === 0) throw nothing;
  if (name !== undefined && !Object.hasOwn(outputs, name)) {
    throw new Mistake(`stack ${stack} has no output ${name}: it has ${Object.keys(outputs).join(", ")}`);
  }
  process.stdout.write(
    `${name === undefined ? render(outputs, options.json) : renderValue(outputs[name], options.json)}\n`,
  );
  return 0;
}

/** Meaning of `outputs NAME`: the stack of that name, if it exists and no stack was given; else the output. */
export function meant(
  asked: string | undefined,
  { stack }: Pick<OutputsOptions, "stack">,
  exists: (stack: string) => boolean = stackExists,
): { readonly stack: string; readonly name?: string } {
  return asked !== undefined && stack === DEFAULT_STACK && exists(asked)
    ? { stack: asked }
    : { stack, name: asked };
}

function render(outputs: Readonly<Record<string, unknown>>, json?: true): string {
  if (json) return JSON.stringify(outputs, null, 2);
  const width = Math.max(...Object.keys(outputs).map((key) => key.length), "OUTPUT".length) + 2;
  const rows = Object.entries(outputs).map(([key, value]) => `    ${key.padEnd(width)}${renderValue(value)}`);
  return [`Current stack outputs (${rows.length}):`, `    ${"OUTPUT".padEnd(width)}VALUE`, ...rows].join(
    "\n",
  );
}

function renderValue(value: unknown, json?: true): string {
  return typeof value === "string" && !json ? value : JSON.stringify(value);
}
