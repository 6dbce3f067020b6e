import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";

import { check, python } from "./checks";
import { FakeHost } from "./scripts";

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
  host.fake("apt-mark");
  host.fake("systemd-detect-virt", "echo none; exit 1");
});

afterEach(() => host.remove());

const checked = (name: string, ...args: unknown[]) => check(host, "system_check", `check_${name}`, ...args);

const systemctl = (states: Record<string, string>, enabled: string[] = []) =>
  host.fake(
    "systemctl",
    `case $1 in
  is-enabled) case $2 in ${[...enabled, "none"].join("|")}) echo enabled ;; *) exit 1 ;; esac ;;
  is-active) shift; for unit; do case $unit in
    ${Object.entries(states)
      .map(([unit, state]) => `${unit}) echo ${state} ;;`)
      .join("\n")}
    *) echo active ;; esac; done ;;
esac`,
  );

test("BigBlueButton's services are those that always run and those that are switched on", async () => {
  systemctl({ etherpad: "inactive" }, ["bbb-webrtc-sfu"]);
  expect(await checked("services", 0)).toMatchObject({ verdict: "ok", answer: "all 6 active" });
  systemctl({ nginx: "failed", "bbb-webrtc-sfu": "activating" }, ["bbb-webrtc-sfu"]);
  expect(await checked("services", 0)).toMatchObject({
    verdict: "FAIL",
    answer: "nginx is failed, bbb-webrtc-sfu is activating",
    remedy: expect.stringContaining("systemctl restart nginx bbb-webrtc-sfu") as string,
  });
});

test("renewal: coturn has certbot's certificate and a timer renews it", async () => {
  const renewal = () => checked("renewal", "turn.example.org", "turn", false);
  systemctl({});
  expect(await renewal()).toMatchObject({
    verdict: "FAIL",
    answer: expect.stringContaining("there is no") as string,
  });
  const live = "etc/letsencrypt/live/turn.example.org";
  const pieces = ["cert", "privkey", "chain", "fullchain"];
  host.put(`${live}/archive`, "new");
  for (const piece of pieces) symlinkSync("archive", join(host.root, live, `${piece}.pem`));
  host.put(
    "etc/letsencrypt/renewal/turn.example.org.conf",
    pieces.map((piece) => `${piece} = /${live}/${piece}.pem\n`).join(""),
  );
  host.put("etc/turnserver/fullchain.pem", "old");
  expect(await renewal()).toMatchObject({
    verdict: "FAIL",
    remedy: expect.stringContaining("bbb-deploy-coturn") as string,
  });
  host.put("etc/turnserver/fullchain.pem", "new");
  expect(await renewal()).toMatchObject({ verdict: "ok" });
  systemctl({ "certbot.timer": "inactive" });
  expect(await renewal()).toMatchObject({
    verdict: "FAIL",
    answer: expect.stringContaining("certbot.timer is inactive") as string,
  });
});

test.each([
  [16_000_000, 8_000_000, 0, 0, "ok", "8.2 of 16.4 GB available, no swap"],
  [16_000_000, 1_000_000, 0, 0, "warn", "1.0 of 16.4 GB available, no swap"],
  [16_000_000, 500_000, 0, 0, "FAIL", "0.5 of 16.4 GB available, no swap"],
  [16_000_000, 8_000_000, 4_000_000, 500_000, "warn", "8.2 of 16.4 GB available, 3.6 of 4.1 GB swap used"],
])(
  "memory: %d kB, %d available, swap %d, %d free: %s",
  async (total, available, swap, free, verdict, answer) => {
    host.put(
      "proc/meminfo",
      `MemTotal: ${total} kB\nMemFree: 1 kB\nMemAvailable: ${available} kB\nSwapTotal: ${swap} kB\nSwapFree: ${free} kB\nHugePages_Total: 0\n`,
    );
    expect(await checked("memory")).toMatchObject({ verdict, answer });
  },
);

test("failed units are named", async () => {
  host.fake("systemctl", 'echo "foo.service loaded failed failed Foo"');
  expect(await checked("units")).toMatchObject({ verdict: "warn", answer: "failed: foo.service" });
  host.fake("systemctl");
  expect(await checked("units")).toMatchObject({ verdict: "ok", answer: "none failed" });
});

describe("updates", () => {
  beforeEach(async () => {
    host.fake("systemctl");
    await python(host, "import upgrade_guard; upgrade_guard.main()");
  });

  test("nothing pending", async () => {
    expect(await checked("updates")).toMatchObject({
      verdict: "ok",
      answer: "no reboot pending; no unattended upgrades installed; no service is restarted under meetings",
    });
  });

  test("a pending reboot with its packages, held packages, upgrades switched off", async () => {
    host.put("var/run/reboot-required", "*** System restart required ***\n");
    host.put("var/run/reboot-required.pkgs", "linux-base\nlinux-image-6.8.0\nlinux-base\n");
    utimesSync(join(host.root, "var/run/reboot-required"), 0, 1_700_000_000);
    host.put("usr/bin/unattended-upgrade", "");
    host.fake("apt-mark", "echo nginx");
    host.fake("apt-config", `echo 'APT::Periodic::Unattended-Upgrade "0";'`);
    expect(await checked("updates")).toMatchObject({
      verdict: "warn",
      answer:
        "a reboot is pending since 2023-11-14, for linux-base, linux-image-6.8.0; held back: nginx; unattended upgrades are switched off; no service is restarted under meetings",
      remedy: expect.stringContaining("when no meeting is running") as string,
    });
  });

  test("unattended upgrades that have not run for long", async () => {
    host.put("usr/bin/unattended-upgrade", "");
    host.fake("apt-config", `echo 'APT::Periodic::Unattended-Upgrade "1";'`);
    expect((await checked("updates")).answer).toContain("have not run yet");
    const stamp = "var/lib/apt/periodic/unattended-upgrades-stamp";
    host.put(stamp, "");
    expect(await checked("updates")).toMatchObject({ verdict: "ok" });
    const then = Date.now() / 1000 - 30.2 * 86400;
    utimesSync(join(host.root, stamp), then, then);
    expect(await checked("updates")).toMatchObject({
      verdict: "warn",
      answer:
        "unattended upgrades ran 30 days ago; no reboot pending; no service is restarted under meetings",
    });
  });
});

describe("clock", () => {
  test("a timedatectl that hangs, or fails, is doubtful in words", async () => {
    host.fake("timedatectl", "sleep 60 & wait");
    const code = `import checks, system_check
whole = checks.run
system_check.output = lambda *command, limit=20: whole(*command, limit=0.3)[1]
checks.Page(True).check("clock", "NTP", system_check.check_clock, None)`;
    expect(JSON.parse(await python(host, code))).toMatchObject({
      verdict: "warn",
      answer: "timedatectl did not answer within 0.3 s",
      remedy: expect.stringMatching(/^run it by hand on that host: timedatectl;/) as string,
    });
    host.fake("timedatectl", "echo 'Failed to connect to bus' >&2; exit 1");
    expect(await checked("clock", null)).toMatchObject({
      verdict: "warn",
      answer: "timedatectl does not tell whether it is synchronized",
    });
  });

  test("a systemctl that says nothing leaves it open what runs", async () => {
    host.fake("systemctl", "echo 'Failed to connect to bus' >&2; exit 1");
    expect(await checked("services", 0)).toMatchObject({
      verdict: "warn",
      answer: "systemctl is-active said nothing",
    });
  });

  test("synchronized or not; a container has the machine's", async () => {
    host.fake("timedatectl", "echo '  System clock synchronized: yes'");
    expect(await checked("clock", null)).toMatchObject({ verdict: "ok", answer: "synchronized by NTP" });
    host.fake("timedatectl", "echo 'System clock synchronized: no'");
    expect(await checked("clock", null)).toMatchObject({ verdict: "warn" });
    host.fake("systemd-detect-virt", "echo systemd-nspawn");
    expect(await checked("clock", null)).toMatchObject({ verdict: "ok", answer: "the machine's own" });
  });

  test.each([
    [0, "ok", "the other host's"],
    [-30, "warn", "s apart from http"],
    [3600, "FAIL", "60 min apart"],
  ])("%d s from the other host's: %s", async (offset, verdict, answer) => {
    const server = createServer((_, response) => {
      response.sendDate = false;
      response.setHeader("Date", new Date(Date.now() + offset * 1000).toUTCString());
      response.statusCode = offset < 0 ? 404 : 200;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    host.fake("systemd-detect-virt", "echo systemd-nspawn");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const found = await checked("clock", url);
    await new Promise((resolve) => server.close(resolve));
    expect(found).toMatchObject({ verdict, answer: expect.stringContaining(answer) as string });
  });
});

test("the release that runs is the settings' line", async () => {
  expect(await checked("release", "3.0")).toMatchObject({
    verdict: "FAIL",
    answer: "BigBlueButton is not installed",
  });
  host.put("etc/bigbluebutton/bigbluebutton-release", "BIGBLUEBUTTON_RELEASE=3.0.26\n");
  expect(await checked("release", "3.0")).toMatchObject({ verdict: "ok", answer: "3.0.26" });
  expect(await checked("release", "3")).toMatchObject({ verdict: "ok" });
  expect(await checked("release", "4.0")).toMatchObject({
    verdict: "FAIL",
    answer: "3.0.26, where the settings ask for 4.0",
  });
});
