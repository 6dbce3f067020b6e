import * as pulumi from "@pulumi/pulumi";

import { exporter, renderScrapeConfig, type MetricsRequest } from "../bigbluebutton/metrics";
import type { Role } from "../clouds/host";
import { named } from "../clouds/names";
import type { Settings } from "../settings";
import type { BbbServer } from "./bbbServer";
import { randomSecret } from "./secret";
import type { TurnServer } from "./turnServer";
import type { Verification } from "./verification";

/** Access to a deployment's metrics. */
export interface Metrics {
  /** Token with which Prometheus asks; secret. */
  readonly token: pulumi.Output<string>;
  /** Request of scripts/check to the host of a role; secret. */
  readonly request: (role: Role) => pulumi.Output<MetricsRequest>;
}

/** Makes the token, if the settings ask for metrics. */
export function metricsOf(
  { metrics, labels }: Pick<Settings, "metrics" | "labels">,
  parent: pulumi.Resource | undefined,
): Metrics | undefined {
  if (metrics === undefined) return undefined;
  const token = randomSecret(named("metrics-token", labels), metrics.rotateToken, parent);
  // Another one's version is its own affair.
  const version = metrics.exporterSha256 === undefined ? exporter.version : undefined;
  const request = (role: Role) =>
    token.apply((token) => ({ token, ...(role === "bbb" && version !== undefined && { version }) }));
  return { token, request };
}

/** Servers of a deployment that offer metrics. */
export interface MeasuredServers {
  readonly bbb: BbbServer;
  /** TURN server of this deployment; another one's offers its own. */
  readonly turn?: TurnServer;
  readonly verification: Verification;
}

/** Adds a step to each host: what Prometheus asks there. Its removal from the program takes that away. */
export function setUpMetrics(
  settings: NonNullable<Settings["metrics"]>,
  { token }: Metrics,
  { bbb, turn, verification }: MeasuredServers,
): void {
  const { networks, exporterUrl, exporterSha256 } = settings;
  const setUp = (
    server: BbbServer | TurnServer,
    flags: Readonly<Record<string, string>>,
    stdin: pulumi.Output<string>,
  ) => {
    const { host, steps } = server;
    const ofServer = { server: host.server.id };
    const step = verification.hosts[host.role]?.step;
    steps.run(
      "metrics",
      {
        script: "metrics.sh",
        flags: { ...ofServer, role: host.role, hostname: host.fqdn, ...flags },
        stdin,
        // An upgrade may have taken from it what it stands on.
        rerunsWith: step ? [step] : [],
        removal: { ...ofServer, remove: true },
      },
      server,
    );
  };
  setUp(
    bbb,
    {
      "exporter-url": exporterUrl ?? exporter.url,
      "exporter-sha256": exporterSha256 ?? exporter.sha256,
      ...(networks.length > 0 && { networks: networks.join(",") }),
    },
    pulumi.interpolate`${token}\n${bbb.sharedSecret}\n`,
  );
  if (turn) setUp(turn, {}, pulumi.interpolate`${token}\n`);
}

/** Outputs about metrics, each of a deployment that has them. */
export interface MetricsOutputs {
  /** Token with which Prometheus asks; secret. */
  readonly metricsToken?: pulumi.Output<string>;
  /** Part of Prometheus' configuration that asks the servers. */
  readonly metricsScrapeConfig?: pulumi.Output<string>;
}

/** Makes the outputs. */
export function metricsOutputs(
  metrics: Metrics | undefined,
  bbbHost: string,
  turnHost: string | undefined,
): MetricsOutputs {
  if (metrics === undefined) return {};
  return {
    metricsToken: metrics.token,
    metricsScrapeConfig: pulumi.output(renderScrapeConfig({ bbbHost, turnHost })),
  };
}
