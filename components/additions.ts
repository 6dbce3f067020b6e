import { named } from "../clouds/names";
import type { MadeStorageBox } from "../clouds/storageBox";
import type { Settings } from "../settings";
import { setUpAlerts } from "./alerts";
import { setUpBackup, type BackupOutputs } from "./backup";
import { metricsOutputs, setUpMetrics, type Metrics, type MetricsOutputs } from "./metrics";
import type { VerifiedServers } from "./verification";

/** Outputs of the additions, each of a deployment that has it. */
export type AdditionOutputs = MetricsOutputs & Partial<BackupOutputs>;

/**
 * Adds to verified servers what the settings ask for beside meetings: metrics, backups, alerts.
 *
 * @param storageBox Makes the Storage Box for backups, if they go to one.
 */
export function setUpAdditions(
  settings: Settings,
  metrics: Metrics | undefined,
  servers: VerifiedServers,
  storageBox?: () => MadeStorageBox,
): AdditionOutputs {
  const { bbb, turn } = servers;
  if (settings.metrics && metrics) setUpMetrics(settings.metrics, metrics, servers);
  const backup =
    settings.backup && setUpBackup(named("bbb", settings.labels), settings.backup, servers, storageBox);
  if (settings.alerts) setUpAlerts(settings.alerts, servers, { backup: settings.backup !== undefined });
  return { ...metricsOutputs(metrics, { bbbHosts: [bbb.host.fqdn], turnHost: turn?.fqdn }), ...backup };
}
