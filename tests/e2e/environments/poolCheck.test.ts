/**
 * What an operator sees of a pool: scripts/check on one, in its first state, then with one fault after the other; its
 * alerts, and its numbers for Prometheus.
 */
import { signedApiUrl } from "../../../bigbluebutton/api";
import type { Message } from "../../../sandbox/services/messages";
import type { Finding } from "../../../operator/check/finding";
import type { PoolRow } from "../../../operator/check/poolTable";
import { accountObjects } from "../support/account";
import { hetzner } from "../support/clouds";
import { must, onHost, sandbox, update } from "../support/sandbox";

const BALANCER = "bbb.example.test";
const SICK = "bbb-2.example.test";
const TURN = "turn.example.test";
const FIRST = "bbb-1.example.test";
const HOSTS = [BALANCER, TURN, FIRST, SICK];
const alerts = {
  webhook: { form: "json", url: "https://mail.sandbox.test/hook/Vh7tQx2mLp9zRw4k" },
  healthcheckUrl: "https://mail.sandbox.test/ping/pool",
};
const GIVEN = [
  ...["--set", "servers=2", "--set", "recordingsGb=0", "--set", "drainMinutes=0"],
  ...["--set", 'meetings={"recording":"never"}', "--set", "metrics=true"],
  ...["--set", `alerts=${JSON.stringify(alerts)}`],
];

interface Report {
  readonly verdict: string;
  readonly pool: readonly PoolRow[];
  readonly checks: readonly (Finding & { readonly place: string })[];
}

interface Checked extends Report {
  readonly code: number;
  /** Places and names of what is not well. */
  readonly wrong: readonly string[];
}

/** True for findings about root disk and memory, which are this machine's own. */
const ofThisMachine = ({ name }: Finding) => name === "disk" || name === "memory";

async function check(...args: string[]): Promise<Checked> {
  const { code, stdout } = await sandbox(["operator", "check", "--json", ...args, "--sandbox"]);
  const report = JSON.parse(stdout) as Report;
  const bad = report.checks.filter((one) => one.verdict !== "ok" && !ofThisMachine(one));
  return { ...report, code, wrong: [...new Set(bad.map(({ place, name }) => `${place}: ${name}`))].sort() };
}

const find = ({ checks }: Report, place: RegExp, name: string) =>
  checks.find((one) => place.test(one.place) && one.name === name)!;
const row = ({ pool }: Report, server = SICK) => pool.find((one) => one.server === server)!;

const root = (fqdn: string, script: string) => onHost(fqdn, ["bash", "-c", `set -euo pipefail; ${script}`]);
/** As the timer does each five minutes, which then waits for as long. */
const giveAgain = () => root(BALANCER, "systemctl start bbb-deploy-pool");
/** Gives Scalelite other words about the sick server, behind the deployment's back. */
const plant = async (change: string, mode = "keep") => {
  await giveAgain();
  await root(
    BALANCER,
    `docker exec scalelite-api bin/rake 'servers:yaml[true]' | python3 -c '
import json, sys, yaml
servers = yaml.safe_load(sys.stdin)["servers"]
name = "${SICK}"
${change}
print(json.dumps({"servers": servers}))' | docker exec -i scalelite-api bin/rake 'servers:sync[-,${mode}]'`,
  );
};

async function power(action: "poweroff" | "poweron", fqdn = SICK): Promise<void> {
  const [server] = (await accountObjects()).filter(({ kind, name }) => kind === "servers" && name === fqdn);
  const [answer] = await hetzner(["POST", `/servers/${server!.id}/actions/${action}`, {}]);
  expect(answer).toMatchObject({ status: 201 });
}

/** Waits until a host's API answers. */
async function back(fqdn = SICK): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await root(fqdn, `curl -sf -o /dev/null https://${fqdn}/bigbluebutton/api`);
      return;
    } catch (error) {
      if (tries > 120) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

interface Told {
  readonly host: string;
  readonly test: boolean;
  readonly events: readonly { readonly name: string; readonly kind: string }[];
}

async function messages(): Promise<readonly Message[]> {
  return JSON.parse(await must(["messages", "--json"])) as readonly Message[];
}

/** Messages of webhooks from a place in the order on. */
async function toldSince(place: number): Promise<readonly Told[]> {
  return (await messages())
    .slice(place)
    .flatMap((one) =>
      one.kind === "webhook" && one.webhook.url.startsWith("/hook/")
        ? [JSON.parse(one.webhook.body) as Told]
        : [],
    );
}

/** Two rounds of the alerts on each of these hosts: what goes on for as long is told. */
async function rounds(...hosts: readonly string[]): Promise<void> {
  for (let i = 0; i < 2; i++)
    for (const host of hosts) await root(host, "systemctl start bbb-alerts.service");
}

/** Names of the checks that a host told to be bad. */
const badOf = (told: readonly Told[], host: string) =>
  told
    .filter((one) => one.host === host)
    .flatMap(({ events }) => events.filter(({ kind }) => kind !== "well").map(({ name }) => name))
    .filter((name) => name !== "disk" && name !== "memory");

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded", GIVEN);
  // The hosts have just started, and a round is to come when the test says so.
  for (const host of HOSTS)
    await root(
      host,
      `mkdir -p /etc/systemd/system/bbb-alerts.service.d
printf '[Service]\\nEnvironment=BBB_ALERTS_BOOT_SECONDS=0\\n' >/etc/systemd/system/bbb-alerts.service.d/test.conf
systemctl daemon-reload`,
    );
  await rounds(...HOSTS);
});

async function expectAllIsWell(): Promise<Checked> {
  const report = await check();
  expect(report.wrong).toEqual([]);
  expect(report.code).toBe(0);
  return report;
}

test("a healthy pool: each server in a line, and every host says that all is well", async () => {
  const report = await expectAllIsWell();
  expect(report.pool.map(({ server, state, meetings, people }) => [server, state, meetings, people])).toEqual(
    [
      ["bbb-1.example.test", "online", 0, 0],
      ["bbb-2.example.test", "online", 0, 0],
    ],
  );
  for (const { load, release, certificate, polled } of report.pool) {
    expect(load).toBe(0);
    expect(release).toMatch(/^3\.0\.\d+/);
    expect(certificate).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(polled).toBeLessThan(60);
  }
  expect([...new Set(report.checks.map(({ place }) => place))]).toEqual([
    "from here",
    "Hetzner Cloud",
    "all servers",
    "bbb.example.test (balancer)",
    "turn.example.test (TURN)",
    "bbb-1.example.test (BigBlueButton)",
    "bbb-2.example.test (BigBlueButton)",
  ]);
});

test("each host has sent a test message, and where all is well nothing more", async () => {
  const told = await toldSince(0);
  expect(
    told
      .filter(({ test }) => test)
      .map(({ host }) => host)
      .sort(),
  ).toEqual([...HOSTS].sort());
  for (const host of HOSTS) expect(badOf(told, host)).toEqual([]);
  const pings = (await messages()).filter(
    (one) => one.kind === "webhook" && one.webhook.url.startsWith("/ping/pool"),
  );
  expect(pings.length).toBeGreaterThan(0);
});

test("the balancer has the pool's numbers, for whoever has the token", async () => {
  const { metricsToken } = JSON.parse(await must(["outputs", "--json", "--show-secrets"])) as {
    metricsToken: string;
  };
  const ask = (token: string) =>
    root(
      FIRST,
      `curl -s -w '%{http_code}' -H 'Authorization: Bearer ${token}' https://${BALANCER}/metrics/host`,
    );
  const text = await ask(metricsToken);
  expect(text).toMatch(/^bbb_pool_up 1$/m);
  expect(text).toMatch(/^bbb_pool_servers\{state="online"\} 2$/m);
  expect(text).toMatch(/^bbb_pool_meetings\{server="bbb-1\.example\.test"\} 0$/m);
  expect(text).toMatch(/^node_load1 /m);
  expect(await ask("wrong")).toMatch(/401$/);
});

test("the page fits a screen: the servers first, then what is well, counted", async () => {
  const { code, stdout } = await sandbox(["operator", "check", "--sandbox"]);
  expect(code).toBe(0);
  const lines = stdout.split("\n");
  expect(lines[0]).toMatch(/^server +state +meetings +people +load +release +certificate until +last poll$/);
  expect(lines[1]).toMatch(/^bbb-1\.example\.test +online +0 +0 +0 +3\.0\.\S+ +\d{4}-\d\d-\d\d +\d+ s ago$/);
  expect(stdout).toMatch(/^bbb\.example\.test \(balancer\): \d+ ok$/m);
  expect(lines.length).toBeLessThan(30);
});

test("meetings and people are those that the servers themselves have", async () => {
  const { apiUrl, sharedSecret } = JSON.parse(await must(["outputs", "--json", "--show-secrets"])) as Record<
    string,
    string
  >;
  const id = { meetingID: "seen", name: "seen", moderatorPW: "m", attendeePW: "a" };
  await root(BALANCER, `curl -sf '${signedApiUrl(apiUrl!, "create", id, sharedSecret!)}' >/dev/null`);
  const { pool } = await check();
  expect(pool.reduce((sum, { meetings }) => sum + meetings!, 0)).toBe(1);
  await root(
    BALANCER,
    `curl -sf '${signedApiUrl(apiUrl!, "end", { meetingID: "seen", password: "m" }, sharedSecret!)}' >/dev/null`,
  );
});

describe("a server that is cordoned by hand", () => {
  afterAll(giveAgain);

  test("is told by name, as something to look at", async () => {
    await plant(`servers[name]["enabled"] = False`);
    const report = await check();
    expect(row(report).state).toBe("cordoned");
    expect(find(report, /balancer/, "server bbb-2")).toMatchObject({
      ...{ verdict: "warn", answer: expect.stringMatching(/^cordoned at the balancer by hand/) as string },
      remedy: expect.stringContaining("systemctl start bbb-deploy-pool") as string,
    });
    expect(report.code).toBe(0);
    await plant(`servers[name]["enabled"] = False`);
    expect((await check("--strict")).code).toBe(1);
  });
});

test("a server that somebody took out of the balancer is told by name, and the remedy helps", async () => {
  await plant("del servers[name]", "force");
  const report = await check();
  expect(report.code).toBe(1);
  expect(row(report).state).toBe("missing");
  expect(find(report, /balancer/, "server bbb-2")).toMatchObject({
    ...{ verdict: "FAIL", answer: expect.stringMatching(/^the balancer does not know it/) as string },
    remedy: expect.stringContaining("systemctl start bbb-deploy-pool") as string,
  });
  await giveAgain();
});

test("another secret at the balancer than the server's is told by name", async () => {
  await plant(`servers[name]["secret"] = "another"`);
  const report = await check();
  expect(report.code).toBe(1);
  expect(find(report, /balancer/, "server bbb-2")).toMatchObject({
    ...{ verdict: "FAIL", answer: expect.stringMatching(/^it refuses the secret/) as string },
  });
  expect(JSON.stringify(report)).not.toContain('another"');
  await giveAgain();
});

test("another patch level on one server is told by its name", async () => {
  const FILE = "/etc/bigbluebutton/bigbluebutton-release";
  await root(SICK, `cp -p ${FILE} /root/release; sed -i 's/=3\\.0\\..*/=3.0.0/' ${FILE}`);
  const report = await check();
  expect(find(report, /all servers/, "releases")).toMatchObject({
    ...{ verdict: "warn", answer: expect.stringMatching(/^the servers differ: 3\.0\.0 on bbb-2/) as string },
  });
  await root(SICK, `mv /root/release ${FILE}`);
});

test("a balancer's container that was stopped is told, and the servers say what runs on them", async () => {
  await root(BALANCER, "systemctl stop bbb-deploy-scalelite-api");
  const report = await check();
  expect(report.code).toBe(1);
  const balancer = /balancer/;
  expect(find(report, balancer, "services").answer).toBe("bbb-deploy-scalelite-api is inactive");
  expect(find(report, balancer, "answers").answer).toBe("no answer of bbb-deploy-scalelite-api");
  expect(find(report, balancer, "pool")).toMatchObject({
    ...{ verdict: "FAIL", remedy: expect.stringContaining("restart bbb-deploy-scalelite-api") as string },
  });
  expect(find(report, balancer, "server bbb-2").verdict).toBe("skip");
  expect(row(report)).toMatchObject({ state: null, meetings: 0, people: 0 });
  expect(report.wrong.filter((one) => one.includes("BigBlueButton)"))).toEqual([]);
  await root(BALANCER, "systemctl start bbb-deploy-scalelite-api");
  await root(BALANCER, "until curl -sf http://127.0.0.1:3000/health_check; do sleep 1; done");
});

test("a Redis that hangs while it is active is told", async () => {
  await root(BALANCER, "systemctl kill --signal=STOP redis-server");
  const report = await check();
  expect(report.code).toBe(1);
  expect(find(report, /balancer/, "answers").answer).toContain("redis-server");
  await root(BALANCER, "systemctl kill --signal=CONT redis-server");
});

test("a server that was powered off is told by its name, by the cloud and by the balancer; the other goes on", async () => {
  await power("poweroff");
  const report = await check();
  expect(report.code).toBe(1);
  expect(find(report, /balancer/, "server bbb-2")).toMatchObject({
    ...{ verdict: "warn", answer: expect.stringMatching(/^its API does not answer the balancer/) as string },
    remedy: expect.stringContaining("cloud's console") as string,
  });
  expect(find(report, /Hetzner/, "servers").answer).toMatch(/bbb-2-host-server is off/);
  expect(find(report, /^bbb-2/, "SSH").verdict).toBe("FAIL");
  const before = (await messages()).length;
  await rounds(BALANCER, TURN, FIRST);
  const told = await toldSince(before);
  expect(badOf(told, BALANCER)).toContain("server bbb-2");
  // The others leave that to the balancer.
  expect([...badOf(told, TURN), ...badOf(told, FIRST)]).toEqual([]);
  expect(row(report)).toMatchObject({ meetings: null, release: null, polled: null });
  expect(row(report, "bbb-1.example.test")).toMatchObject({ state: "online", meetings: 0 });
  // That one tries the other's ports.
  expect(report.wrong.filter((one) => one.startsWith("bbb-1"))).toEqual([
    "bbb-1.example.test (BigBlueButton): ports",
  ]);
  await power("poweron");
  await back();
  await root(BALANCER, "docker exec scalelite-api bin/rake poll:all");
});

test("a coturn that was stopped is told by itself and by one of the servers, not by all", async () => {
  const before = (await messages()).length;
  await root(TURN, "systemctl stop coturn");
  await rounds(TURN, FIRST, SICK);
  const told = await toldSince(before);
  expect(badOf(told, TURN)).toContain("coturn");
  expect(badOf(told, FIRST)).toContain("TURN over UDP");
  expect(badOf(told, SICK)).toEqual([]);
  await root(TURN, "systemctl start coturn");
});

test("a balancer that is off is told by the TURN server, and comes back by itself", async () => {
  const before = (await messages()).length;
  await power("poweroff", BALANCER);
  await rounds(TURN, FIRST, SICK);
  const told = await toldSince(before);
  expect(badOf(told, TURN)).toContain("balancer");
  expect([...badOf(told, FIRST), ...badOf(told, SICK)]).toEqual([]);
  const report = await check();
  expect(report.code).toBe(1);
  expect(find(report, /balancer/, "SSH").verdict).toBe("FAIL");
  expect(row(report)).toMatchObject({ state: null, meetings: 0 });
  await power("poweron", BALANCER);
  await back(BALANCER);
  await root(BALANCER, "docker exec scalelite-api bin/rake poll:all");
});

test("once all is mended, all is well, and that is told", async () => {
  // As its timer does each minute.
  await root(BALANCER, "systemctl start bbb-deploy-collect");
  await rounds(...HOSTS);
  await expectAllIsWell();
  const [, ...all] = await toldSince(0);
  const last = (name: string) =>
    all.flatMap(({ events }) => events.filter((one) => one.name === name)).at(-1)?.kind;
  for (const name of ["server bbb-2", "coturn", "balancer", "TURN over UDP"]) expect(last(name)).toBe("well");
});
