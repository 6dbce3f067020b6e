/** Secrets of a pool's front ends on its balancer: configure-balancer.sh and balancer_secrets.py. */
import { join } from "node:path";

import { renderScaleliteEnvironment } from "../../../bigbluebutton/scalelite";
import { FakeHost, SCRIPTS, type Done } from "./scripts";

const [FIRST, SECOND, THIRD] = ["FirstSecret", "SecondSecret", "ThirdSecret"] as const;
const ENVIRONMENT = "etc/bbb-deploy/scalelite.env";
const TIMER = "etc/systemd/system/bbb-deploy-scalelite-secret.timer";
const DAY = 86_400;

let host: FakeHost;
beforeEach(async () => {
  host = new FakeHost();
  for (const name of ["systemctl", "docker", "curl"]) host.fake(name);
  host.put("var/lib/bbb-deploy/balancer/database-password", "db");
  host.put("var/lib/bbb-deploy/balancer/secret-key-base", "key");
  await configure(FIRST);
  host.forgetCalls();
});
afterEach(() => host.remove());

const configure = (sharedSecret: string): Promise<Done> =>
  host.script(
    "configure-balancer.sh",
    [
      ...["--api-image", "scalelite:v1-api", "--poller-image", "scalelite:v1-poller"],
      ...["--importer-image", "scalelite:v1-importer"],
      ...[
        "--nodes",
        "bbb-1.example.test",
        "--servers",
        "1",
        "--drain-minutes",
        "30",
        "--max-unavailable",
        "1",
      ],
    ],
    renderScaleliteEnvironment({ fqdn: "bbb.example.test", sharedSecret, servers: 1 }),
  );
/** Runs what the timer does. */
const retire = async () => {
  const script = join(SCRIPTS, "balancer_secrets.py");
  const child = host.start(["/usr/bin/python3", "-B", script, "retire"]);
  return new Promise((resolve) => child.on("close", resolve));
};
/** Secrets that Scalelite takes, the deployment's first. */
const taken = () => {
  const lines = host.read(ENVIRONMENT).split("\n");
  return ["LOADBALANCER_SECRET=", "LOADBALANCER_SECRETS="].flatMap((name) =>
    lines.filter((line) => line.startsWith(name)).map((line) => line.slice(name.length)),
  );
};
/** Lets all but some seconds of a former secret's time pass. */
const pass = (seconds: number) => {
  const path = "var/lib/bbb-deploy/balancer/front-end-secrets.json";
  const secrets = JSON.parse(host.read(path)) as { until: number };
  host.put(path, JSON.stringify({ ...secrets, until: secrets.until - 2 * DAY + seconds }));
};
const restarts = () =>
  host.called("systemctl").filter((line) => /restart bbb-deploy-scalelite-api/.test(line));

test("the first secret is alone, and the step's second run restarts nothing", async () => {
  expect(taken()).toEqual([FIRST]);
  expect((await configure(FIRST)).code).toBe(0);
  expect([taken(), restarts()]).toEqual([[FIRST], []]);
  expect(host.called("systemctl").join()).not.toContain("scalelite-secret");
});

test("a new secret is taken beside the former one, for which a timer is set; no secret is told", async () => {
  const { code, output } = await configure(SECOND);
  expect(code).toBe(0);
  expect(taken()).toEqual([SECOND, FIRST]);
  expect(restarts()).toHaveLength(1);
  const when = /OnCalendar=(.*) UTC/.exec(host.read(TIMER))![1]!;
  expect(Math.abs(Date.parse(`${when}Z`) / 1000 - Date.now() / 1000 - 2 * DAY)).toBeLessThan(60);
  expect(output).toContain(`the former secret of the front ends is taken until ${when.slice(0, 16)} UTC`);
  expect(host.called("systemctl")).toContain("systemctl enable bbb-deploy-scalelite-secret.timer");
  expect(output + host.called().join("\n")).not.toMatch(/FirstSecret|SecondSecret/);
});

test("the step's next run leaves the former one its time, and restarts nothing", async () => {
  await configure(SECOND);
  const timer = host.read(TIMER);
  host.forgetCalls();
  await configure(SECOND);
  expect([taken(), host.read(TIMER), restarts()]).toEqual([[SECOND, FIRST], timer, []]);
});

test("a further one ends the oldest at once", async () => {
  await configure(SECOND);
  await configure(THIRD);
  expect(taken()).toEqual([THIRD, SECOND]);
});

test("two days later the timer ends the former one, and not before", async () => {
  await configure(SECOND);
  const whole = host.read(ENVIRONMENT);
  pass(60);
  host.forgetCalls();
  await retire();
  expect([taken(), restarts()]).toEqual([[SECOND, FIRST], []]);
  pass(-60);
  await retire();
  expect(host.read(ENVIRONMENT)).toBe(whole.replace(`LOADBALANCER_SECRETS=${FIRST}\n`, ""));
  expect(restarts()).toEqual(["systemctl try-restart bbb-deploy-scalelite-api.service"]);
  host.forgetCalls();
  await configure(SECOND);
  expect([taken(), restarts()]).toEqual([[SECOND], []]);
  expect(host.called("systemctl")).toContain("systemctl disable --now bbb-deploy-scalelite-secret.timer");
});

test("a restart that fails is tried again", async () => {
  await configure(SECOND);
  pass(-60);
  host.fake("systemctl", "exit 1");
  expect(await retire()).toBe(1);
  host.fake("systemctl");
  host.forgetCalls();
  expect(await retire()).toBe(0);
  expect([taken(), restarts()]).toEqual([[SECOND], [expect.any(String)]]);
});

test("settings without a secret are refused, and what was stays", async () => {
  const { code, output } = await configure("");
  expect(code).toBe(1);
  expect(output).toContain("the settings of Scalelite on standard input are not whole");
  expect(taken()).toEqual([FIRST]);
});
