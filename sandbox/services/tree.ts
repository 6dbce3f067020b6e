import { join } from "node:path";

import { ROUTER } from "../network/addresses";
import { inNamespace } from "../network/run";
import { SERVICES_DIR } from "../paths";

/** Root of the services' tree, as it is mounted. */
export const SERVICES_ROOT = join(SERVICES_DIR, "root");

/** A command line in the services' tree. */
export function inTree(env: Readonly<Record<string, string>>, command: readonly string[]): string[] {
  const variables = Object.entries({ PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...env }).map(
    ([k, v]) => `${k}=${v}`,
  );
  return inNamespace(ROUTER, ["env", "-i", ...variables, "chroot", SERVICES_ROOT, ...command]);
}
