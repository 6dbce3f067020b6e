/**
 * Compares the deployment's duration with the least possible, and with that of another revision; measures what the alerts
 * cost. Ratios, each with the seconds that it is made of.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runEngine, type EngineRequest } from "../commands/engine";
import { Mistake } from "../../cli/mistake";
import { readSettings, zoneFor } from "../commands/settings";
import { engineOf } from "../commands/stacks";
import { startSandbox } from "../commands/start";
import { Checkpoint, type ResourceState } from "../engine/checkpoint";
import { needs } from "../engine/graph";
import { STACK_TYPE } from "../engine/goal";
import type { OperationEvent } from "../engine";
import { PROJECT_DIR, STACKS_DIR } from "../paths";
import { measureAlerts } from "./alerts";
import { longestChain } from "./chain";
import { renderAgainst, renderAlerts, renderDeployment, renderNoOp, type Pair, type Round } from "./report";
import { resolveRevision, withRevision } from "./revision";

/** Stack of the benchmark's own, so that no deployment is touched. */
const STACK = "benchmark";
const NAMES = ["hostname=bbb-benchmark", "turnHostname=turn-benchmark"];
const ALERTS = 'alerts={"webhook": {"form": "json", "url": {"secure": "https://mail.sandbox.test/hook"}}}';
const BEFORE = "benchmark-before";
const BEFORE_NAMES = ["hostname=bbb-before", "turnHostname=turn-before"];
const BASELINE = "benchmark-baseline";
const EMPTY = "benchmark-empty";

type Request = Omit<EngineRequest, "engine">;

export interface BenchmarkOptions {
  readonly runs: number;
  /** Revision to compare an update without changes with. */
  readonly against?: string;
}

/** Measures and prints; resolves with the exit code. Destroys its own deployments at the end, also after a failure. */
export async function benchmark({ runs, against }: BenchmarkOptions): Promise<number> {
  if (!Number.isInteger(runs) || runs < 1) throw new Mistake("--runs must be a whole number from 1 on");
  const revision = against === undefined ? undefined : await resolveRevision(against);
  for (const stack of [STACK, BEFORE, BASELINE, EMPTY]) {
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
    if (revision !== undefined) process.stdout.write(await measureAgainst(program, revision, runs));
    await run({ ...program, config: readSettings(STACK, [...NAMES, ALERTS]) });
    const hosts = NAMES.map((name) => `${name.split("=")[1]}.${zoneFor(config)}`);
    process.stdout.write(renderAlerts(await Promise.all(hosts.map(measureAlerts))));
  } finally {
    await run({ ...program, action: "destroy" });
  }
  return 0;
}

/** Deploys the program of another revision in a stack of its own, beside this one's. */
async function measureAgainst(program: Request, revision: string, runs: number): Promise<string> {
  return withRevision(revision, async (projectDir) => {
    const config = readSettings(BEFORE, BEFORE_NAMES);
    const before: Request = { action: "up", stack: BEFORE, config, projectDir };
    try {
      await run(before);
      for (const request of [program, before]) await run(request);
      const pairs: Pair[] = [];
      for (let count = 0; count < runs; count++) {
        pairs.push({ now: await run(program), before: await run(before) });
      }
      return renderAgainst(pairs, revision);
    } finally {
      await run({ ...before, action: "destroy" });
    }
  });
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
