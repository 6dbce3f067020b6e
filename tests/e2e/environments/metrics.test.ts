import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { signedApiUrl } from "../../../bigbluebutton/api";
import { CLIENTS } from "../../../sandbox/network/addresses";
import { foundInExecs, watchExecs, watchMissing } from "../support/execWatch";
import { found, foundInHostLogs, type Secret } from "../support/secrets";
import {
  IN_HETZNER_DNS as NAMES,
  must,
  onHost,
  outputs,
  outside,
  printed,
  PROJECT,
  sandbox,
  testUnless,
  update,
  type Outputs,
} from "../support/sandbox";

/** Metrics of one deployment, asked by a real Prometheus on the internet. */

const BIN = process.env.BBB_PROMETHEUS ?? "/var/cache/bbb-sandbox/prometheus/usr/bin";
const with_ = (metrics: unknown) => [
  ...["--set", "recordingsGb=10"],
  ...["--set", `metrics=${JSON.stringify(metrics)}`],
];
const WITH = with_(true);
const EXPORTERS = [
  `https://${NAMES.bbb}/metrics/bigbluebutton`,
  `https://${NAMES.bbb}/metrics/host`,
  `https://${NAMES.turn}:9100/metrics`,
];

type MetricsOutputs = Outputs & { readonly metricsToken: string; readonly metricsScrapeConfig: string };
let out: MetricsOutputs;
let directory: string;
let execs: Awaited<ReturnType<typeof watchExecs>> | undefined;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "prometheus-"));
  await must(["reset"]);
  await must(["start"]);
  if (watchMissing() === undefined) execs = await watchExecs();
  await update("up", "embedded", WITH);
  out = (await outputs()) as MetricsOutputs;
});
afterAll(async () => {
  await execs?.stop();
  rmSync(directory, { recursive: true });
});

/** Runs Prometheus until the last query has an answer, with the deployment's own configuration and the docs' alert rules. */
const ASK = `set -euo pipefail
bin=$1 directory=$2
shift 2
"$bin/prometheus" --config.file="$directory/prometheus.yml" --storage.tsdb.path="$directory/data" \\
  --web.listen-address=127.0.0.1:19090 >"$directory/log" 2>&1 &
trap 'kill %1; wait' EXIT
ask() { "$bin/promtool" query instant http://127.0.0.1:19090 "$1" 2>/dev/null; }
for _ in {1..60}; do
  if [[ -n $(ask "\${@: -1}" || true) ]]; then break; fi
  sleep 1
done
for query; do ask "$query" | sort; echo; done`;

/** Answers to some queries: a series and its value a line. */
async function prometheus(...queries: readonly string[]): Promise<string[][]> {
  const token = join(directory, "token");
  writeFileSync(token, out.metricsToken);
  const config = out.metricsScrapeConfig
    .replaceAll("/etc/prometheus/bigbluebutton-token", token)
    .replaceAll("scrape_interval: 30s", "scrape_interval: 1s");
  writeFileSync(
    join(directory, "prometheus.yml"),
    `global: {evaluation_interval: 1s}\nrule_files: [${PROJECT}/docs/metrics/alerts.yml]\n${config}`,
  );
  const { code, stdout, stderr } = await outside(["bash", "-c", ASK, "bash", BIN, directory, ...queries]);
  if (code !== 0) throw new Error(`Prometheus: exit code ${code}\n${stdout}${stderr}`);
  return stdout
    .split("\n\n")
    .slice(0, queries.length)
    .map((lines) =>
      lines
        .split("\n")
        .map((line) => line.replace(/ @\[.*$/, ""))
        .filter(Boolean),
    );
}

/** HTTP statuses of all exporters, asked by a client; 0 for no connection. */
async function statuses(
  authorizations: readonly string[][],
  as?: "internet" | "operator",
): Promise<number[]> {
  const all = [];
  for (const [i, url] of EXPORTERS.entries()) {
    const curl = [
      "curl",
      "-sS",
      "-m",
      "5",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      ...(authorizations[i] ?? []),
      url,
    ];
    all.push(Number((await outside(curl, { as })).stdout));
  }
  return all;
}
const bearer = (token: string) => ["-H", `Authorization: Bearer ${token}`];
const allWith = (token: string) => [bearer(token), bearer(token), ["-u", `metrics:${token}`]];

async function meeting(call: "create" | "end"): Promise<void> {
  const parameters = {
    meetingID: "metrics",
    name: "metrics",
    attendeePW: "a",
    moderatorPW: "m",
    password: "m",
  };
  const { stdout } = await outside([
    "curl",
    "-sS",
    signedApiUrl(out.apiUrl, call, parameters, out.sharedSecret),
  ]);
  expect(stdout).toContain("SUCCESS");
}

test("Prometheus gets the numbers of both servers with the deployment's own configuration, and no alert fires", async () => {
  const [targets, meetings, api, version, coturn, cores, alerts] = await prometheus(
    "up",
    "bbb_meetings",
    "bbb_api_up",
    "count by (version) (bbb_version)",
    "turn_up + turn_relays",
    'count by (host) (node_cpu_seconds_total{mode="idle"}) > bool 0',
    'ALERTS{alertstate="firing"}',
    "sum(up) == 3 and on() bbb_api_latency_count > 2",
  );
  const of = (job: string, host: string, port: number) =>
    `up{host="${host}", instance="${host}:${port}", job="${job}"} => 1`;
  expect(targets).toEqual([
    of("bigbluebutton", NAMES.bbb, 443),
    of("bigbluebutton-host", NAMES.bbb, 443),
    of("turn-host", NAMES.turn, 9100),
  ]);
  expect(meetings).toEqual([expect.stringMatching(/^bbb_meetings\{.*\} => 0$/)]);
  expect(api).toEqual([expect.stringMatching(/ => 1$/)]);
  expect(version).toEqual([expect.stringMatching(/^\{version="3\.0\.\d+-standin"\} => 1$/)]);
  expect(coturn).toEqual([expect.stringMatching(/ => 1$/)]);
  expect(cores).toEqual(Object.values(NAMES).map((host) => `{host="${host}"} => 1`));
  expect(alerts).toEqual([]);
});

test("a meeting counts once it is created, and no more once it has ended", async () => {
  await meeting("create");
  const [running] = await prometheus("bbb_meetings", "bbb_meetings == 1");
  expect(running).toEqual([expect.stringMatching(/ => 1$/)]);
  await meeting("end");
  const [ended] = await prometheus("bbb_meetings", "bbb_meetings == 0");
  expect(ended).toEqual([expect.stringMatching(/ => 0$/)]);
});

test("nobody gets anything without the token, and the exporters themselves listen to nobody outside", async () => {
  expect(await statuses(allWith(out.metricsToken))).toEqual([200, 200, 200]);
  expect(await statuses([])).toEqual([401, 401, 401]);
  expect(await statuses(allWith("wrong"))).toEqual([401, 401, 401]);
  const listening = await onHost(NAMES.bbb, ["ss", "-Hltn", "( sport = :9100 or sport = :9688 )"]);
  expect(
    listening
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/)[3])
      .sort(),
  ).toEqual(["127.0.0.1:9100", "127.0.0.1:9688"]);
});

test("the exporter runs as nobody else, who can't read its secret", async () => {
  const script = `set -euo pipefail
pid=$(systemctl show -P MainPID bigbluebutton-exporter)
ps -o user= -p "$pid"
stat -c '%a %U' /var/lib/bbb-deploy/metrics/exporter.json /etc/bigbluebutton/nginx/bbb-deploy-metrics.nginx
tr '\\0' '\\n' <"/proc/$pid/environ" | grep -c API_ || true`;
  const [user, ...rest] = (await onHost(NAMES.bbb, ["bash", "-c", script])).trim().split("\n");
  expect(user).not.toBe("root");
  expect(rest).toEqual(["600 root", "640 root", "0"]);
});

test("scripts/check has a line for each server, and tells of an exporter that is down", async () => {
  const lines = async () => {
    const { stdout } = await sandbox(["operator", "check", "--json", "--sandbox"]);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; verdict: string; answer: string }[] };
    return checks
      .filter(({ name }) => name === "metrics")
      .map(({ verdict, answer }) => `${verdict} ${answer}`);
  };
  expect((await lines()).sort()).toEqual([
    expect.stringMatching(
      /^ok bigbluebutton-exporter 0\.7\.1-stand-in, node_exporter [\d.]+, 401 without the token$/,
    ),
    expect.stringMatching(/^ok node_exporter [\d.]+, 0 relays in use, 401 without the token$/),
  ]);
  await onHost(NAMES.bbb, ["systemctl", "stop", "bigbluebutton-exporter"]);
  expect(await lines()).toContain("FAIL /metrics/bigbluebutton gives HTTP status 502 with the token");
  await onHost(NAMES.bbb, ["systemctl", "start", "bigbluebutton-exporter"]);
});

test("a second update changes nothing", async () => {
  const { summary } = await update("up", "embedded", WITH);
  expect(Object.keys(summary)).toEqual(["unchanged"]);
});

test("after an upgrade all is as it was", async () => {
  await onHost(NAMES.bbb, [
    "bash",
    "-c",
    "rm -r /usr/local/lib/bigbluebutton-exporter /etc/bigbluebutton/nginx/bbb-deploy-metrics.nginx",
  ]);
  await update("up", "embedded", [...WITH, "--set", "upgrade=1"]);
  expect(await statuses(allWith(out.metricsToken))).toEqual([200, 200, 200]);
});

testUnless(watchMissing())(
  "no secret was in a command line, an environment, a log or what an update printed",
  async () => {
    const secrets: readonly Secret[] = [
      ["token", out.metricsToken],
      ["secret of the API", out.sharedSecret],
    ];
    expect(found(secrets, printed.join("\n"))).toEqual([]);
    for (const fqdn of Object.values(NAMES)) expect(await foundInHostLogs(fqdn, secrets)).toEqual([]);
    // The test's own client has the token in its arguments.
    const started = (await execs!.stop()).filter(({ argv }) => !argv.includes("curl"));
    execs = undefined;
    expect(started.length).toBeGreaterThan(100);
    expect(foundInExecs(secrets, started)).toEqual([]);
  },
);

test("networks that may ask: others get nothing, even with the token", async () => {
  const { operator } = CLIENTS;
  const networks = [`${operator.ipv4}/32`, `${operator.ipv6}/128`];
  await update("up", "embedded", [...with_({ networks }), "--set", "upgrade=1"]);
  expect(await statuses(allWith(out.metricsToken))).toEqual([403, 403, 0]);
  expect(await statuses(allWith(out.metricsToken), "operator")).toEqual([200, 200, 200]);
  const { stdout } = await sandbox(["operator", "check", "--json", "--sandbox"]);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; verdict: string }[] };
  expect(
    checks.filter(({ name }) => name === "metrics" || name === "firewalls").map(({ verdict }) => verdict),
  ).toEqual(["ok", "ok", "ok"]);
});

test("without the setting all of it is gone from both servers, and nothing else changes", async () => {
  const { summary } = await update("up", "embedded", ["--set", "recordingsGb=10", "--set", "upgrade=1"]);
  expect(Object.keys(summary).sort()).toEqual(["deleted", "unchanged", "updated"]);
  // The token and two steps; the TURN server's firewall.
  expect([summary.deleted, summary.updated]).toEqual([3, 1]);
  expect(await statuses(allWith(out.metricsToken), "operator")).toEqual([404, 404, 0]);
  const left =
    "ls -d /var/lib/bbb-deploy/metrics /usr/local/lib/bigbluebutton-exporter /etc/bbb-deploy/metrics-web.yml " +
    "/etc/systemd/system/bigbluebutton-exporter.service /etc/systemd/system/*metrics* /etc/systemd/system/prometheus-node-exporter.service.d " +
    "/etc/bigbluebutton/nginx/*metrics* /usr/bin/prometheus-node-exporter 2>/dev/null || true";
  for (const host of Object.values(NAMES)) expect(await onHost(host, ["bash", "-c", left])).toBe("");
});
