import { setTimeout as sleep } from "node:timers/promises";

import { killGroup, printed, start } from "./sandbox";

/**
 * Starts an update and kills it, and all that it started, as soon as a condition holds.
 *
 * @param moment is asked again and again, with what the update has printed so far
 */
export async function killWhen(args: readonly string[], moment: (output: string) => boolean): Promise<void> {
  const child = start(args);
  let output = "";
  const look = (chunk: Buffer) => (output += chunk.toString());
  child.stdout?.on("data", look);
  child.stderr?.on("data", look);
  let over = false;
  const ended = new Promise<void>((done) =>
    child.on("close", () => {
      over = true;
      done();
    }),
  );
  let killed = false;
  try {
    while (!over && !(killed = moment(output))) await sleep(20);
  } finally {
    killGroup(child);
    await ended;
  }
  printed.push(output);
  if (!killed || child.signalCode !== "SIGKILL") {
    throw new Error(`${args[0]} ended before it could be killed:\n${output}`);
  }
}
