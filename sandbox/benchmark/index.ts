/**
 * Compares the deployment's duration with the least possible, with that of another revision, and with that of one from baked
 * images; measures what the alerts cost. Ratios, each with the seconds that it is made of.
 */
import { Mistake } from "../../cli/mistake";
import { readSettings, zoneFor } from "../commands/settings";
import { chooseEngine } from "../commands/engine";
import { engineOf } from "../commands/stacks";
import { startSandbox } from "../commands/start";
import { Checkpoint, type ResourceState } from "../engine/checkpoint";
import { STACK_TYPE } from "../engine/goal";
import { nameOf } from "../../cli/pulumiEvents";
import { STACKS_DIR } from "../paths";
import { measureAlerts } from "./alerts";
import { withImages } from "./images";
import { measureNoOp, NO_OP_STACKS, type Made } from "./noOp";
import { measurePool, POOL_STACKS } from "./pool";
import {
  renderAgainst,
  renderAlerts,
  renderDeployment,
  renderImages,
  type ImagePair,
  type Installation,
  type Pair,
} from "./report";
import { resolveRevision, withRevision } from "./revision";
import { deployed, run, timed, type Request } from "./updates";

/** Stack of the benchmark's own, so that no deployment is touched. */
const STACK = "benchmark";
const NAMES = ["hostname=bbb-benchmark", "turnHostname=turn-benchmark"];
const ALERTS = 'alerts={"webhook": {"form": "json", "url": {"secure": "https://mail.sandbox.test/hook"}}}';
const BEFORE = "benchmark-before";
const BEFORE_NAMES = ["hostname=bbb-before", "turnHostname=turn-before"];
const BY_PULUMI = "benchmark-pulumi";
const BY_PULUMI_NAMES = ["hostname=bbb-by-pulumi", "turnHostname=turn-by-pulumi"];
const COPY = "benchmark-copy";
/** Settings of a deployment from images, and of one beside it that is not. Both have the type that images are baked on. */
const COPY_NAMES = ["hostname=bbb-copy", "turnHostname=turn-copy", "serverType=cx33"];
const BAKED = ["image=baked", "turnImage=baked"];

export interface BenchmarkOptions {
  readonly runs: number;
  /** Revision to compare an update without changes with. */
  readonly against?: string;
  /** Number of deployments from images that are compared with as many that are not. @default 0 */
  readonly images?: number;
  /** Measures a pool instead of all else. */
  readonly pool?: boolean;
}

/** Measures and prints; resolves with the exit code. Destroys its own deployments at the end, also after a failure. */
export async function benchmark({ runs, against, images = 0, pool }: BenchmarkOptions): Promise<number> {
  if (!Number.isInteger(runs) || runs < 1) throw new Mistake("--runs must be a whole number from 1 on");
  if (!Number.isInteger(images) || images < 0) throw new Mistake("--images must be a whole number from 0 on");
  const revision = against === undefined ? undefined : await resolveRevision(against);
  for (const stack of [STACK, BEFORE, BY_PULUMI, COPY, ...NO_OP_STACKS, ...POOL_STACKS]) {
    if (engineOf(stack) !== undefined) {
      throw new Mistake(`stack ${stack} is left of a former run: ./scripts/sandbox destroy --stack ${stack}`);
    }
  }
  await startSandbox();
  if (pool === true) {
    process.stdout.write(await measurePool(runs));
    return 0;
  }
  const config = readSettings(STACK, NAMES);
  const program: Request = { action: "up", stack: STACK, config };
  try {
    process.stdout.write(await measureDeployment(program));
    const all = Checkpoint.load(STACKS_DIR, STACK).resources.filter(isOfProgram);
    const custom = all.filter((state) => state.custom).length;
    const made = { custom, components: all.length - custom };
    process.stdout.write(await measureNoOp(program, made, runs));
    process.stdout.write(await measureByPulumi(made, runs));
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

/** Measures an update without changes under the CLI, where it is installed with its plugins. */
async function measureByPulumi(made: Made, runs: number): Promise<string> {
  const engine = await chooseEngine("auto", BY_PULUMI, { aws: false });
  if (engine !== "pulumi")
    return "by the pulumi CLI nothing was measured: it is not on PATH with its plugins\n";
  const program: Request = {
    ...{ action: "up", engine, stack: BY_PULUMI },
    config: readSettings(BY_PULUMI, BY_PULUMI_NAMES),
  };
  try {
    await run(program);
    return await measureNoOp(program, made, runs);
  } finally {
    await run({ ...program, action: "destroy" });
  }
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
  return renderDeployment(await deployed(program));
}

function isOfProgram({ type }: ResourceState): boolean {
  return type !== STACK_TYPE && !type.startsWith("pulumi:providers:");
}
