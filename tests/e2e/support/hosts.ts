import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { releases } from "../../../bigbluebutton/releases";
import { until } from "./faults";
import { must, onHost, type Names } from "./sandbox";
import { turnSecrets } from "./turn";

/** Readings from the hosts, and from the sandbox about them. */

export const STATE = "/var/lib/bbb-sandbox";

/** All lines of both hosts' SSH servers' logs. */
export async function sshLog({ bbb, turn }: Names): Promise<string[]> {
  const logs = await Promise.all(
    [bbb, turn].map((fqdn) => onHost(fqdn, ["journalctl", "-q", "-t", "sshd", "-o", "cat"])),
  );
  expect(logs.every((log) => log.includes("Accepted publickey"))).toBe(true);
  return logs;
}

interface Status {
  readonly hosts: readonly {
    readonly name: string;
    readonly names: readonly string[];
    readonly privateIpv4?: string;
    readonly sshConnections: number;
  }[];
  readonly mutatingApiCalls: number;
}

export async function status(): Promise<Status> {
  return JSON.parse(await must(["status", "--json"])) as Status;
}

/** Address on a host's interface. */
export async function privateIpv4(fqdn: string): Promise<string | undefined> {
  return (await status()).hosts.find(({ names }) => names.includes(fqdn))?.privateIpv4;
}

/** Counters of the sandbox: SSH connections to each host, and API calls that changed something. */
export async function counts(): Promise<Record<string, number>> {
  const { hosts, mutatingApiCalls } = await status();
  const ssh = Object.fromEntries(hosts.map(({ name, sshConnections }) => [name, sshConnections]));
  const all = { ...ssh, mutatingApiCalls };
  expect(Object.keys(all)).toHaveLength(3);
  for (const [what, count] of Object.entries(all)) expect([what, count > 0]).toEqual([what, true]);
  return all;
}

/** Text that changes when a host is replaced or rebooted. */
export function identity(fqdn: string): Promise<string> {
  return onHost(fqdn, ["bash", "-c", "cat /var/lib/cloud/data/instance-id; stat -c %Y /proc/1"]);
}

/** Restarts a host as a cut of its power would, and waits until it answers again. */
export async function reboot(fqdn: string): Promise<void> {
  const before = await identity(fqdn);
  await onHost(fqdn, ["systemctl", "reboot", "--force"]).catch(() => undefined);
  await until(
    () =>
      identity(fqdn).then(
        (now) => now !== before,
        () => false,
      ),
    60,
  );
}

/** Texts of both hosts with the TURN secret, and coturn's configuration. */
export async function turnFiles({ bbb, turn }: Names): Promise<string[]> {
  return Promise.all([
    turnSecrets(turn).then((all) => all.join("\n")),
    onHost(bbb, ["cat", releases["jammy-30"].turnXml.path]),
    onHost(turn, ["cat", "/etc/turnserver.conf"]),
  ]);
}

/** Start times of the services that read the TURN secret. */
export async function serviceStarts({ bbb, turn }: Names): Promise<Record<string, string>> {
  const started = (fqdn: string, unit: string) =>
    onHost(fqdn, ["systemctl", "show", "-P", "InvocationID", unit]).then((id) => id.trim());
  return { coturn: await started(turn, "coturn"), "bbb-web": await started(bbb, "bbb-web") };
}

/** Files of the sandbox's state; the hosts' own file systems are searched from inside. */
export function filesUnder(directory: string, wanted: (path: string) => boolean): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return path === join(STATE, "hosts") ? [] : filesUnder(path, wanted);
    return entry.isFile() && statSync(path).size < 64 << 20 && wanted(path) ? [path] : [];
  });
}
