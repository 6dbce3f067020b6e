import { setTimeout as sleep } from "node:timers/promises";

import { killGroup, printed, start } from "./sandbox";

/** Starts `./scripts/sandbox ARGS…` in the background. */
export function startWatched(args: readonly string[]) {
  const child = start(args);
  const update = { printed: "", code: undefined as number | null | undefined };
  const look = (chunk: Buffer) => (update.printed += chunk.toString());
  child.stdout?.on("data", look);
  child.stderr?.on("data", look);
  const ended = new Promise<void>((done) =>
    child.on("close", (code) => {
      update.code = code;
      printed.push(update.printed);
      done();
    }),
  );
  return { child, update, ended, kill: () => killGroup(child) };
}

/**
 * Starts an update and kills it with all its processes, as soon as a condition holds.
 *
 * @param moment The condition: called again and again with the update's output so far.
 */
export async function killWhen(args: readonly string[], moment: (output: string) => boolean): Promise<void> {
  const { child, update, ended, kill } = startWatched(args);
  let killed = false;
  try {
    while (update.code === undefined && !(killed = moment(update.printed))) await sleep(20);
  } finally {
    kill();
    await ended;
  }
  if (!killed || child.signalCode !== "SIGKILL") {
    throw new Error(`${args[0]} ended before it could be killed:\n${update.printed}`);
  }
}
