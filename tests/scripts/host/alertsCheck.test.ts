import { createServer, type AddressInfo, type Server } from "node:net";

import { check, python } from "./checks";
import { FakeHost } from "./scripts";

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
  host.fake("systemctl", "echo active");
});
afterEach(() => host.remove());

const AGO = (seconds: number) => Date.now() / 1000 - seconds;
const SETTINGS = {
  alerts: { email: { to: [] }, webhook: { form: "slack" }, healthcheckUrl: "https://secret" },
};
const state = (more: object = {}) => ({
  ...{ rounds: 3, checks: {}, asked: {}, pending: {}, failing: {} },
  ...{ sent: null, round: { at: AGO(60), quiet: null, processor: 0.64 } },
  ...more,
});

function deployed(kept?: object): void {
  host.put("var/lib/bbb-deploy/alerts/settings.json", JSON.stringify(SETTINGS));
  if (kept) host.put("var/lib/bbb-deploy/alerts/state.json", JSON.stringify(kept));
}

const page = () => check(host, "alerts_check", "check_alerts");

test("ways, last round and last message", async () => {
  deployed(state({ sent: { at: 1764428640, title: "bbb.school.eu: wrong: disk" } }));
  const { verdict, answer } = await page();
  expect(verdict).toBe("ok");
  expect(answer).toMatch(
    /^e-mail, webhook \(slack\), healthcheckUrl; last round \d{4}-\d\d-\d\d \d\d:\d\d UTC, 0\.6 s of processor time; last message 2025-11-29 15:04 UTC: bbb\.school\.eu: wrong: disk$/,
  );
  expect(answer).not.toContain("secret");
});

test("why the last round checked nothing, and that nothing was told yet", async () => {
  deployed(state({ round: { at: AGO(60), quiet: "an update is at work on this host" } }));
  expect((await page()).answer).toMatch(
    /UTC, without checks: an update is at work on this host; nothing had to be told yet$/,
  );
});

test("a way that fails, since when, and what waits", async () => {
  const failing = { email: { since: 1764428640, words: "535 no", remedy: "set the password" } };
  deployed(state({ failing, pending: { email: [{}, {}] } }));
  expect(await page()).toMatchObject({
    verdict: "FAIL",
    answer: expect.stringContaining(
      "e-mail fails since 2025-11-29 15:04 UTC: 535 no, 2 kept for the next round",
    ) as string,
    remedy: "set the password",
  });
});

test("rounds that no longer come, a timer that is off, and a host without any", async () => {
  deployed(state({ round: { at: AGO(1000), quiet: null } }));
  expect(await page()).toMatchObject({
    verdict: "warn",
    answer: expect.stringContaining(", 17 min ago") as string,
  });
  host.fake("systemctl", "echo inactive");
  deployed(state());
  expect(await page()).toMatchObject({
    verdict: "FAIL",
    answer: expect.stringContaining("bbb-alerts.timer is inactive: nobody is told of anything") as string,
  });
  const bare = new FakeHost();
  expect(await check(bare, "alerts_check", "check_alerts")).toMatchObject({
    verdict: "FAIL",
    answer: "not set up here: nobody is told of anything",
  });
  bare.remove();
});

test("before the first round", async () => {
  deployed();
  expect(await page()).toMatchObject({
    verdict: "warn",
    answer: expect.stringContaining("no round yet") as string,
  });
});

/** Record of the check of 127.0.0.1, with these ports in place of 443 and 80. */
async function alive(...ports: readonly number[]): Promise<string> {
  return python(
    host,
    `import alive_check
from checks import Page
alive_check.PORTS, alive_check.SECONDS = ${JSON.stringify(ports)}, 0.3
Page(True).check("other host", "", alive_check.check_alive, ["127.0.0.1"])`,
  );
}

test("a host is alive that takes a connection or refuses it", async () => {
  expect(await alive(1)).toContain('"verdict": "ok"');
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  expect(await alive((server.address() as AddressInfo).port)).toContain('"verdict": "ok"');
  await closed(server);
});

test("a host is dead that answers nothing at any port", async () => {
  const told = await python(
    host,
    `import alive_check
from checks import Page
alive_check.SECONDS = 0.3
# Of a range that leads nowhere (RFC 5737).
Page(True).check("other host", "", alive_check.check_alive, ["192.0.2.77"])`,
  );
  expect(JSON.parse(told)).toMatchObject({
    verdict: "FAIL",
    answer: "no sign of life at 192.0.2.77, 443/tcp and 80/tcp",
    remedy: expect.stringContaining("cloud's console") as string,
  });
});

const closed = (server: Server) => new Promise((resolve) => server.close(resolve));
