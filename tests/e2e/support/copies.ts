import { until } from "./faults";
import { onHost } from "./sandbox";

/** Readings from hosts and their copies. */

/** Waits until cloud-init has done all that it does at a boot. */
export async function booted(name: string): Promise<void> {
  await until(async () => {
    const told = await onHost(name, ["bash", "-c", "cloud-init status || true"]).catch(() => "off");
    return /status: (done|error)/.test(told);
  }, 60);
}

/** Runs a script of bash on a host. @returns the lines of its output */
export async function linesOf(name: string, script: string): Promise<string[]> {
  return (await onHost(name, ["bash", "-euc", script])).trim().split("\n");
}

/** Facts that tell one machine from another. */
export interface Own {
  readonly instance: string;
  readonly sshKey: string;
  readonly hostname: string;
}

export async function ownOf(name: string): Promise<Own> {
  const [instance = "", sshKey = "", hostname = ""] = await linesOf(
    name,
    "cat /var/lib/cloud/data/instance-id; ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; hostname",
  );
  return { instance, sshKey, hostname };
}

/** User data that leaves a line in {@link FIRST_BOOTS}. */
export function marking(line: string): string {
  return `#cloud-config\nruncmd:\n  - [sh, -c, "echo ${line} >>${FIRST_BOOTS}"]\n`;
}

/** File with a line for each first boot of its disk. */
export const FIRST_BOOTS = "/srv/first-boots";
