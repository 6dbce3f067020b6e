import type { Role } from "../clouds/host";
import { readScripts } from "./hostScripts";
import { scriptHash } from "./stepCommand";

const INSTALLERS = {
  bbb: "install-bbb.sh",
  turn: "install-turn.sh",
  balancer: "install-balancer.sh",
} as const;

/** Hash of the scripts that install on a host of a role; an image tells that of those it was baked with. */
export function installHash(role: Role): string {
  return scriptHash(readScripts(), INSTALLERS[role]);
}
