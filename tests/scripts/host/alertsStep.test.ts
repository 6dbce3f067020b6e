import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

import { AlertHost, PASSWORD } from "./alertHost";
import { done, type Done } from "./scripts";

const OWN = "var/lib/bbb-deploy/alerts";
const TIMER = "etc/systemd/system/bbb-alerts.timer";
const SERVICE = "etc/systemd/system/bbb-alerts.service";

let host: AlertHost;
beforeEach(async () => {
  host = await AlertHost.make();
  host.fake("systemctl");
});
afterEach(() => host.remove());

const step = (flags: readonly string[], input = ""): Promise<Done> =>
  done(host.start(["bash", join(host.lib, "alerts.sh"), ...flags]), input);
const setUp = (alerts: object, server = "7") => step(["--server", server], host.settings(alerts));
const remove = (server = "7") => step(["--server", server, "--remove"]);
const there = (path: string) => existsSync(join(host.root, path));
const mode = (path: string) => (statSync(join(host.root, path)).mode & 0o777).toString(8);

test("settings are kept for root alone, a test message is sent, and the timer is switched on", async () => {
  const { code, output } = await setUp({ email: host.email() });
  expect(code).toBe(0);
  expect(output).toContain("email: a test message was sent");
  expect(output).not.toContain(PASSWORD);
  expect(host.mails.map(({ text }) => /^Subject: (.*)$/m.exec(text)?.[1])).toEqual([
    "bbb.school.eu: test of the alerts",
  ]);
  expect(host.read(`${OWN}/settings.json`)).toBe(host.settings({ email: host.email() }));
  expect([mode(OWN), mode(`${OWN}/settings.json`)]).toEqual(["700", "600"]);
  expect(there(`${OWN}/settings.new`)).toBe(false);
  expect(host.read(TIMER)).toContain("OnUnitActiveSec=240\n");
  expect(host.read(SERVICE)).toMatch(/^ExecStart=\/usr\/bin\/python3 -B .*\/alert_round\.py$/m);
  expect(host.read(SERVICE)).toMatch(/^Nice=19\nIOSchedulingClass=idle$/m);
  expect(host.called("systemctl")).toEqual([
    "systemctl daemon-reload",
    "systemctl enable bbb-alerts.timer",
    "systemctl restart bbb-alerts.timer",
  ]);
});

test("a second run sends no test message, unless a way has changed", async () => {
  await setUp({ email: host.email() });
  host.forgetCalls();
  await setUp({ email: host.email() });
  expect(host.mails).toHaveLength(1);
  expect(host.called("systemctl")).toEqual(["systemctl enable --now bbb-alerts.timer"]);
  await setUp({ email: host.email({ to: ["b@school.eu"] }) });
  expect(host.mails.map(({ to }) => to)).toEqual([["admin@school.eu"], ["b@school.eu"]]);
});

test("settings that a mail server refuses are not used, and fail the step with its words", async () => {
  await setUp({ webhook: { form: "slack", url: host.url("/hook") } });
  const before = host.read(`${OWN}/settings.json`);
  const { code, output } = await setUp({ email: host.email({ password: "wrong-one" }) });
  expect(code).toBe(1);
  expect(output).toMatch(/^email: not sent: .*535 5\.7\.8 /m);
  expect(output).toMatch(/^to do for email: set alerts\.email\.user and alerts\.email\.password/m);
  expect(output).toMatch(/^the test message did not get through, .* then run pulumi up again$/m);
  expect(output).not.toContain("wrong-one");
  expect(host.read(`${OWN}/settings.json`)).toBe(before);
  expect(there(`${OWN}/settings.new`)).toBe(false);
});

test("the removal takes timer, settings and state away", async () => {
  await setUp({ email: host.email() });
  await host.round();
  host.forgetCalls();
  expect(await remove()).toMatchObject({
    code: 0,
    output: expect.stringContaining("alerts are off\n") as string,
  });
  expect([OWN, TIMER, SERVICE, "run/bbb-alerts.json"].filter(there)).toEqual([]);
  expect(host.called("systemctl")).toEqual([
    "systemctl disable --now bbb-alerts.timer",
    "systemctl stop bbb-alerts.service",
    "systemctl daemon-reload",
  ]);
  expect((await remove()).code).toBe(0);
});

test("the removal for an old server leaves a newer one's alerts alone", async () => {
  await setUp({ email: host.email() }, "8");
  const { code, output } = await remove("7");
  expect(code).toBe(0);
  expect(output).toContain("those of a newer server");
  expect(there(TIMER) && there(`${OWN}/settings.json`)).toBe(true);
});
