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
  expect(calls()).toContain("bbb-conf --stop");
  const again = await unmount("--detach");
  expect([again.code, again.output]).toEqual([0, expect.stringContaining("no recordings volume is mounted")]);
  expect(calls().filter((call) => call.startsWith("bbb-conf"))).toEqual(["bbb-conf --stop"]);
});

test("meetings are not ended, unless that is asked for", async () => {
  host.fake("systemctl", "[[ $* == *coturn* ]]");
  host.fake("ss", `echo 'UNCONN 0 0 203.0.113.2:40000 0.0.0.0:* users:(("turnserver",pid=1,fd=4))'`);
  expect(await unmount()).toMatchObject({ code: 1, output: expect.stringContaining("nothing was touched") });
  expect(calls()).toEqual([]);
  expect((await unmount("--end-meetings")).code).toBe(0);
});
