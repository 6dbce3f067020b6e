import { exporter, renderScrapeConfig } from "../../bigbluebutton/metrics";
import { changed, idOf, reveal, type Run, runProgram, secretOf } from "../support/program";

const metrics = { networks: [], rotateToken: "" };
let without: Run;
let run: Run;
beforeAll(async () => {
  without = await runProgram();
  run = await runProgram({ settings: { metrics } });
});

const TOKEN = secretOf("metrics-token");

test("the setting adds a token, a step to each host and a port to the TURN host, and runs no step again", () => {
  expect(changed(without, run)).toEqual([
    "bbb-metrics",
    "metrics-token",
    "turn-host-firewall",
    "turn-metrics",
  ]);
  expect(run.get("bbb-metrics").dependsOn).toContain("bbb-verify");
  expect(run.get("turn-metrics").dependsOn).toContain("turn-verify");
  expect(Object.keys(without.outputs)).not.toContain("metricsToken");
});

test("the secrets go by standard input alone; the TURN host is not told that of the API", () => {
  const [bbb, turn] = ["bbb-metrics", "turn-metrics"].map((name) => run.get(name));
  expect(bbb!.inputs.stdin).toBe(`${TOKEN}\n${secretOf("bbb-shared-secret")}\n`);
  expect(turn!.inputs.stdin).toBe(`${TOKEN}\n`);
  for (const { inputs, secretInputs } of [bbb!, turn!]) {
    expect(secretInputs).toContain("stdin");
    expect(JSON.stringify([inputs.create, inputs.delete])).not.toContain(TOKEN);
  }
  expect(bbb!.inputs.create).toContain(
    ` --role bbb --hostname bbb.example.org --exporter-url ${exporter.url.replace(":", "\\:")} --exporter-sha256 ${exporter.sha256} `,
  );
  expect(turn!.inputs.create).toContain(" --role turn --hostname turn.example.org --script-hash ");
});

test("the removal takes the metrics from this server only", () => {
  const { inputs, deletedWith } = run.get("turn-metrics");
  expect(inputs.delete).toBe(
    "/usr/local/lib/bbb-deploy/step --time-limit 1800 turn 'Undo: Set up the metrics' metrics.sh " +
      `--server ${idOf("turn-host-server")} --remove`,
  );
  expect(deletedWith).toBe("turn-host-server");
});

test("outputs: the token, secret, and what Prometheus is told", async () => {
  expect(await reveal(run.outputs.metricsToken)).toEqual({ value: TOKEN, secret: true });
  expect(await reveal(run.outputs.metricsScrapeConfig)).toEqual({
    value: renderScrapeConfig({ bbbHosts: ["bbb.example.org"], turnHost: "turn.example.org" }),
    secret: false,
  });
});

test("scripts/check asks for them; the verification, which comes before, does not", async () => {
  const check = async ({ outputs }: Run) =>
    (await reveal(outputs.check)).value as Record<string, { request: { metrics?: object } }>;
  expect((await check(run)).bbb?.request.metrics).toEqual({ token: TOKEN, version: exporter.version });
  expect((await check(run)).turn?.request.metrics).toEqual({ token: TOKEN });
  expect((await check(without)).bbb?.request).not.toHaveProperty("metrics");
  expect(run.get("bbb-verify").inputs.stdin).not.toContain(TOKEN);
});

test("a new value of rotateToken makes a new token, for both hosts", async () => {
  const other = await runProgram({ settings: { metrics: { ...metrics, rotateToken: "1" } } });
  expect(changed(run, other)).toEqual(["bbb-metrics", "metrics-token", "turn-metrics"]);
});

test("after an upgrade all is put back", async () => {
  const other = await runProgram({ settings: { metrics, upgrade: "1" } });
  expect(changed(run, other)).toEqual(expect.arrayContaining(["bbb-metrics", "turn-metrics"]));
});

test("networks alone may ask: nginx is told them, and the firewall of the TURN host", async () => {
  const networks = ["198.51.100.9/32", "2001:db8:1::/48"];
  const other = await runProgram({ settings: { metrics: { ...metrics, networks } } });
  expect(other.get("bbb-metrics").inputs.create).toContain(
    " --networks 198.51.100.9/32\\,2001\\:db8\\:1\\:\\:/48 ",
  );
  const rule = (of: Run) => of.get("turn-host-firewall").inputs.rules.at(-1) as object;
  const port = {
    direction: "in",
    protocol: "tcp",
    port: "9100",
    description: "Metrics over HTTPS, with a password",
  };
  expect(rule(other)).toEqual({ ...port, sourceIps: networks });
  expect(rule(run)).toEqual({ ...port, sourceIps: ["0.0.0.0/0", "::/0"] });
});

test("another stack's TURN server has metrics of its own", async () => {
  const shared = await runProgram({
    settings: { metrics, turn: { kind: "shared", stack: "prod" } },
    stacks: { "organization/bigbluebutton/prod": { turnHost: "turn.example.net", turnSecret: "x" } },
  });
  expect(shared.resources.filter(({ name }) => name.endsWith("-metrics")).map(({ name }) => name)).toEqual([
    "bbb-metrics",
  ]);
  expect((await reveal(shared.outputs.metricsScrapeConfig)).value).not.toContain("turn");
});

test("an exporter of the operator's own choice, whose version nobody compares", async () => {
  const own = { exporterUrl: "https://mirror.school.eu/x.tar.gz", exporterSha256: "ab".repeat(32) };
  const other = await runProgram({ settings: { metrics: { ...metrics, ...own } } });
  expect(other.get("bbb-metrics").inputs.create).toContain(
    `mirror.school.eu/x.tar.gz --exporter-sha256 ${"ab".repeat(32)}`,
  );
  const { bbb } = (await reveal(other.outputs.check)).value as { bbb: { request: { metrics: object } } };
  expect(bbb.request.metrics).toEqual({ token: TOKEN });
});
