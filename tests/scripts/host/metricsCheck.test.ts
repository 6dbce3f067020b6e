import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { FakeHost, SCRIPTS, done, run } from "./scripts";

const TOKEN = "t0ken".repeat(12);
const NODE = 'node_exporter_build_info{branch="debian/sid",version="1.7.0"} 1\n';
const BBB = 'bbb_api_up 1.0\nbbb_exporter{version="0.7.1"} 1.0\n';

let host: FakeHost;
let server: Server;
/** Text at each path, and who may have it. */
let pages: Record<string, string>;
let lets: (authorization: string | undefined) => number;
const asked: string[] = [];

beforeEach(async () => {
  host = new FakeHost();
  const [key, cert] = ["key.pem", "certificate.pem"].map((name) => join(host.directory, name));
  await run([
    ...[
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "2",
    ],
    ...["-subj", "/CN=bbb.school.eu", "-addext", "subjectAltName=DNS:bbb.school.eu,DNS:turn.school.eu"],
    ...["-keyout", key!, "-out", cert!],
  ]);
  asked.length = 0;
  pages = {
    "/metrics/bigbluebutton": BBB,
    "/metrics/host": NODE,
    "/metrics": `${NODE}turn_up 1\nturn_relays 3\n`,
  };
  lets = (given) => (given === `Bearer ${TOKEN}` ? 200 : 401);
  server = createServer({ key: readFileSync(key!), cert: readFileSync(cert!) }, (request, response) => {
    const { authorization } = request.headers;
    asked.push(`${request.url} ${authorization ?? "-"}`);
    const status = lets(authorization);
    response.writeHead(status).end(status === 200 ? pages[request.url ?? ""] : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  host.remove();
});

/** Record of the check, with this server in place of the host's. */
async function check(
  role: "bbb" | "turn" | "balancer",
  name = `${role}.school.eu`,
): Promise<Record<string, string>> {
  const { port } = server.address() as AddressInfo;
  const code = `import json, sys
sys.path.insert(0, ${JSON.stringify(SCRIPTS)})
import metrics_check
from checks import Page
metrics_check.PORTS = dict.fromkeys(["bbb", "turn", "balancer"], ${port})
Page(True).check("metrics", "", metrics_check.check_metrics, "${role}", "${name}", "${TOKEN}", "0.7.1")`;
  const env = { SSL_CERT_FILE: join(host.directory, "certificate.pem") };
  const { output } = await done(host.start(["/usr/bin/python3", "-B", "-c", code], env));
  return JSON.parse(output) as Record<string, string>;
}

test("both exporters of the BigBlueButton server answer with the token, and 401 without it or with another", async () => {
  expect(await check("bbb")).toMatchObject({
    verdict: "ok",
    answer: "bigbluebutton-exporter 0.7.1, node_exporter 1.7.0, 401 without the token",
  });
  const wrong = `Bearer ${TOKEN.slice(0, -1)}!`;
  expect(asked).toEqual(
    ["/metrics/bigbluebutton", "/metrics/host"].flatMap((path) => [
      `${path} -`,
      `${path} ${wrong}`,
      `${path} Bearer ${TOKEN}`,
    ]),
  );
});

test("the TURN host is asked with a password", async () => {
  lets = (given) => (given === `Basic ${Buffer.from(`metrics:${TOKEN}`).toString("base64")}` ? 200 : 401);
  expect(await check("turn")).toMatchObject({
    verdict: "ok",
    answer: "node_exporter 1.7.0, 3 relays in use, 401 without the token",
  });
});

test("a balancer has its pool among the numbers", async () => {
  const pool = (up: number) =>
    `${NODE}bbb_pool_up ${up}\nbbb_pool_server_state{server="bbb-1.school.eu",state="online"} 1\n`;
  pages["/metrics/host"] = pool(1);
  expect(await check("balancer", "bbb.school.eu")).toMatchObject({
    verdict: "ok",
    answer: "node_exporter 1.7.0, a pool of 1, 401 without the token",
  });
  pages["/metrics/host"] = pool(0);
  expect(await check("balancer", "bbb.school.eu")).toMatchObject({
    ...{ verdict: "FAIL", answer: "the balancer tells nothing of its servers" },
  });
  pages["/metrics/host"] = NODE;
  expect(await check("balancer", "bbb.school.eu")).toMatchObject({
    ...{ verdict: "FAIL", answer: "nothing about the pool among the numbers" },
  });
});

test("who lets everybody in is told", async () => {
  lets = () => 200;
  expect(await check("bbb")).toMatchObject({
    verdict: "FAIL",
    answer: "/metrics/bigbluebutton gives HTTP status 200 without the token, not 401",
  });
});

test.each([
  [
    "another version",
    { "/metrics/bigbluebutton": BBB.replace("0.7.1", "0.7.0") },
    "bigbluebutton-exporter 0.7.0 runs, where 0.7.1 was deployed",
  ],
  [
    "an API that does not answer",
    { "/metrics/bigbluebutton": BBB.replace("up 1", "up 0") },
    "the API gives bigbluebutton-exporter no answer",
  ],
  [
    "something else at its port",
    { "/metrics/bigbluebutton": "" },
    "what answers is no bigbluebutton-exporter",
  ],
  ["something else at node_exporter's", { "/metrics/host": "" }, "what answers is no node_exporter"],
])("%s", async (_, other, answer) => {
  Object.assign(pages, other);
  expect(await check("bbb")).toMatchObject({ verdict: "FAIL", answer });
});

test("relays that nobody counts", async () => {
  lets = (given) => (given === `Basic ${Buffer.from(`metrics:${TOKEN}`).toString("base64")}` ? 200 : 401);
  pages["/metrics"] = NODE;
  expect(await check("turn")).toMatchObject({
    verdict: "FAIL",
    answer: "nothing about coturn's relays among the numbers",
  });
});

test("a certificate of another name, a token that is refused, and nobody who listens", async () => {
  expect((await check("bbb", "other.school.eu")).answer).toMatch(/Hostname mismatch/);
  lets = () => 401;
  expect((await check("bbb")).answer).toBe("/metrics/bigbluebutton gives HTTP status 401 with the token");
  await new Promise((resolve) => server.close(resolve));
  const port = 1;
  jest.spyOn(server, "address").mockReturnValue({ address: "", family: "", port });
  expect(await check("bbb")).toMatchObject({
    verdict: "FAIL",
    answer: "/metrics/bigbluebutton: Connection refused",
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
