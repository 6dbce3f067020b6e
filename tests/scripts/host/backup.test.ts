import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";

import { BackupHost, HOST } from "./backupHost";
import { PASSWORD } from "./quickRepository";

const OWN = "var/lib/bbb-deploy/backup";
const TIMER = "etc/systemd/system/bbb-backup.timer";
const SERVICE = "etc/systemd/system/bbb-backup.service";
const STATE_SERVICE = "etc/systemd/system/bbb-backup-state.service";

let host: BackupHost;
beforeEach(() => {
  host = new BackupHost();
});
afterEach(() => host.remove());

const there = (path: string) => existsSync(join(host.root, path));
const mode = (path: string) => (statSync(join(host.root, path)).mode & 0o777).toString(8);

/** Files of a host's root that hold a text. */
function filesWith(text: string, folder = host.root): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
    .filter((path) => readFileSync(path).includes(text))
    .map((path) => path.slice(host.root.length + 1));
}

describe("set-up", () => {
  test("a repository is made, secrets are kept for root alone, and the timer is switched on", async () => {
    rmSync(host.repository, { recursive: true });
    const { code, output } = await host.setUp();
    expect(output).toContain(`made the repository ${host.repository}`);
    expect(output).toContain("backups are on: each night at 02:30 UTC");
    expect(code).toBe(0);
    expect(existsSync(join(host.repository, "config"))).toBe(true);
    expect(output).not.toContain(PASSWORD);
    expect(filesWith(PASSWORD).sort()).toEqual([`${OWN}/keys/password`, `${OWN}/settings.json`]);
    expect([OWN, `${OWN}/keys`, `${OWN}/keys/password`, `${OWN}/settings.json`].map(mode)).toEqual([
      ...["700", "700", "600", "600"],
    ]);
    expect(host.read(TIMER)).toMatch(
      /^OnCalendar=\*-\*-\* 02:30:00 UTC\nRandomizedDelaySec=1800\nPersistent=true$/m,
    );
    expect(host.read(SERVICE)).toMatch(/^Nice=19\nIOSchedulingClass=idle\nCPUQuota=50%$/m);
    expect(host.called("systemctl")).toContain("systemctl enable bbb-backup.timer");
    expect(host.read(STATE_SERVICE)).toMatch(/^ExecStart=.*\/backup\.py state$/m);
  });

  test("a second run keeps the repository, and its password", async () => {
    await host.setUp();
    const before = host.read(`${OWN}/settings.json`);
    const { code, output } = await host.setUp();
    expect(code).toBe(0);
    expect(output).toContain(`the repository is there: ${host.repository}`);
    expect(host.read(`${OWN}/settings.json`)).toBe(before);
  });

  test("another password is refused by name, and the nightly run goes on with the one before", async () => {
    await host.setUp();
    const { code, output } = await host.setUp({ password: "another-password" });
    expect(code).toBe(1);
    expect(output).toMatch(/made with another password than this stack's\. Give the one .* backup\.password/);
    expect(output).toContain("What was saved before is untouched");
    expect(host.read(`${OWN}/keys/password`)).toBe(`${PASSWORD}\n`);
    expect((await host.backup(["run"])).code).toBe(0);
  });

  test("a place that does not answer is told at once", async () => {
    const began = Date.now();
    const { code, output } = await host.setUp({
      ...{ to: "s3:http://127.0.0.1:9/bucket", accessKeyId: "a", secretAccessKey: "b" },
    });
    expect(code).toBe(1);
    expect(output).toMatch(
      /^FAILED: the backup's place can't be reached: 127\.0\.0\.1, port 9: Connection refused\. /m,
    );
    expect(there(`${OWN}/settings.json`)).toBe(false);
    expect(there(TIMER)).toBe(false);
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  test("a server that says nothing of restic's is told in the end", async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket.resume()));
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const to = `s3:http://127.0.0.1:${(mute.address() as AddressInfo).port}/bucket`;
    const settings = host.settings({ to, accessKeyId: "a", secretAccessKey: "b" });
    const { code, output } = await host.backup(["prepare"], {
      input: settings,
      env: { BBB_BACKUP_ASK_SECONDS: "2" },
    });
    sockets.forEach((socket) => socket.destroy());
    mute.close();
    expect(code).toBe(1);
    expect(output).toContain("is slow or hangs");
  });

  test("the removal takes timer and secrets away, and leaves what was saved", async () => {
    await host.setUp();
    await host.backup(["run"]);
    const { code, output } = await host.script("backup.sh", ["--server", "7", "--remove"]);
    expect(code).toBe(0);
    expect(output).toContain("those that were made stay where they are");
    expect([OWN, TIMER, SERVICE, STATE_SERVICE].filter(there)).toEqual([]);
    expect(readdirSync(join(host.repository, "snapshots"))).toHaveLength(2);
  });

  test("the removal for an old server leaves a newer one's backups alone", async () => {
    await host.setUp({}, ["--server", "8", "--at", "02:30"]);
    const { output } = await host.script("backup.sh", ["--server", "7", "--remove"]);
    expect(output).toContain("those of a newer server");
    expect(there(TIMER)).toBe(true);
  });
});

describe("a run", () => {
  beforeEach(async () => {
    await host.setUp();
    host.record("a-1");
    host.record("b-2");
    host.record("b-2", "video");
  });

  test("two snapshots with one tag, and what was saved is counted", async () => {
    host.installGreenlight(3);
    const { code, output } = await host.backup(["run"]);
    expect(output).toContain("Greenlight with 3 users, 1 rooms, 0 recordings");
    expect(output).toContain("recordings 2 presentation, 1 video");
    expect(code).toBe(0);
    const { problems, whole } = host.last as unknown as { problems: string[]; whole: Record<string, object> };
    expect(problems).toEqual([]);
    expect(whole).toMatchObject({
      state: { greenlight: { users: 3, rooms: 1, recordings: 0, files: 1 } },
      recordings: { formats: { presentation: 2, video: 1 } },
    });
    const listed = JSON.parse((await host.backup(["list", "--json"])).output) as { backups: object[] };
    expect(listed.backups).toEqual([
      expect.objectContaining({
        ...{ host: HOST, run: expect.stringMatching(/^run-\d{8}T\d{6}Z$/) as string },
        ...{ state: expect.any(String) as string, recordings: expect.any(String) as string },
      }),
    ]);
    expect(there(`${OWN}/made`)).toBe(false);
    expect(mode("var/log/bbb-deploy/backup.log")).toBe("600");
    expect(host.log).not.toContain(PASSWORD);
  });

  test("with Greenlight's database down the state is saved without it, and the run fails with what is missing", async () => {
    host.installGreenlight(3);
    rmSync(join(host.directory, "database"));
    const { code, output } = await host.backup(["run"]);
    expect(code).toBe(1);
    expect(output).toMatch(
      /^FAILED: Greenlight is not in this backup, all else is: .*is not running.*Earlier backups of it are untouched$/m,
    );
    const listed = JSON.parse((await host.backup(["list", "--json"])).output) as { backups: object[] };
    expect(listed.backups).toHaveLength(1);
    expect((await host.backup(["list"])).output).toContain(`${HOST}, without Greenlight's database`);
    expect(host.last.problems).toHaveLength(1);
  });

  test("a dump that is cut off is noticed, and not saved", async () => {
    host.installGreenlight(3);
    const { code, output } = await host.backup(["run"], { env: { BBB_TEST_CUT_OFF: "1" } });
    expect(code).toBe(1);
    expect(output).toMatch(/the dump of Greenlight's database is not whole: .*end of file/);
    expect(there(`${OWN}/made/greenlight.dump`)).toBe(false);
  });

  test("a disk too small for the dump: it is not begun, and all else is saved", async () => {
    host.installGreenlight(3);
    const { code, output } = await host.backup(["run"], { env: { BBB_TEST_SIZE: String(1e15) } });
    expect(code).toBe(1);
    expect(output).toMatch(
      /^FAILED: Greenlight is not in this backup, all else is: the disk has .* GB free, too little/m,
    );
    expect(output).toContain("saved the recordings");
    expect(host.called("docker").filter((line) => line.includes("pg_dump"))).toEqual([]);
  });

  test("the repository is gone: one sentence, and the server stays as it is", async () => {
    rmSync(host.repository, { recursive: true });
    const { code, output } = await host.backup(["run"]);
    expect(code).toBe(1);
    expect(output).toMatch(
      /^FAILED: nothing was saved: there is no repository at .*BigBlueButton is not affected\.$/m,
    );
  });

  test("killed while it holds the repository: the next one goes on, and no lock is in its way", async () => {
    const locks = () => readdirSync(join(host.repository, "locks")).filter((name) => !name.includes("-tmp-"));
    await host.killOnce(() => locks().length > 0, ["backup.py", "run"]);
    expect(locks()).not.toEqual([]);
    const { code, output } = await host.backup(["run"]);
    expect(output).toContain("recordings 2 presentation, 1 video");
    expect(code).toBe(0);
    expect((await host.backup(["prune"])).code).toBe(0);
    expect(locks()).toEqual([]);
  });

  test("killed while it has the repository to itself: the next run takes its lock away", async () => {
    const locks = join(host.repository, "locks");
    await host.killOnce(
      () => readdirSync(locks).some((name) => !name.includes("-tmp-")),
      [...(["backup.py", "verify"] as const)],
    );
    const { code, output } = await host.backup(["run"]);
    expect([code, output]).toEqual([0, expect.stringContaining("done in") as string]);
    expect(host.log).toContain("repository is already locked exclusively");
  });

  test("a night opens the repository three times, since each costs a small server's processor", async () => {
    await host.backup(["run"]);
    const before = host.log;
    await host.backup(["run"]);
    expect(host.log.slice(before.length).match(/ restic \w+/g)).toEqual([
      ...[" restic cat", " restic backup", " restic backup"],
    ]);
  });

  test("a second run at the same time is refused", async () => {
    const slow = host.start(["flock", join(host.root, OWN, "lock"), "sleep", "20"]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { code, output } = await host.backup(["run"]);
    slow.kill();
    expect(code).toBe(1);
    expect(output).toContain("a backup or restore is at work on this server already");
  });

  test("a run that fails keeps the last whole one, by which its age counts", async () => {
    await host.backup(["run"]);
    const whole = host.last.whole;
    rmSync(host.repository, { recursive: true });
    await host.backup(["run"]);
    expect(host.last.whole).toEqual(whole);
    expect(host.last.problems).toHaveLength(1);
  });
});

describe("two servers in one repository", () => {
  let other: BackupHost;
  beforeEach(async () => {
    other = new BackupHost();
    await host.setUp();
    await other.setUp({ to: host.repository, host: "other.school.eu" });
    host.record("a-1");
    other.record("b-2");
    for (const one of [host, other, other]) expect((await one.backup(["run"])).code).toBe(0);
  });
  afterEach(() => other.remove());

  test("each is listed under its name, and pruning leaves the other's alone", async () => {
    const { output } = await host.backup(["list"]);
    expect(output.match(/other\.school\.eu$/gm)).toHaveLength(2);
    expect(output.match(/ bbb\.school\.eu$/gm)).toHaveLength(1);
    expect((await host.backup(["prune"])).output).toContain("0 of 2 snapshots removed, 2 kept");
    expect((await other.backup(["prune"])).output).toContain("2 of 4 snapshots removed, 2 kept");
  });
});

describe("verify, prune, key", () => {
  beforeEach(async () => {
    await host.setUp();
    host.record("a-1", "presentation", "x".repeat(5000));
    await host.backup(["run"]);
  });

  test("a changed repository is told as damaged", async () => {
    expect((await host.backup(["verify", "--read", "100"])).output).toContain("the repository is whole");
    for (const one of readdirSync(join(host.repository, "data"), { recursive: true, withFileTypes: true })) {
      const path = join(one.parentPath, one.name);
      if (one.isFile()) writeFileSync(path, readFileSync(path).fill(7, 100, 120));
    }
    const { code, output } = await host.backup(["verify", "--read", "100"]);
    expect(code).toBe(1);
    expect(output).toMatch(/^FAILED: the repository .* is damaged: /m);
    expect(JSON.parse(host.read(`${OWN}/verified.json`))).toMatchObject({ ok: false });
  });

  test("a good run verifies, once a week", () => {
    expect(JSON.parse(host.read(`${OWN}/verified.json`))).toMatchObject({ ok: true });
  });

  test("retention removes only what it should", async () => {
    await host.backup(["run"]);
    await host.backup(["run"]);
    const { code, output } = await host.backup(["prune"]);
    expect(output).toContain("4 of 6 snapshots removed, 2 kept: 7 daily, 4 weekly, 6 monthly");
    expect(code).toBe(0);
    const listed = JSON.parse((await host.backup(["list", "--json"])).output) as { backups: object[] };
    expect(listed.backups).toEqual([
      expect.objectContaining({
        state: expect.any(String) as string,
        recordings: expect.any(String) as string,
      }),
    ]);
  });

  test("the state alone, before a change: it is listed, and no night loses its own to it by pruning", async () => {
    const night = host.last.whole;
    // The list puts together what was made in one second.
    await new Promise((done) => setTimeout(done, 1100));
    const { code, output } = await host.backup(["state"]);
    expect([code, output]).toEqual([
      0,
      expect.stringContaining("saved the state before a change: ") as string,
    ]);
    expect(host.last.whole).toEqual(night);
    expect((await host.backup(["list"])).output).toMatch(
      new RegExp(`^\\S+ \\S+ +\\w{8} +- +${HOST}, before a change$`, "m"),
    );
    expect((await host.backup(["prune"])).output).toContain("0 of 3 snapshots removed, 3 kept");
  });

  test("the state before a change without Greenlight's database fails, and says so", async () => {
    host.installGreenlight(1);
    rmSync(join(host.directory, "database"));
    const { code, output } = await host.backup(["state"]);
    expect([code, output]).toEqual([
      1,
      expect.stringContaining("FAILED: Greenlight is not in this") as string,
    ]);
  });

  test("the operator's own password opens the repository, once it is added", async () => {
    const { code, output } = await host.backup(["key", "add"], { input: "my-own-long-password\n" });
    expect(output).toContain("the repository opens with your password too");
    expect(code).toBe(0);
    expect(output + host.log).not.toContain("my-own-long-password");
    expect(there(`${OWN}/keys/new-password`)).toBe(false);
    expect((await host.setUp({ password: "my-own-long-password" })).code).toBe(0);
    expect((await host.backup(["key", "add"], { input: "short\n" })).output).toContain("choose a longer one");
  });
});
