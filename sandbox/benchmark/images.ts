import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { operatorProcess } from "../commands/operator";

/** Images for the benchmark, by scripts/image. */

const BAKE_MS = 30 * 60_000;

/** Gives the work images of both hosts, and removes them afterwards. */
export async function withImages<T>(work: () => Promise<T>): Promise<T> {
  const baked = await image<{ id: string }[]>("bake", "--name", "benchmark");
  try {
    return await work();
  } finally {
    for (const { id } of baked) await image("remove", id, "--yes");
  }
}

/** Runs one of its actions. @throws Error with its output after a failure */
async function image<T>(...args: string[]): Promise<T> {
  const { command, env } = operatorProcess("image", [...args, "--json", "--sandbox"]);
  const [program, ...words] = command;
  const { stdout } = await promisify(execFile)(program!, words, {
    ...{ env, timeout: BAKE_MS, maxBuffer: 256 * 1024 * 1024 },
  });
  return JSON.parse(stdout) as T;
}
