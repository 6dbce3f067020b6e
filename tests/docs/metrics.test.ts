import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parse } from "yaml";

import { renderScrapeConfig } from "../../bigbluebutton/metrics";

const PROJECT = join(__dirname, "..", "..");
const RULES = join(PROJECT, "docs/metrics/alerts.yml");
const TESTS = join(__dirname, "metrics/alerts.test.yml");
/** Where ./scripts/test unpacks Debian's package. */
const PROMTOOL = join(process.env.BBB_PROMETHEUS ?? "/var/cache/bbb-sandbox/prometheus/usr/bin", "promtool");

interface Rule {
  readonly alert: string;
  readonly expr: string;
}
const rules = (parse(readFileSync(RULES, "utf8")) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

interface Panel {
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}
const dashboard = JSON.parse(readFileSync(join(PROJECT, "docs/metrics/dashboard.json"), "utf8")) as {
  readonly panels: readonly Panel[];
};
const queries = dashboard.panels.flatMap(({ targets }) =>
  targets.map(({ expr }) => expr.replaceAll("$bbb", "bbb").replaceAll("$turn", "turn")),
);

let directory: string;
beforeAll(() => {
  if (!existsSync(PROMTOOL)) throw new Error(`${PROMTOOL} is missing: ./scripts/test brings it`);
  directory = mkdtempSync(join(tmpdir(), "bbb-metrics-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function promtool(...words: readonly string[]): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, words, { encoding: "utf8" });
  return { code: status, output: stdout + stderr };
}

/** Writes a file for promtool. @returns its path */
function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

test("Prometheus takes the alert rules, and they fire when they should", () => {
  expect(promtool("check", "rules", RULES)).toMatchObject({
    code: 0,
    output: expect.stringContaining(`SUCCESS: ${rules.length} rules found`) as string,
  });
  expect(promtool("test", "rules", TESTS)).toMatchObject({
    code: 0,
    output: expect.stringContaining("SUCCESS") as string,
  });
});

test("each alert is tested where it fires, and where it does not", () => {
  const { tests } = parse(readFileSync(TESTS, "utf8")) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown }[] }[];
  };
  const asked = tests.flatMap((one) => one.alert_rule_test);
  const names = (fires: boolean) => [
    ...new Set(asked.filter((one) => (one.exp_alerts !== undefined) === fires).map((one) => one.alertname)),
  ];
  const all = rules.map(({ alert }) => alert).sort();
  expect(names(true).sort()).toEqual(all);
  expect(names(false).sort()).toEqual(all);
});

test("a rule that is another fails its test", () => {
  const other = readFileSync(RULES, "utf8").replace("> 0.8", "> 0.95");
  const tests = readFileSync(TESTS, "utf8").replace(
    /^ {2}- .*alerts\.yml$/m,
    `  - ${file("other.yml", other)}`,
  );
  expect(promtool("test", "rules", file("other.test.yml", tests)).code).toBe(1);
});

test("the page names each alert", () => {
  const page = readFileSync(join(PROJECT, "docs/metrics.md"), "utf8");
  expect(rules.map(({ alert }) => alert).filter((alert) => !page.includes(`\`${alert}\``))).toEqual([]);
});

test("Prometheus takes the configuration that asks the servers", () => {
  const token = file("token", "t0ken");
  const config = renderScrapeConfig({ bbbHosts: ["bbb.school.eu"], turnHost: "turn.school.eu" });
  const path = file("prometheus.yml", config.replaceAll("/etc/prometheus/bigbluebutton-token", token));
  expect(promtool("check", "config", path)).toMatchObject({ code: 0 });
  expect((parse(config) as { scrape_configs: { job_name: string }[] }).scrape_configs).toEqual([
    {
      ...{
        job_name: "bigbluebutton",
        scheme: "https",
        metrics_path: "/metrics/bigbluebutton",
        scrape_interval: "30s",
      },
      authorization: { credentials_file: "/etc/prometheus/bigbluebutton-token" },
      static_configs: [{ targets: ["bbb.school.eu:443"], labels: { host: "bbb.school.eu" } }],
    },
    {
      ...{
        job_name: "bigbluebutton-host",
        scheme: "https",
        metrics_path: "/metrics/host",
        scrape_interval: "30s",
      },
      authorization: { credentials_file: "/etc/prometheus/bigbluebutton-token" },
      static_configs: [{ targets: ["bbb.school.eu:443"], labels: { host: "bbb.school.eu" } }],
    },
    {
      ...{ job_name: "turn-host", scheme: "https", metrics_path: "/metrics", scrape_interval: "30s" },
      basic_auth: { username: "metrics", password_file: "/etc/prometheus/bigbluebutton-token" },
      static_configs: [{ targets: ["turn.school.eu:9100"], labels: { host: "turn.school.eu" } }],
    },
  ]);
  expect(renderScrapeConfig({ bbbHosts: ["bbb.school.eu"] })).not.toContain("turn-host");
});

test("Prometheus takes the configuration that asks a pool, in which each host has its name", () => {
  const token = file("token", "t0ken");
  const config = renderScrapeConfig({
    bbbHosts: ["bbb-1.school.eu", "bbb-2.school.eu"],
    ...{ balancerHost: "bbb.school.eu", turnHost: "turn.school.eu" },
  });
  const path = file("pool.yml", config.replaceAll("/etc/prometheus/bigbluebutton-token", token));
  expect(promtool("check", "config", path)).toMatchObject({ code: 0 });
  const jobs = (parse(config) as { scrape_configs: { job_name: string; static_configs: unknown }[] })
    .scrape_configs;
  const target = (host: string, port = 443) => ({ targets: [`${host}:${port}`], labels: { host } });
  const nodes = [target("bbb-1.school.eu"), target("bbb-2.school.eu")];
  expect(jobs.map(({ job_name, static_configs }) => [job_name, static_configs])).toEqual([
    ["bigbluebutton", nodes],
    ["bigbluebutton-host", nodes],
    ["balancer-host", [target("bbb.school.eu")]],
    ["turn-host", [target("turn.school.eu", 9100)]],
  ]);
});

test("Prometheus understands each query of the dashboard", () => {
  const recorded = queries.map((expr, i) => ({ record: `query:${i}`, expr }));
  const path = file("dashboard.yml", JSON.stringify({ groups: [{ name: "dashboard", rules: recorded }] }));
  expect(promtool("check", "rules", path)).toMatchObject({
    code: 0,
    output: expect.stringContaining(`SUCCESS: ${queries.length} rules found`) as string,
  });
});

test("dashboard and rules name metrics that the exporters have", () => {
  const known = readFileSync(join(PROJECT, "tests/fixtures/metrics.txt"), "utf8").split("\n");
  const named = [...queries, ...rules.map(({ expr }) => expr)].flatMap(
    (query) => query.match(/\b(bbb|node|turn)_\w+/g) ?? [],
  );
  expect(new Set(named).size).toBeGreaterThan(15);
  expect([...new Set(named)].filter((name) => !known.includes(name))).toEqual([]);
});

test("the panels stand beside each other, none on another", () => {
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(cells.filter((cell) => Number(cell.split(" ")[0]) >= 24)).toEqual([]);
});
