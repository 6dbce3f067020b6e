import { atHost } from "../commands/exec";
import { run } from "../network/run";

/** Processor time that rounds of the alerts take on a host, as systemd counts it. */

/** Seconds from one round to the next, by scripts/host/alerts.sh. */
export const ROUND_SECONDS = 240;
const ROUNDS = 3600 / ROUND_SECONDS;

export interface AlertsCost {
  readonly fqdn: string;
  /** Seconds of processor time of each of an hour's rounds. */
  readonly rounds: readonly number[];
}

/** An hour's rounds, one right after the other: the first of them makes what is made once an hour. */
const SCRIPT = `set -euo pipefail
unit=bbb-alerts.service dropIn=/run/systemd/system/bbb-alerts.service.d
mkdir -p "$dropIn"
printf '[Service]\nCPUAccounting=yes\nEnvironment=BBB_ALERTS_BOOT_SECONDS=0\n' >"$dropIn/benchmark.conf"
systemctl daemon-reload
systemctl stop bbb-alerts.timer
while [[ $(systemctl is-active "$unit") == activating ]]; do sleep 0.2; done
for ((round = 0; round < $1; round++)); do
  systemctl start "$unit"
  systemctl show --property CPUUsageNSec --value "$unit" | tr '\n' ' '
  python3 -c 'import json; print(json.load(open("/var/lib/bbb-deploy/alerts/state.json"))["round"]["quiet"])'
done`;

export async function measureAlerts(fqdn: string): Promise<AlertsCost> {
  const [program, ...args] = atHost(fqdn, ["bash", "-c", SCRIPT, "bash", String(ROUNDS)]);
  const output = await run(program!, args, { timeoutMs: 20 * 60_000 });
  return { fqdn, rounds: parseRounds(output) };
}

/**
 * Seconds of processor time by the script's lines: nanoseconds, and why the round checked nothing, or None.
 *
 * @throws Error for a round that checked nothing or was not counted
 */
export function parseRounds(output: string): readonly number[] {
  return output
    .trim()
    .split("\n")
    .map((line) => {
      const [, nanoseconds, quiet] = /^(\d+) (.*)$/.exec(line) ?? [];
      if (nanoseconds === undefined || quiet !== "None")
        throw new Error(`a round of the alerts was none: ${line}`);
      return Number(nanoseconds) / 1e9;
    });
}
