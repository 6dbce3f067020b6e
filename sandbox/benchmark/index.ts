/** Compares the deployment's duration with the least possible: three ratios, each with its seconds. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runEngine, type EngineRequest } from "../commands/engine";
import { Mistake } from "../../cli/mistake";
import { readSettings } from "../commands/settings";
import { engineOf } from "../commands/stacks";
import { startSandbox } from "../commands/start";
import { Checkpoint, type ResourceState } from "../engine/checkpoint";
import { needs } from "../engine/graph";
import { STACK_TYPE } from "../engine/goal";
import type { OperationEvent } from "../engine";
import { PROJECT_DIR, STACKS_DIR } from "../paths";
import { longestChain } from "./chain";
import { renderDeployment, renderNoOp, type Round } from "./report";

/** Stack of the benchmark's own, so that no deployment is touched. */
const STACK = "benchmark";
const NAMES = ["hostname=bbb-benchmark", "turnHostname=turn-benchmark"];
const BASELINE = "benchmark-baseline";
const EMPTY = "benchmark-empty";

type Request = Omit<EngineRequest, "engine">;

/** Measures and prints; resolves with the exit code. Destroys its own deployment at the end, also after a failure. */
export async function benchmark({ runs }: { readonly runs: number }): Promise<number> {
  if (!Number.isInteger(runs) || runs < 1) throw new Mistake("--runs must be a whole number from 1 on");
  for (const stack of [STACK, BASELINE, EMPTY]) {
    if (engineOf(stack) !== undefined) {
      throw new Mistake(`stack ${stack} is left of a former run: ./scripts/sandbox destroy --stack ${stack}`);
    }
  }
  await startSandbox();
  const config = readSettings(STACK, NAMES);
  const program: Request = { action: "up", stack: STACK, config };
  try {
    process.stdout.write(await measureDeployment(program));
    const made = Checkpoint.load(STACKS_DIR, STACK).resources.filter(isOfProgram);
    const custom = made.filter((state) => state.custom).length;
    const baseline: Request = {
      action: "up",
      stack: BASELINE,
      config: { custom, components: made.length - custom },
      projectDir: join(PROJECT_DIR, "sandbox/benchmark/baseline"),
    };
    const projectDir = join(PROJECT_DIR, "sandbox/benchmark/empty");
    const empty: Request = { action: "up", stack: EMPTY, config: {}, projectDir };
    await run(baseline);
    // What all read is in memory by then, and in Node's cache of compiled code.
    for (const request of [program, baseline, empty]) await run(request);
    const rounds: Round[] = [];
    for (let count = 0; count < runs; count++) {
      rounds.push({ program: await run(program), baseline: await run(baseline), empty: await run(empty) });
    }
    process.stdout.write(renderNoOp(rounds, made.length));
    for (const request of [baseline, empty]) await run({ ...request, action: "destroy" });
  } finally {
    await run({ ...program, action: "destroy" });
  }
  return 0;
}

async function measureDeployment(program: Request): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "benchmark-"));
  const timeline = join(directory, "timeline");
  try {
    const start = Date.now();
    const seconds = await run({ ...program, timeline });
    const operations = readFileSync(timeline, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as OperationEvent);
    const states = new Map(Checkpoint.load(STACKS_DIR, STACK).resources.map((state) => [state.urn, state]));
    const chain = longestChain(operations, (urn) => {
      const state = states.get(urn);
      return state === undefined ? [] : needs(state);
    });
    return renderDeployment({ start, seconds, operations, chain });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function isOfProgram({ type }: ResourceState): boolean {
  return type !== STACK_TYPE && !type.startsWith("pulumi:providers:");
}

/**
 * Runs the engine in a process.
 * @returns the duration of the whole process, in seconds
 * @throws Error with the process's output after a failure
 */
async function run(request: Request): Promise<number> {
  const start = Date.now();
  const { code, stdout } = await runEngine({ ...request, engine: "embedded" }, true);
  const seconds = (Date.now() - start) / 1000;
  if (code !== 0) throw new Error(`${request.action} of stack ${request.stack} failed:\n${stdout}`);
  return seconds;
}
