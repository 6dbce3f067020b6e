import type * as pulumi from "@pulumi/pulumi";

import { named } from "../clouds/names";
import type { Settings } from "../settings";
import { setUpAlerts } from "./alerts";
import { setUpBackup } from "./backup";
import { metricsOutputs, setUpMetrics, type Metrics, type MetricsOutputs } from "./metrics";
import type { VerifiedServers } from "./verification";

/** Outputs of the additions, each of a deployment that has it. */
export interface AdditionOutputs extends MetricsOutputs {
  /** Password of the backups' repository; secret. */
  readonly backupPassword?: pulumi.Output<string>;
}

/** Adds to verified servers what the settings ask for beside meetings: metrics, backups, alerts. */
export function setUpAdditions(
  settings: Settings,
  metrics: Metrics | undefined,
  servers: VerifiedServers,
): AdditionOutputs {
  const { bbb, turn } = servers;
  if (settings.metrics && metrics) setUpMetrics(settings.metrics, metrics, servers);
  const backupPassword =
    settings.backup && setUpBackup(named("bbb", settings.labels), settings.backup, servers);
  if (settings.alerts) setUpAlerts(settings.alerts, servers, { backup: settings.backup !== undefined });
  return {
    ...metricsOutputs(metrics, { bbbHost: bbb.host.fqdn, turnHost: turn?.fqdn }),
    ...(backupPassword && { backupPassword }),
  };
}
