/** Runner of the unmodified program, through `@pulumi/pulumi`'s own cmd/run, like the CLI's language host. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import type { Config } from "./project";

export interface ProgramOptions {
  readonly projectDir: string;
  readonly main: string;
  readonly typescript: boolean;
  readonly nodeArgs: readonly string[];
  readonly project: string;
  readonly stack: string;
  readonly address: string;
  readonly preview: boolean;
  readonly parallel: number;
  readonly config: Config;
  /** Environment without credentials: the drivers have them. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Resolves to the exit code, or to the signal that ended the program, once its output is drained. */
export async function runProgram(
  options: ProgramOptions,
  print: (line: string) => void,
): Promise<number | string> {
  const { projectDir, address } = options;
  const run = require.resolve("@pulumi/pulumi/cmd/run", { paths: [projectDir, __dirname] });
  const child = spawn(
    process.execPath,
    [
      ...options.nodeArgs,
      run,
      ...["--monitor", address, "--engine", address, "--organization", "organization"],
      ...["--project", options.project, "--stack", options.stack, "--root-directory", projectDir],
      ...["--parallel", String(options.parallel), ...(options.preview ? ["--dry-run"] : [])],
      ...["--pwd", projectDir, options.main],
    ],
    {
      cwd: projectDir,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...options.env,
        PULUMI_NODEJS_TYPESCRIPT: String(options.typescript),
        PULUMI_CONFIG: JSON.stringify(options.config.values),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(options.config.secretKeys),
      },
    },
  );
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", print);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal ?? 1));
  });
}
