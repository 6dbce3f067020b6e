import { METRICS_PORT } from "./ports";

/**
 * Exporter of BigBlueButton's numbers, kept at https://github.com/greenstatic/bigbluebutton-exporter. Version 0.7.1 is
 * this commit. The hash is that of its program files, not of the archive, which GitHub may pack anew:
 * `sha256sum -- *.py | sha256sum` in their folder, with LC_ALL=C.
 */
export const exporter = {
  version: "0.7.1",
  url: "https://github.com/greenstatic/bigbluebutton-exporter/archive/8bfc6d865c8d02d20147083c5769198285b17ede.tar.gz",
  sha256: "cae7eef03a72830ec01bac838afb82bb06ce7c5f84deaf357d4c216aad1854e6",
} as const;

/** Account of the TURN host's metrics, whose password is the token. */
const METRICS_USER = "metrics";

/** Paths of the BigBlueButton server's metrics; scripts/host/metrics.sh has nginx serve them. */
const metricsPaths = { bigbluebutton: "/metrics/bigbluebutton", host: "/metrics/host" } as const;

/** URLs of a deployment's metrics. */
export function metricsUrls({ bbbHosts = [], balancerHost, turnHost }: MetricsHosts): string[] {
  return [
    ...bbbHosts.flatMap((host) => Object.values(metricsPaths).map((path) => `https://${host}${path}`)),
    ...(balancerHost === undefined ? [] : [`https://${balancerHost}${metricsPaths.host}`]),
    ...(turnHost === undefined ? [] : [`https://${turnHost}:${METRICS_PORT}/metrics`]),
  ];
}

/** File with the token on the monitoring's machine, in the configuration for Prometheus. */
const TOKEN_FILE = "/etc/prometheus/bigbluebutton-token";

/** Answers that scripts/check expects of a host's metrics. */
export interface MetricsRequest {
  /** Secret. */
  readonly token: string;
  /** Version of the exporter, on the BigBlueButton server. */
  readonly version?: string;
}

/** Names of the servers with metrics: without `turnHost` that is another's, and one that is shared is alone. */
export interface MetricsHosts {
  /** BigBlueButton servers, those of a pool one by one. */
  readonly bbbHosts?: readonly string[];
  /** Balancer of a pool. */
  readonly balancerHost?: string;
  readonly turnHost?: string;
}

/**
 * Renders the part of Prometheus' configuration that asks a deployment, its token being in a file. The label `host` is
 * what the dashboard and the alert rules in docs/metrics go by.
 */
export function renderScrapeConfig({ bbbHosts = [], balancerHost, turnHost }: MetricsHosts): string {
  const bearer = `    authorization:\n      credentials_file: ${TOKEN_FILE}\n`;
  const basic = `    basic_auth:\n      username: ${METRICS_USER}\n      password_file: ${TOKEN_FILE}\n`;
  const jobs = [
    ...(bbbHosts.length === 0
      ? []
      : [
          job("bigbluebutton", metricsPaths.bigbluebutton, bearer, bbbHosts, 443),
          job("bigbluebutton-host", metricsPaths.host, bearer, bbbHosts, 443),
        ]),
    ...(balancerHost === undefined
      ? []
      : [job("balancer-host", metricsPaths.host, bearer, [balancerHost], 443)]),
    ...(turnHost === undefined ? [] : [job("turn-host", "/metrics", basic, [turnHost], METRICS_PORT)]),
  ];
  return `scrape_configs:\n${jobs.join("")}`;
}

function job(name: string, path: string, access: string, hosts: readonly string[], port: number): string {
  const targets = hosts.map(
    (host) => `      - targets: ["${host}:${port}"]\n        labels: {host: ${host}}\n`,
  );
  return (
    `  - job_name: ${name}\n    scheme: https\n    metrics_path: ${path}\n    scrape_interval: 30s\n${access}` +
    `    static_configs:\n${targets.join("")}`
  );
}
