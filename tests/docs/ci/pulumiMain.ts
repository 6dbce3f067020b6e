/** The command line of bin/pulumi. */
import { spawnSync } from "node:child_process";
import { delimiter } from "node:path";

import { PROJECT } from "./jobs";
import { sandboxArguments } from "./pulumiShim";

try {
  const args = sandboxArguments(process.argv.slice(2));
  // Behind the shim there may be the real CLI, which scripts/sandbox then uses.
  const [, ...path] = (process.env.PATH ?? "").split(delimiter);
  const env = { ...process.env, PATH: path.join(delimiter) };
  const { status, error } = spawnSync("./scripts/sandbox", args, { cwd: PROJECT, env, stdio: "inherit" });
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
} catch (error) {
  process.stderr.write(`error: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
