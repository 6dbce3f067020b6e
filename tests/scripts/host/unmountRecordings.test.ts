import { chmodSync, readdirSync, statSync } from "node:fs";
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
