/** The Pulumi CLI where its Automation API would show secrets: in a command line, or in what it exports. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { Mistake } from "./mistake";

/** Where and how the CLI is run. */
export interface CliPlace {
  /** "pulumi", or its path. */
  readonly command: string;
  readonly workDir: string;
  /** Beside this process's own. */
  readonly envVars: Readonly<Record<string, string>>;
}

/**
 * @param args without secrets: every user of the machine can read them
 * @param input for its standard input
 * @returns its standard output
 * @throws Mistake with the CLI's own reason
 */
export async function runCli(place: CliPlace, args: readonly string[], input = ""): Promise<string> {
  const running = promisify(execFile)(place.command, [...args, "--non-interactive"], {
    cwd: place.workDir,
    env: { ...process.env, ...place.envVars },
    maxBuffer: 256 * 1024 * 1024,
  });
  // One that ends without reading says why by its exit code.
  running.child.stdin!.on("error", () => undefined).end(input);
  try {
    return (await running).stdout;
  } catch (error) {
    throw new Mistake(told(error as Error), { cause: error });
  }
}

/** What went wrong, in one line of the CLI's own words. */
export function told(error: Error): string {
  const lines = error.message.split("\n").map((line) => line.replace(/^\s*stderr:\s*/, "").trim());
  const found = lines.filter((line) => line.startsWith("error: ")).at(-1);
  return found?.slice("error: ".length) ?? lines.find((line) => line !== "") ?? "the pulumi CLI failed";
}
