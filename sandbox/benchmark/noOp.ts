/** Updates without changes, against those of programs that do less. */
import { join } from "node:path";

import type { Engine } from "../commands/stacks";
import { PROJECT_DIR } from "../paths";
import { renderNoOp, type Round } from "./report";
import { run, type Request } from "./updates";

const BASELINE = "benchmark-baseline";
const EMPTY = "benchmark-empty";

/** Stacks of these measurements. */
export const NO_OP_STACKS = [BASELINE, EMPTY] as const;

/** Number of the program's resources, by kind. */
export interface Made {
  readonly custom: number;
  readonly components: number;
}

/** Measures, and destroys the programs that do less at the end. @param program Update of a deployment that is there @returns the report */
export async function measureNoOp(program: Request, made: Made, runs: number): Promise<string> {
  const engine: Engine = program.engine ?? "embedded";
  const beside = (stack: string, folder: string, config: Request["config"]): Request => ({
    ...{ action: "up", engine, stack, config },
    projectDir: join(PROJECT_DIR, "sandbox/benchmark", folder),
  });
  const baseline = beside(BASELINE, "baseline", { ...made });
  const empty = beside(EMPTY, "empty", {});
  try {
    await run(baseline);
    // What all read is in memory by then, and in Node's cache of compiled code.
    for (const request of [program, baseline, empty]) await run(request);
    const rounds: Round[] = [];
    for (let count = 0; count < runs; count++) {
      rounds.push({ program: await run(program), baseline: await run(baseline), empty: await run(empty) });
    }
    return renderNoOp(rounds, made.custom + made.components, engine);
  } finally {
    for (const request of [baseline, empty]) await run({ ...request, action: "destroy" });
  }
}
