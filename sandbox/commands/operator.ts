import { existsSync } from "node:fs";
import { join } from "node:path";

import { AWS_CREDENTIALS_FILE, PROJECT_DIR } from "../paths";
import { asClient, clientEnvironment } from "./client";
import { cloudEnvironment, withoutCloudCredentials } from "./engine";
import { pass } from "./exec";
import { startAws } from "./start";

/**
 * Runs one of the operator's commands in the operator's namespace, with credentials of the sandbox's clouds; resolves
 * with its exit code. The sandbox must be running.
 *
 * @param name Name of a file in operator/, without .ts.
 */
export async function operate(name: string, args: readonly string[]): Promise<number> {
  if (existsSync(AWS_CREDENTIALS_FILE) || args.some((arg) => /\b(aws|route53)\b/.test(arg))) await startAws();
  const { command, env } = operatorProcess(name, args);
  return pass(command, env);
}

/** Process that one of the operator's commands runs in. */
export function operatorProcess(
  name: string,
  args: readonly string[],
): { readonly command: readonly string[]; readonly env: NodeJS.ProcessEnv } {
  const loader = join(PROJECT_DIR, "scripts/lib/load.cjs");
  const script = join(PROJECT_DIR, "operator", `${name}.ts`);
  return {
    command: asClient("operator", [process.execPath, "-r", loader, script, ...args]),
    env: {
      ...withoutCloudCredentials(clientEnvironment(process.env)),
      ...cloudEnvironment(),
      BBB_OPERATOR_SANDBOX: "1",
    },
  };
}
