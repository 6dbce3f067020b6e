/** Updates, with what they take. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runEngine, type EngineRequest } from "../commands/engine";
import { Checkpoint } from "../engine/checkpoint";
import { needs } from "../engine/graph";
import type { OperationEvent } from "../engine";
import { STACKS_DIR } from "../paths";
import { longestChain } from "./chain";
import type { MeasuredDeployment } from "./report";

/** Action on a stack. `engine`: the embedded one where there is none. */
export type Request = Omit<EngineRequest, "engine"> & Partial<Pick<EngineRequest, "engine">>;

/** Deploys a stack; returns its operations, and the longest chain of those that need each other. */
export async function deployed(request: Request): Promise<MeasuredDeployment> {
  const measured = await timed(request);
  const { resources } = Checkpoint.load(STACKS_DIR, request.stack);
  const states = new Map(resources.map((state) => [state.urn, state]));
  const chain = longestChain(measured.operations, (urn) => {
    const state = states.get(urn);
    return state === undefined ? [] : needs(state);
  });
  return { ...measured, chain };
}

/** Runs the engine, and tells when each operation began and ended. */
export async function timed(request: Request) {
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

/**
 * Runs the engine in a process.
 * @returns the duration of the whole process, in seconds, and what it printed
 * @throws Error with the process's output after a failure
 */
export async function runShown(
  request: Request,
): Promise<{ readonly seconds: number; readonly stdout: string }> {
  const start = Date.now();
  const { code, stdout } = await runEngine({ engine: "embedded", ...request }, true);
  const seconds = (Date.now() - start) / 1000;
  if (code !== 0) throw new Error(`${request.action} of stack ${request.stack} failed:\n${stdout}`);
  return { seconds, stdout };
}

/** Runs the engine as {@link runShown} does. @returns the seconds alone */
export async function run(request: Request): Promise<number> {
  return (await runShown(request)).seconds;
}
