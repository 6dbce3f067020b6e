import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { FakeHost } from "./scripts";

const PLACES = ["/srv/bigbluebutton", "/var/bigbluebutton", "/var/freeswitch/meetings"];

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
  host.put(
    "etc/fstab",
    `UUID=1 / ext4 defaults 0 1\n${PLACES.map((place) => `x ${place} none bind 0 0 # bbb-deploy\n`).join("")}`,
  );
  host.fake("bbb-conf");
  host.fake("mountpoint");
  host.fake("umount");
  host.fake("sync");
  host.fake("systemctl", "exit 1");
});

afterEach(() => host.remove());

const unmount = (...flags: string[]) => host.script("unmount-recordings.sh", flags);
const calls = () => host.called().filter((call) => /^(bbb-conf|umount|sync)/.test(call));

test("BigBlueButton is stopped first, and the volume itself unmounted last", async () => {
  const { code, output } = await unmount();
  expect([code, output]).toEqual([0, expect.stringContaining("it can be detached, or the server replaced")]);
  expect(calls()).toEqual([
    "bbb-conf --stop",
    ...[...PLACES].reverse().map((place) => `umount ${host.root}${place}`),
    "sync ",
  ]);
});

test("on the balancer of a pool, what fetches, imports and serves recordings is stopped in its place", async () => {
  host.put("var/lib/bbb-deploy/balancer/servers", "2\n");
  host.fake("systemctl", '[[ $1 != is-active && $* != *"cat bbb-deploy-collect.service"* ]]');
  expect((await unmount()).code).toBe(0);
  expect(calls().filter((call) => call.startsWith("bbb-conf"))).toEqual([]);
  expect(host.called("systemctl").filter((call) => call.startsWith("systemctl stop"))).toEqual(
    [
      "nginx.service",
      "bbb-deploy-scalelite-api.service",
      "bbb-deploy-scalelite-recording-importer.service",
      "bbb-deploy-collect.timer",
    ].map((unit) => `systemctl stop ${unit}`),
  );
});

test("what is not mounted is left, so that it can be run again", async () => {
  host.fake("mountpoint", "[[ $* != *freeswitch* ]]");
  expect((await unmount()).code).toBe(0);
  expect(calls().filter((call) => call.startsWith("umount"))).toHaveLength(2);
});

test.each([
  ["bbb-conf", "BigBlueButton could not be stopped", []],
  ["umount", "/var/freeswitch/meetings is still in use: fuser -vm", ["umount"]],
])("where %s fails, nothing further is done", async (command, text, done) => {
  host.fake(command, "exit 1");
  const { code, output } = await unmount();
  expect([code, output]).toEqual([1, expect.stringContaining(text)]);
  expect(
    calls()
      .slice(1)
      .map((call) => call.split(" ")[0]),
  ).toEqual(done);
});

test("a host without such a volume is told", async () => {
  host.put("etc/fstab", "UUID=1 / ext4 defaults 0 1\n");
  expect(await unmount()).toMatchObject({
    code: 1,
    output: expect.stringContaining("there is no recordings volume on this host"),
  });
  expect(calls()).toEqual([]);
});

test("before the program takes it away, no boot waits for it any more, and a second time there is nothing to do", async () => {
  expect(await unmount("--detach")).toMatchObject({ code: 0 });
  expect(host.read("etc/fstab")).toBe("UUID=1 / ext4 defaults 0 1\n");
  const again = await unmount("--detach");
  expect([again.code, again.output]).toEqual([0, expect.stringContaining("no recordings volume is mounted")]);
  expect(calls().filter((call) => call.startsWith("bbb-conf"))).toEqual([
    "bbb-conf --stop",
    "bbb-conf --start",
  ]);
});

test("cut off before BigBlueButton was started again, it is started by the next run", async () => {
  host.fake("bbb-conf", '[[ $1 == --stop ]] || kill -KILL "$PPID"');
  await unmount("--detach");
  host.fake("bbb-conf");
  expect(await unmount("--detach")).toMatchObject({ code: 0 });
  expect(calls().filter((call) => call.startsWith("bbb-conf"))).toEqual([
    "bbb-conf --stop",
    "bbb-conf --start",
    "bbb-conf --start",
  ]);
});

describe("told of the volume that is to be there", () => {
  const detach = () => unmount("--detach", "--device", "/dev/disk/by-id/scsi-0HC_Volume_42");
  const stopsAndStarts = () => calls().filter((call) => call.startsWith("bbb-conf"));

  beforeEach(() => host.put("etc/fstab", "UUID=aa-22 /srv/bigbluebutton ext4 nofail 0 2 # bbb-deploy\n"));

  test("that one stays, and BigBlueButton runs on", async () => {
    host.fake("blkid", "echo aa-22");
    const { code, output } = await detach();
    expect([code, output]).toEqual([0, expect.stringContaining("the recordings volume stays")]);
    expect(calls()).toEqual([]);
    expect(host.called("blkid")).toEqual([expect.stringContaining("/dev/disk/by-id/scsi-0HC_Volume_42")]);
  });

  test.each([
    ["another is unmounted", "echo aa-2"],
    ["where it is not attached yet, the one in use is unmounted", "exit 2"],
    ["where it is empty, the one in use is unmounted", "exit 0"],
  ])("%s, and BigBlueButton waits for the next", async (_, blkid) => {
    host.fake("blkid", blkid);
    const { code, output } = await detach();
    expect([code, output]).toEqual([0, expect.stringContaining("BigBlueButton starts again with the next")]);
    expect(stopsAndStarts()).toEqual(["bbb-conf --stop"]);
    expect(host.read("etc/fstab")).toBe("");
  });
});

test("where no volume is to be there, BigBlueButton goes on without", async () => {
  expect(await unmount("--detach")).toMatchObject({
    code: 0,
    output: expect.stringContaining("recordings are kept on the server's own disk"),
  });
  expect(calls().filter((call) => call.startsWith("bbb-conf"))).toEqual([
    "bbb-conf --stop",
    "bbb-conf --start",
  ]);
});

test("the directories of BigBlueButton are below the volume's, too, without what was recorded", async () => {
  host.put("var/bigbluebutton/recording/raw/meeting/audio/sound.opus", "");
  chmodSync(join(host.root, "var/bigbluebutton/recording"), 0o750);
  // Below it there is an empty one.
  host.fake("umount", 'rm -rf "$1" && mkdir -p "$1"');
  expect((await unmount("--detach")).code).toBe(0);
  const made = readdirSync(join(host.root, "var/bigbluebutton"), { recursive: true }).sort();
  expect(made).toEqual(["recording", "recording/raw"]);
  expect(statSync(join(host.root, "var/bigbluebutton/recording")).mode & 0o777).toBe(0o750);
});

test("meetings are not ended, unless that is asked for", async () => {
  host.fake("systemctl", "[[ $* == *coturn* ]]");
  host.fake("ss", `echo 'UNCONN 0 0 203.0.113.2:40000 0.0.0.0:* users:(("turnserver",pid=1,fd=4))'`);
  expect(await unmount()).toMatchObject({ code: 1, output: expect.stringContaining("nothing was touched") });
  expect(calls()).toEqual([]);
  expect((await unmount("--end-meetings")).code).toBe(0);
});

describe("with Greenlight on the volume", () => {
  const OWN = "root/greenlight-v3";
  const ON_VOLUME = `srv/bigbluebutton/${OWN}`;
  const DROP_IN = "etc/systemd/system/docker.service.d/50-bbb-deploy-recordings.conf";
  const order = () =>
    host
      .called()
      .flatMap(
        (call) =>
          /^(?:bbb-conf .*|systemctl (?:stop|start) .*docker.service)$/.exec(call)?.[0] ??
          /^umount .*\/root\/(root\/greenlight-v3|srv\/bigbluebutton)$/.exec(call)?.[1] ??
          [],
      );

  beforeEach(() => {
    const lines = ["/root/greenlight-v3", "/var/lib/bbb-deploy/greenlight"].map(
      (place) => `x ${place} none bind 0 0 # bbb-deploy\n`,
    );
    host.put("etc/fstab", host.read("etc/fstab") + lines.join(""));
    host.put("srv/bigbluebutton/var/lib/bbb-deploy/greenlight/before.json", "{}");
    host.fake("systemctl");
    host.put(`${ON_VOLUME}/.env`, "accounts\n");
    mkdirSync(join(host.root, OWN), { recursive: true });
    host.put(DROP_IN, "[Unit]\n");
    host.fake("mountpoint", `! grep -qx "umount $2" "${host.directory}/calls"`);
  });

  const STOPPED = [
    "bbb-conf --stop",
    "systemctl stop docker.socket docker.service",
    "root/greenlight-v3",
    "srv/bigbluebutton",
  ];

  test("its containers end first, and wait with the volume for the next boot", async () => {
    expect((await unmount()).code).toBe(0);
    expect(order()).toEqual(STOPPED);
    expect(readdirSync(join(host.root, OWN))).toEqual([]);
    expect(existsSync(join(host.root, DROP_IN))).toBe(true);
  });

  test.each([
    ["without a volume after it", []],
    ["for another volume", ["--device", "/dev/disk/by-id/scsi-0HC_Volume_42"]],
  ])(
    "it goes back to the server's own disk %s, and starts there; the volume keeps its copy",
    async (_, more) => {
      host.fake("blkid", "echo other");
      const { code, output } = await unmount("--detach", ...more);
      expect([code, output]).toEqual([
        0,
        expect.stringContaining("Greenlight is on the server's own disk again; its copy on the volume stays"),
      ]);
      expect(order().slice(0, 5)).toEqual([...STOPPED, "systemctl start docker.service"]);
      expect([host.read(`${OWN}/.env`), host.read(`${ON_VOLUME}/.env`)]).toEqual([
        "accounts\n",
        "accounts\n",
      ]);
      expect([existsSync(join(host.root, DROP_IN)), host.read("etc/fstab")]).toEqual([
        false,
        "UUID=1 / ext4 defaults 0 1\n",
      ]);
    },
  );

  test("one that was cut off is gone on with, with what is on the volume", async () => {
    host.put(`${OWN}/.env`, "half of a former run\n");
    expect((await unmount("--detach")).code).toBe(0);
    expect(host.read(`${OWN}/.env`)).toBe("accounts\n");
  });

  test("that can't be copied, the volume stays", async () => {
    host.fake("cp", "echo 'cp: no space' >&2; exit 1");
    const { code, output } = await unmount("--detach");
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/cp: no space[^]*could not be copied to the server's own disk/),
    ]);
    expect(order()).not.toContain("srv/bigbluebutton");
    expect(host.read("etc/fstab")).toContain("/root/greenlight-v3");
  });
});
