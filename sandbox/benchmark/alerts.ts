import { atHost } from "../commands/exec";
import { run } from "../network/run";

/** Processor time that rounds of the alerts take on a host. */

/** Seconds from one round to the next, by scripts/host/alerts.sh. */
export const ROUND_SECONDS = 240;
const ROUNDS = 3600 / ROUND_SECONDS;

export interface AlertsCost {
  readonly fqdn: string;
  /** Seconds of processor time of each of an hour's rounds. */
  readonly rounds: readonly number[];
}

/**
 * An hour's rounds, one right after the other: the first of them makes what is made once an hour. They are counted by their
 * control group, as systemd's CPUUsageNSec is, which tells nothing where the machine has version 1 of them, too. A slice of
 * their own is still there when a round has ended.
 */
const SCRIPT = `set -euo pipefail
unit=bbb-alerts.service slice=alertsbenchmark.slice dropIn=/run/systemd/system/bbb-alerts.service.d
mkdir -p "$dropIn"
printf '[Unit]\\nStartLimitIntervalSec=0\\n[Service]\\nSlice=%s\\nEnvironment=BBB_ALERTS_BOOT_SECONDS=0\\n' "$slice" >"$dropIn/benchmark.conf"
systemctl daemon-reload
systemctl stop bbb-alerts.timer
while [[ $(systemctl is-active "$unit") == activating ]]; do sleep 0.2; done
systemctl start "$slice"
for group in /sys/fs/cgroup/unified/"$slice" /sys/fs/cgroup/"$slice"; do [[ ! -e $group/cpu.stat ]] || break; done
used() { awk '$1 == "usage_usec" { print $2 }' "$group/cpu.stat"; }
for ((round = 0; round < $1; round++)); do
  before=$(used)
  systemctl start "$unit"
  after=$(used)
  quiet=$(python3 -c 'import json; print(json.load(open("/var/lib/bbb-deploy/alerts/state.json"))["round"]["quiet"])')
  echo "$((after - before)) $quiet"
done`;

export async function measureAlerts(fqdn: string): Promise<AlertsCost> {
  const [program, ...args] = atHost(fqdn, ["bash", "-c", SCRIPT, "bash", String(ROUNDS)]);
  const output = await run(program!, args, { timeoutMs: 20 * 60_000 });
  return { fqdn, rounds: parseRounds(output) };
}

/**
 * Seconds of processor time by the script's lines: microseconds, and why the round checked nothing, or None.
 *
 * @throws Error for a round that checked nothing or was not counted
 */
export function parseRounds(output: string): readonly number[] {
  return output
    .trim()
    .split("\n")
    .map((line) => {
      const [, microseconds, quiet] = /^([1-9]\d*) (.*)$/.exec(line) ?? [];
      if (microseconds === undefined || quiet !== "None")
        throw new Error(`a round of the alerts was none: ${line}`);
      return Number(microseconds) / 1e6;
    });
}
