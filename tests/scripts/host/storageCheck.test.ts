import { join } from "node:path";

import { check, python, type Record } from "./checks";
import { done, FakeHost, SCRIPTS } from "./scripts";

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
});

afterEach(() => host.remove());

const checked = (name: string, ...args: unknown[]) => check(host, "storage_check", `check_${name}`, ...args);

test.each([
  [50, 100, "ok"],
  [14, 100, "warn"],
  [4, 100, "FAIL"],
  [300, 4000, "ok"],
  [15, 4000, "warn"],
  [6, 4000, "warn"],
  [4, 4000, "FAIL"],
  [0.4, 10, "FAIL"],
])("a disk with %d of %d GB free: %s", async (free, total, verdict) => {
  const code = `import storage_check
from checks import Page, worst
found = storage_check.room(${free}e9, ${total}e9, 50, 100, "remedy")
Page(True).check("disk", "/", worst, [found])`;
  const remedy = verdict === "ok" ? {} : { remedy: "remedy" };
  const answer = `${free.toFixed(1)} of ${total.toFixed(1)} GB free`;
  expect(JSON.parse(await python(host, code))).toMatchObject({ verdict, answer, ...remedy });
});

test("a disk without room for further files fails, however much is free", async () => {
  const code = `import storage_check; print(storage_check.room(50e9, 100e9, 1, 100, "").verdict)`;
  expect(await python(host, code)).toBe("FAIL\n");
});

describe("a recordings volume", () => {
  /**
   * Checks a volume with two places bound to it, after shell that breaks something; in mounts that no other process
   * sees.
   */
  async function volume(breaks: string): Promise<Record> {
    host.put("etc/fstab", `/srv/bigbluebutton/var/kurento /var/kurento none bind 0 0 # bbb-deploy\n`);
    const script = `set -e; R=$BBB_DEPLOY_ROOT; V=$R/srv/bigbluebutton; mkdir -p $V
mount -t tmpfs -o size=64m none $V
for d in $(/usr/bin/python3 -B ${join(SCRIPTS, "recordings_mounts.py")} | tail -n +2); do
  mkdir -p $V$d $R$d; mount --bind $V$d $R$d
done
${breaks}
exec /usr/bin/python3 -B -c 'import sys; sys.path.insert(0, "${SCRIPTS}")
import storage_check
from checks import Page
Page(True).check("recordings", "", storage_check.check_recordings)'`;
    const { output } = await done(
      host.start(["unshare", "--mount", "--propagation", "private", "bash", "-c", script]),
    );
    return JSON.parse(output.trim()) as Record;
  }

  test("that is as it was mounted is well, as far as there is room", async () => {
    expect(await volume("")).toMatchObject({ verdict: "ok", answer: "0.1 of 0.1 GB free" });
  });

  test("with Greenlight on the server's own disk says so; where it is on the volume it is looked at", async () => {
    host.put("root/greenlight-v3/.env", "");
    expect(await volume("")).toMatchObject({
      verdict: "ok",
      answer: expect.stringContaining(
        "Greenlight is on the server's own disk: a new text of the setting upgrade moves it here",
      ),
    });
    const line =
      "/srv/bigbluebutton/root/greenlight-v3 /root/greenlight-v3 none bind,nofail 0 0 # bbb-deploy";
    expect(await volume(`echo '${line}' >>${host.root}/etc/fstab`)).toMatchObject({
      verdict: "FAIL",
      answer: expect.stringContaining("/root/greenlight-v3 is not on the volume"),
    });
  });

  test("that is not mounted fails: the root disk would fill", async () => {
    host.put("srv/bigbluebutton/x", "");
    expect(await checked("recordings")).toMatchObject({
      verdict: "FAIL",
      answer: expect.stringContaining("not mounted at /srv/bigbluebutton") as string,
    });
  });

  test("that was mounted read-only fails by name, with the way back", async () => {
    expect(await volume("mount -o remount,ro $V")).toMatchObject({
      verdict: "FAIL",
      answer: expect.stringMatching(/^the volume at \/srv\/bigbluebutton is mounted read-only/) as string,
      remedy: expect.stringMatching(
        /mount -o remount,rw \/srv\/bigbluebutton\..*umount \/var\/bigbluebutton /,
      ) as string,
    });
  });

  test.each(["/var/bigbluebutton", "/var/freeswitch/meetings", "/var/mediasoup", "/var/kurento"])(
    "of which %s is not bound any more fails by that name",
    async (path) => {
      const found = await volume(`umount $R${path}`);
      expect(found).toMatchObject({
        verdict: "FAIL",
        answer: expect.stringMatching(new RegExp(`^${path} is not on the volume`)) as string,
      });
      expect(found.remedy).toContain(
        `rsync -aHAX --remove-source-files ${path}/ /srv/bigbluebutton${path}/ && `,
      );
      const line = `'/srv/bigbluebutton${path} ${path} none bind,nofail 0 0 # bbb-deploy' into /etc/fstab`;
      expect(found.remedy!.includes(line)).toBe(path !== "/var/kurento");
      expect(found.remedy).toMatch(new RegExp(`mount ${path}$`));
    },
  );

  test("of which one place takes no writes fails by its name", async () => {
    expect(await volume("mount -o remount,bind,ro $R/var/mediasoup")).toMatchObject({
      verdict: "FAIL",
      answer: expect.stringMatching(/^\/var\/mediasoup is mounted read-only/) as string,
      remedy: "mount -o remount,bind,rw /var/mediasoup",
    });
  });
});

/** Checks with the flags that a file system is mounted with. */
const withFlags = async (flags: string, call: string): Promise<Record> =>
  JSON.parse(
    await python(
      host,
      `import os, types, storage_check
from checks import Page
os.statvfs = lambda path: types.SimpleNamespace(f_flag=${flags}, f_favail=50, f_files=100)
storage_check.shutil.disk_usage = lambda path: types.SimpleNamespace(free=50e9, total=100e9)
Page(True).check("check", "", ${call})`,
    ),
  ) as Record;

test("a root disk that takes no writes fails, whatever is free", async () => {
  expect(await withFlags("0", 'storage_check.check_disk, "/"')).toMatchObject({ verdict: "ok" });
  expect(await withFlags("os.ST_RDONLY", 'storage_check.check_disk, "/"')).toMatchObject({
    verdict: "FAIL",
    answer: "/ is mounted read-only: nothing can be written; 50.0 of 100.0 GB free",
    remedy: expect.stringContaining("mount -o remount,rw /") as string,
  });
});

describe("/tmp", () => {
  const temporary = (flags: string, role: string) =>
    withFlags(flags, `storage_check.check_temporary, "${role}"`);

  test("that lets programs run is well", async () => {
    expect(await temporary("0", "bbb")).toMatchObject({ verdict: "ok" });
  });

  test.each([
    ["bbb", "FAIL", "systemctl restart bbb-web"],
    ["turn", "warn", "mount -o remount,exec /tmp"],
  ])("that is noexec on the %s host: %s", async (role, verdict, remedy) => {
    expect(await temporary("os.ST_NOEXEC", role)).toMatchObject({
      verdict,
      answer: expect.stringMatching(/^mounted noexec/) as string,
      remedy: expect.stringMatching(/^mount -o remount,exec \/tmp/) as string,
    });
    expect((await temporary("os.ST_NOEXEC", role)).remedy).toContain(remedy);
  });
});
