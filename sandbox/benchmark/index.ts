/**
 * Compares the deployment's duration with the least possible, with that of another revision, and with that of one from baked
 * images; measures what the alerts cost. Ratios, each with the seconds that it is made of.
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
import { nameOf } from "../../cli/pulumiEvents";
import { PROJECT_DIR, STACKS_DIR } from "../paths";
import { measureAlerts } from "./alerts";
import { longestChain } from "./chain";
import { withImages } from "./images";
import {
  renderAgainst,
  renderAlerts,
  renderDeployment,
  renderImages,
  renderNoOp,
  type ImagePair,
  type Installation,
  type Pair,
  type Round,
} from "./report";
import { resolveRevision, withRevision } from "./revision";

/** Stack of the benchmark's own, so that no deployment is touched. */
const STACK = "benchmark";
const NAMES = ["hostname=bbb-benchmark", "turnHostname=turn-benchmark"];
const ALERTS = 'alerts={"webhook": {"form": "json", "url": {"secure": "https://mail.sandbox.test/hook"}}}';
const BEFORE = "benchmark-before";
const BEFORE_NAMES = ["hostname=bbb-before", "turnHostname=turn-before"];
const BASELINE = "benchmark-baseline";
const EMPTY = "benchmark-empty";
const COPY = "benchmark-copy";
/** Settings of a deployment from images, and of one beside it that is not. Both have the type that images are baked on. */
const COPY_NAMES = ["hostname=bbb-copy", "turnHostname=turn-copy", "serverType=cx33"];
const BAKED = ["image=baked", "turnImage=baked"];

type Request = Omit<EngineRequest, "engine">;

export interface BenchmarkOptions {
  readonly runs: number;
  /** Revision to compare an update without changes with. */
  readonly against?: string;
  /** Number of deployments from images that are compared with as many that are not. @default 0 */
  readonly images?: number;
}

/** Measures and prints; resolves with the exit code. Destroys its own deployments at the end, also after a failure. */
export async function benchmark({ runs, against, images = 0 }: BenchmarkOptions): Promise<number> {
  if (!Number.isInteger(runs) || runs < 1) throw new Mistake("--runs must be a whole number from 1 on");
  if (!Number.isInteger(images) || images < 0) throw new Mistake("--images must be a whole number from 0 on");
  const revision = against === undefined ? undefined : await resolveRevision(against);
  for (const stack of [STACK, BEFORE, BASELINE, EMPTY, COPY]) {
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
  if (images > 0) process.stdout.write(await measureImages(images));
  return 0;
}

/** Deploys in turn without images and from images, each anew. */
async function measureImages(count: number): Promise<string> {
  // As on a real server, where the distribution's packages are most of what an image saves.
  process.env.BBB_SANDBOX_DISTRIBUTION = "yes";
  await startSandbox();
  return withImages(async () => {
    const pairs: ImagePair[] = [];
    for (let done = 0; done < count; done++) {
      pairs.push({
        stock: await installation(COPY_NAMES),
        copy: await installation([...COPY_NAMES, ...BAKED]),
      });
    }
    return renderImages(pairs);
  });
}

async function installation(set: readonly string[]): Promise<Installation> {
  const request: Request = { action: "up", stack: COPY, config: readSettings(COPY, set) };
  try {
    const { seconds, operations } = await timed(request);
    const [installed] = operations.filter(({ urn }) => nameOf(urn) === "bbb-install");
    if (installed === undefined) throw new Error("the deployment installed nothing");
    return { install: (installed.end - installed.start) / 1000, all: seconds };
  } finally {
    await run({ ...request, action: "destroy" });
  }
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
  const measured = await timed(program);
  const states = new Map(Checkpoint.load(STACKS_DIR, STACK).resources.map((state) => [state.urn, state]));
  const chain = longestChain(measured.operations, (urn) => {
    const state = states.get(urn);
    return state === undefined ? [] : needs(state);
  });
  return renderDeployment({ ...measured, chain });
}

/** Runs the engine, and tells when each operation began and ended. */
async function timed(request: Request) {
  const directory = mkdtempSync(join(tmpdir(), "benchmark-"));
  const timeline = join(directory, "timeline");
  try {
    const start = Date.now();
    const seconds = await run({ ...request, timeline });
    const lines = readFileSync(timeline, "utf8").split("\n").filter(Boolean);
    return { start, seconds, operations: lines.map((line) => JSON.parse(line) as OperationEvent) };
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
