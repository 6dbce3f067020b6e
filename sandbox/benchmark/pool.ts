/** Measures a pool: against one of one server, against a single server, and the program of a large one. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readSettings } from "../commands/settings";
import { PROJECT_DIR } from "../paths";
import { renderPool, type PoolFigures } from "./report";
import { deployed, run, runShown, type Request } from "./updates";

const [ONE, THREE, SINGLE, LARGE] = [
  "benchmark-pool-1",
  "benchmark-pool-3",
  "benchmark-single",
  "benchmark-pool-20",
] as const;

/** Stacks of these measurements. */
export const POOL_STACKS = [ONE, THREE, SINGLE, LARGE] as const;

const PRELOADED = join(PROJECT_DIR, "sandbox/benchmark/memory/index.js");

/** Action on a stack with host names of its own. @param servers Number of its servers; 0 for a single one without a balancer. */
function request(stack: string, servers: number, action: Request["action"] = "up"): Request {
  const names = [`hostname=${stack}`, `turnHostname=turn-${stack}`, "recordingsGb=0"];
  const pool = servers === 0 ? [] : [`servers=${servers}`, 'meetings={"recording":"never"}'];
  return { action, stack, config: readSettings(stack, [...names, ...pool]) };
}

/** Measures and destroys what it has made, also after a failure. @param runs Number of updates without changes. */
export async function measurePool(runs: number): Promise<string> {
  const memory = [
    { what: "a single server", ...(await memoryOf(request(SINGLE, 0, "preview"))) },
    { what: "a pool of 20 servers", ...(await memoryOf(request(LARGE, 20, "preview"))) },
  ];
  const one = await destroying(request(ONE, 1), deployed);
  return destroying(request(THREE, 3), async (pool) => {
    const three = await deployed(pool);
    return destroying(request(SINGLE, 0), async (single) => {
      // What all read is in memory by then, and in Node's cache of compiled code.
      for (const each of [single, pool, single]) await run(each);
      const rounds: PoolFigures["rounds"][number][] = [];
      for (let count = 0; count < runs; count++)
        rounds.push({ three: await run(pool), single: await run(single) });
      return renderPool({ one, three, rounds, memory });
    });
  });
}

async function destroying<T>(made: Request, work: (made: Request) => Promise<T>): Promise<T> {
  try {
    return await work(made);
  } finally {
    await run({ ...made, action: "destroy" });
  }
}

/** Runs the program once, of which nothing is made. */
async function memoryOf(
  preview: Request,
): Promise<{ readonly resources: number; readonly mebibytes: number }> {
  const directory = mkdtempSync(join(tmpdir(), "benchmark-"));
  const file = join(directory, "memory");
  const before = process.env.NODE_OPTIONS;
  process.env.NODE_OPTIONS = `${before ?? ""} --require ${PRELOADED}`.trim();
  process.env.BBB_BENCHMARK_MEMORY = file;
  try {
    const { stdout } = await runShown(preview);
    const resources = Number(/\+ (\d+) to create/.exec(stdout)?.[1]);
    return { resources, mebibytes: Number(readFileSync(file, "utf8")) / 1024 };
  } finally {
    delete process.env.BBB_BENCHMARK_MEMORY;
    if (before === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = before;
    rmSync(directory, { recursive: true });
  }
}
