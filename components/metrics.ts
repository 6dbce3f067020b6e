import * as pulumi from "@pulumi/pulumi";

import {
  exporter,
  renderScrapeConfig,
  type MetricsHosts,
  type MetricsRequest,
} from "../bigbluebutton/metrics";
import type { Role } from "../clouds/host";
import { named } from "../clouds/names";
import type { Settings } from "../settings";
import type { Step } from "../steps/hostSteps";
import type { PoolHosts } from "./alerts";
import type { Balancer } from "./balancer";
import type { BbbServer } from "./bbbServer";
import { randomSecret } from "./secret";
import type { TurnServer } from "./turnServer";
import type { VerifiedServers } from "./verification";

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

/** Adds a step to each host: what Prometheus asks there. Its removal from the program takes that away. */
export function setUpMetrics(
  settings: NonNullable<Settings["metrics"]>,
  { token }: Metrics,
  { bbb, turn, verification }: VerifiedServers,
): void {
  const { exporterUrl, exporterSha256 } = settings;
  add(bbb, verification.hosts.bbb.step, pulumi.interpolate`${token}\n${bbb.sharedSecret}\n`, {
    "exporter-url": exporterUrl ?? exporter.url,
    "exporter-sha256": exporterSha256 ?? exporter.sha256,
    ...networksOf(settings),
  });
  if (turn && verification.hosts.turn) addTurn(turn, verification.hosts.turn.step, token);
}

/** Adds the step to each host of a pool. Its balancer offers figures of the pool, too. */
export function setUpPoolMetrics(
  settings: NonNullable<Settings["metrics"]>,
  metrics: Metrics,
  { balancer, nodes, turn }: PoolHosts,
): void {
  nodes.forEach(({ bbb, verification }, i) =>
    setUpMetrics(settings, metrics, { bbb, verification, turn: i === 0 ? turn : undefined }),
  );
  add(balancer, balancer.verified!.step, pulumi.interpolate`${metrics.token}\n`, networksOf(settings));
}

/** Networks for nginx to refuse all others by. */
function networksOf({ networks }: NonNullable<Settings["metrics"]>): Readonly<Record<string, string>> {
  return networks.length > 0 ? { networks: networks.join(",") } : {};
}

/** Adds the step to a TURN server that is shared. */
export function setUpSharedTurnMetrics({ token }: Metrics, turn: TurnServer): void {
  addTurn(turn, turn.configured, token);
}

function addTurn(turn: TurnServer, after: Step, token: pulumi.Output<string>): void {
  add(turn, after, pulumi.interpolate`${token}\n`, {});
}

/** @param after Step that an upgrade runs again, and may take from the metrics what they stand on. */
function add(
  server: BbbServer | TurnServer | Balancer,
  after: Step,
  stdin: pulumi.Output<string>,
  more: Readonly<Record<string, string>>,
): void {
  const { host, steps } = server;
  const ofServer = { server: host.server.id };
  steps.run(
    "metrics",
    {
      script: "metrics.sh",
      flags: { ...ofServer, role: host.role, hostname: host.fqdn, ...more },
      stdin,
      rerunsWith: [after],
      removal: { ...ofServer, remove: true },
    },
    server,
  );
}

/** Outputs about metrics, each of a deployment that has them. */
export interface MetricsOutputs {
  /** Token with which Prometheus asks; secret. */
  readonly metricsToken?: pulumi.Output<string>;
  /** Part of Prometheus' configuration that asks the servers. */
  readonly metricsScrapeConfig?: pulumi.Output<string>;
}

/** Makes the outputs. */
export function metricsOutputs(metrics: Metrics | undefined, hosts: MetricsHosts): MetricsOutputs {
  if (metrics === undefined) return {};
  return {
    metricsToken: metrics.token,
    metricsScrapeConfig: pulumi.output(renderScrapeConfig(hosts)),
  };
}
