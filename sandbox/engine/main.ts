/** Entry of the engine's own process: an action and its options as JSON on standard input; exit code 0 or 1. */
import { appendFileSync } from "node:fs";
import { text } from "node:stream/consumers";

import { destroy, outputs, preview, refresh, stackExport, up, UpdateFailed, type UpdateOptions } from ".";

/** `timeline`: a file for each operation as it ends, one JSON object a line. */
type Request = Omit<UpdateOptions, "out"> & { readonly timeline?: string } & (
    | { readonly action: "up" | "preview" | "refresh" | "destroy" | "export" }
    | { readonly action: "outputs"; readonly showSecrets?: boolean }
  );

async function main(): Promise<void> {
  const request = JSON.parse(await text(process.stdin)) as Request;
  const { timeline } = request;
  const options: UpdateOptions = {
    ...request,
    out: process.stdout,
    onOperation: timeline ? (event) => appendFileSync(timeline, `${JSON.stringify(event)}\n`) : undefined,
  };
  const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  switch (request.action) {
    case "up":
      return void (await up(options));
    case "preview":
      return void (await preview(options));
    case "refresh":
      return void (await refresh(options));
    case "destroy":
      return void (await destroy(options));
    case "outputs":
      return void print(await outputs(options, { showSecrets: request.showSecrets === true }));
    case "export":
      return void print(await stackExport(options));
  }
}

/**
 * True after an interrupt, which the program gets, being in the same process group: running work is finished, nothing
 * more begins.
 */
let interrupted = false;
process.on("SIGINT", () => {
  if (interrupted) process.exit(130);
  interrupted = true;
  process.stderr.write("interrupted: waiting for the running steps to end; once more stops at once\n");
});

/** Ends the process when its output has been taken. */
function exit(code: number): void {
  process.stdout.write("", () => process.exit(code));
}

main().then(
  () => exit(0),
  (error: unknown) => {
    if (!(error instanceof UpdateFailed)) {
      process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    }
    exit(1);
  },
);
