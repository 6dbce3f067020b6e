import { say } from "./output";

/**
 * Takes an interrupt, which the terminal sends to an engine also, for a wish to end: running work is finished, nothing more
 * begins. A second one ends the command at once.
 *
 * @returns a function that tells whether there was one
 */
export function takeInterrupts(): () => boolean {
  let interrupted = false;
  process.on("SIGINT", () => {
    if (interrupted) process.exit(130);
    interrupted = true;
    say("interrupted: waiting for the running steps to end; once more stops at once");
  });
  return () => interrupted;
}
