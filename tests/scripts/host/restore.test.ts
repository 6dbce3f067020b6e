import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { BackupHost, HOST } from "./backupHost";
import { done, SCRIPTS, type Done } from "./scripts";

const OWN = "var/lib/bbb-deploy/backup";
const WEB = "etc/bigbluebutton/bbb-web.properties";

let host: BackupHost;
let settings: string;

beforeAll(async () => {
  host = new BackupHost();
  await host.setUp();
  host.installGreenlight(3);
  host.put(
    WEB,
    "securitySalt=of-the-old\nbigbluebutton.web.serverURL=https://bbb.school.eu\ndefaultWelcomeMessage=Hello\nmuteOnStart=true\ndefaultMeetingLayout=SMART_LAYOUT\nnote.address=203.0.113.5\n",
  );
  host.put("etc/bigbluebutton/bbb-html5.yml", "public:\n  app:\n    clientTitle: School\n");
  host.put("etc/cron.daily/own-job", "#!/bin/sh\n");
  host.put("etc/nginx/conf.d/own.conf", "# ours\n");
  host.put("etc/bigbluebutton/turn-stun-servers.xml", "<secret/>");
  host.record("a-1");
  host.record("b-2");
  host.record("b-2", "video");
  const { code, output } = await host.backup(["run"]);
  if (code !== 0) throw new Error(output);
  settings = join(host.directory, "settings");
  cpSync(join(host.root, OWN), settings, { recursive: true });
}, 120_000);
afterAll(() => host.remove());

/** Server that was installed anew, with the same stack's settings. */
beforeEach(() => {
  for (const name of readdirSync(host.root)) rmSync(join(host.root, name), { recursive: true });
  cpSync(settings, join(host.root, OWN), { recursive: true });
  host.put("etc/bigbluebutton/bigbluebutton-release", "BIGBLUEBUTTON_RELEASE=3.0.5\n");
  host.put(
    WEB,
    "securitySalt=of-the-new\nbigbluebutton.web.serverURL=https://bbb.school.eu\nmuteOnStart=false\n",
  );
  host.put("var/bigbluebutton/published/.keep", "");
  host.fake("bbb-conf");
  host.forgetCalls();
});

const restore = (what: string, more: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Done> =>
  done(host.start(["/usr/bin/python3", "-B", join(SCRIPTS, "restore.py"), "run", what, ...more], env));
const there = (path: string) => existsSync(join(host.root, path));
const published = (path: string) => `var/bigbluebutton/published/${path}`;
const database = () => readFileSync(join(host.directory, "database"), "utf8");

/** Greenlight as its installer leaves it. */
function newGreenlight(): void {
  host.installGreenlight(1);
  writeFileSync(join(host.directory, "database"), "users 9\n");
  host.put(
    "root/greenlight-v3/.env",
    "SECRET_KEY_BASE=new\nDATABASE_URL=postgres://postgres:new@postgres:5432/greenlight-v3-production\n",
  );
  rmSync(join(host.root, "root/greenlight-v3/data"), { recursive: true });
}

test("a lost server: settings, recordings and Greenlight are back, what is the new server's own stays", async () => {
  newGreenlight();
  const { code, output } = await restore("state,greenlight,recordings");
  expect(output).toContain("done: what was asked for is back");
  expect(code).toBe(0);
  expect(host.read(WEB).split("\n")).toEqual([
    ...["securitySalt=of-the-new", "bigbluebutton.web.serverURL=https://bbb.school.eu", "muteOnStart=true"],
    ...["defaultWelcomeMessage=Hello", "defaultMeetingLayout=SMART_LAYOUT", ""],
  ]);
  expect(host.read("etc/bigbluebutton/bbb-html5.yml")).toContain('clientTitle: "School"');
  expect(there("etc/cron.daily/own-job")).toBe(true);
  expect(there("etc/bigbluebutton/turn-stun-servers.xml")).toBe(false);
  expect(output).toContain("2 presentation, 1 video put back; now there are 2 presentation, 1 video");
  expect(host.read(published("presentation/a-1/metadata.xml"))).toBe(
    `<link>https://${HOST}/playback/a-1</link>`,
  );
  expect(there("var/bigbluebutton/recording/status/published/b-2-video.done")).toBe(true);
  expect(there("var/bigbluebutton/.bbb-restore")).toBe(false);
  expect(output).toContain("Greenlight: 3 of 3 users, 1 of 1 rooms, 0 of 0 recordings, 1 files put back");
  expect(database()).toBe("users 0\nusers 1\nusers 2\nrooms 1\n");
  expect(host.read("root/greenlight-v3/.env").split("\n").sort()).toEqual([
    ...[
      "",
      "DATABASE_URL=postgres://postgres:new@postgres:5432/greenlight-v3-production",
      "SECRET_KEY_BASE=key",
    ],
  ]);
  expect(host.called("bbb-conf")).toEqual(["bbb-conf --restart"]);
});

test("a second run changes nothing, and restarts nothing", async () => {
  await restore("state,recordings");
  host.forgetCalls();
  const { code, output } = await restore("state,recordings");
  expect(code).toBe(0);
  expect(output).toContain("state: 0 keys of BigBlueButton's files set, 0 files put back");
  expect(output).toContain("2 presentation, 1 video are here already, and stay as they are");
  expect(host.called("bbb-conf")).toEqual([]);
});

test("a file with which nginx does not start is left out, and named", async () => {
  host.fake("nginx", `! grep -rqs ours "${join(host.root, "etc/nginx")}"`);
  const { code, output } = await restore("state");
  expect(output).toContain(
    "note: /etc/nginx/conf.d/own.conf was left out: nginx does not start with it here. It is in ",
  );
  expect(code).toBe(0);
  expect([there("etc/nginx/conf.d/own.conf"), there("etc/cron.daily/own-job")]).toEqual([false, true]);
  host.fake("nginx");
  await restore("state");
  expect(host.read("etc/nginx/conf.d/own.conf")).toBe("# ours\n");
});

test("a file that is here otherwise gives way to the backup's, and is kept", async () => {
  host.put("etc/cron.daily/own-job", "#!/bin/sh\n# written here since\n");
  const { code, output } = await restore("state");
  expect([code, output]).toEqual([0, output]);
  expect(readFileSync(join(host.root, "etc/cron.daily/own-job"), "utf8")).toBe("#!/bin/sh\n");
  const file = /own-job was another here: that one is kept in (\S+)/.exec(output)![1]!;
  expect(readFileSync(file, "utf8")).toContain("# written here since");
  // So are the files whose keys were set.
  expect(readFileSync(join(file, "../../bigbluebutton/bbb-web.properties"), "utf8")).toContain(
    "muteOnStart=false",
  );
});

test("recordings that are here are kept, one in another state also", async () => {
  host.record("a-1", "presentation", "newer");
  host.put("var/bigbluebutton/unpublished/presentation/b-2/metadata.xml", "hidden since");
  host.record("c-3");
  const { code, output } = await restore("recordings");
  expect(output).toContain("now there are 3 presentation, 1 video");
  expect(code).toBe(0);
  expect(host.read(published("presentation/a-1/metadata.xml"))).toContain("newer");
  expect(there(published("presentation/b-2"))).toBe(false);
  expect(host.called("bbb-conf")).toEqual([]);
});

test("killed in between, it goes on", async () => {
  host.put("var/bigbluebutton/.bbb-restore/var/bigbluebutton/published/presentation/a-1/half", "x");
  host.put(`var/lib/bbb-deploy/restore/left`, "x");
  const { code } = await restore("recordings");
  expect(code).toBe(0);
  expect(there(published("presentation/a-1/half"))).toBe(false);
  expect(there(published("presentation/a-1/metadata.xml"))).toBe(true);
  expect(there("var/bigbluebutton/.bbb-restore")).toBe(false);
});

test("the latest is the newest that lacks nothing; newer ones are named", async () => {
  newGreenlight();
  const kept = database();
  rmSync(join(host.directory, "database"));
  expect((await host.backup(["run"])).code).toBe(1);
  writeFileSync(join(host.directory, "database"), kept);
  const { code, output } = await restore("state,greenlight");
  expect(output).toMatch(
    /^note: the backup (run-\w+) is newer, but has no Greenlight's database; --from \1 takes it anyway$/m,
  );
  expect(output).toContain("Greenlight: 3 of 3 users");
  expect(code).toBe(0);
});

test("killed while it restores, run again it has all of it", async () => {
  const staging = "var/bigbluebutton/.bbb-restore";
  await host.killOnce(() => there(staging), ["restore.py", "run", "recordings"]);
  expect(there(staging)).toBe(true);
  const { code, output } = await restore("recordings");
  expect(output).toContain("now there are 2 presentation, 1 video");
  expect(code).toBe(0);
  expect(there(staging)).toBe(false);
});

test("under another name, recordings' links lead to the new server", async () => {
  writeFileSync(join(host.root, OWN, "settings.json"), host.settings({ host: "new.school.eu" }));
  const refused = await restore("recordings");
  expect(refused.output).toContain(
    `there is no backup of new.school.eu; there are those of ${HOST}. Name one with --host`,
  );
  const { code } = await restore("state,recordings", ["--host", HOST]);
  expect(code).toBe(0);
  expect(host.read(published("presentation/a-1/metadata.xml"))).toBe(
    "<link>https://new.school.eu/playback/a-1</link>",
  );
});

test("on another release: its own keys stay, one that it does not have is named, and all else comes back", async () => {
  host.put("etc/bigbluebutton/bigbluebutton-release", "BIGBLUEBUTTON_RELEASE=4.0.1\n");
  host.put(
    WEB,
    "securitySalt=of-the-new\nbigbluebutton.web.serverURL=https://bbb.school.eu\nonlyIn40=true\n",
  );
  const { code, output } = await restore("state,recordings");
  expect(code).toBe(0);
  expect(output).toContain("note: the backup is of BigBlueButton 3.0, this server has 4.0");
  expect(output).toContain(
    "note: defaultMeetingLayout of bbb-web.properties was left out: BigBlueButton 4.0",
  );
  expect(host.read(WEB)).toMatch(/^onlyIn40=true$/m);
  expect(host.read(WEB)).toMatch(/^defaultWelcomeMessage=Hello$/m);
  expect(host.read(WEB)).not.toContain("defaultMeetingLayout");
  expect(output).toContain("now there are 2 presentation, 1 video");
});

test("two servers that began in the same second: a run's name stands for this server's", async () => {
  const script = `
import restore
class Repository:
    settings = {"to": "/srv"}
    def snapshots(self):
        return [{"hostname": host, "time": "2026-11-29T02:30:00.5Z", "short_id": host, "tags": ["run-1", "state"]} for host in ("other", "own")]
print(restore.choose(Repository(), "run-1", "own", ["state"])["state"], restore.choose(Repository(), "other", "own", ["state"])["state"])`;
  const child = host.start(["/usr/bin/python3", "-B", "-c", script], { PYTHONPATH: SCRIPTS });
  expect(await done(child)).toEqual({ code: 0, output: "own other\n" });
});

test("everything in the way is told before anything is changed", async () => {
  rmSync(join(host.root, "etc/bigbluebutton/bigbluebutton-release"));
  const { code, output } = await restore("state,greenlight,recordings");
  expect(code).toBe(1);
  expect(output).toContain("in the way: BigBlueButton is not installed here: run pulumi up first");
  expect(output).toContain("in the way: Greenlight is not installed here: ");
  expect(output).toMatch(/^FAILED: nothing was changed: 2 thing\(s\) are in the way/m);
  expect(host.read(WEB)).toContain("muteOnStart=false");
  expect(there(published("presentation/a-1"))).toBe(false);
});

test("a database that refuses keeps what it had, which is kept in a file besides", async () => {
  newGreenlight();
  const before = database();
  const { code, output } = await restore("greenlight", [], { BBB_TEST_REFUSE: "1" });
  expect(code).toBe(1);
  expect(output).toMatch(
    /^FAILED: the dump did not go into Greenlight's database: .*as one transaction, so the database is as it was before/m,
  );
  expect(database()).toBe(before);
  expect(readdirSync(join(host.root, "var/lib/bbb-deploy/restore/kept"))).toHaveLength(1);
  expect(host.called("docker").at(-1)).toBe("docker compose up -d");
});

test("a backup that there is not is refused by name", async () => {
  const { code, output } = await restore("state", ["--from", "abcdef12"]);
  expect(code).toBe(1);
  expect(output).toContain("there is no backup abcdef12: scripts/backup list STACK shows which there are");
});

describe("a new server's first restore, as a step of the deployment", () => {
  const step = () => host.script("restore.sh", ["--from", "latest"]);
  const prepare = (flags: readonly string[] = []) =>
    host.setUp({}, ["--server", "8", "--at", "02:30", "--after-restore", ...flags]);
  const timerCalls = () => host.called("systemctl").filter((line) => line.includes("bbb-backup.timer"));

  beforeEach(() => rmSync(join(host.root, OWN, "last.json")));

  test("brings back all that the backup has, and only then the nights begin", async () => {
    newGreenlight();
    const { output: prepared } = await prepare();
    expect(prepared).toContain("backups begin after the restore");
    expect(timerCalls()).toEqual([]);
    const { code, output } = await step();
    expect(output).toContain("Greenlight: 3 of 3 users");
    expect(output).toContain("2 presentation, 1 video put back");
    expect(host.read(WEB)).toContain("muteOnStart=true");
    expect(code).toBe(0);
    expect(timerCalls()).toEqual(["systemctl enable --now bbb-backup.timer"]);
  });

  test("leaves Greenlight alone where a volume has kept its users", async () => {
    host.installGreenlight(2);
    await prepare();
    const { code, output } = await step();
    expect(output).toContain("Greenlight has users or rooms here already");
    expect(output).toContain("2 presentation, 1 video put back");
    expect(code).toBe(0);
    expect(database()).toBe("users 0\nusers 1\nrooms 1\n");
  });

  test("is done once: what was deleted since does not come back with an update", async () => {
    await prepare();
    await step();
    rmSync(join(host.root, published("presentation/a-1")), { recursive: true });
    const { code, output } = await step();
    expect([code, output]).toEqual([0, expect.stringContaining("was restored already") as string]);
    expect(there(published("presentation/a-1"))).toBe(false);
    expect((await prepare()).output).toContain("backups are on");
  });

  test("leaves a server alone that has saved itself", async () => {
    host.put(`${OWN}/last.json`, "{}");
    const { code, output } = await step();
    expect([code, output]).toEqual([0, expect.stringContaining("so it is no new one") as string]);
    expect(there(published("presentation/a-1"))).toBe(false);
  });

  test("that fails says so, and no night begins", async () => {
    await prepare();
    rmSync(join(host.root, "etc/bigbluebutton/bigbluebutton-release"));
    host.forgetCalls();
    const { code, output } = await step();
    expect(code).toBe(1);
    expect(output).toMatch(/the server works, but is not restored, .* No backup is made of it until it is/);
    expect(timerCalls()).toEqual([]);
  });

  test("without any backup yet the server begins empty", async () => {
    const empty = new BackupHost();
    try {
      await empty.setUp({}, ["--server", "8", "--at", "02:30", "--after-restore"]);
      const { code, output } = await empty.script("restore.sh", ["--from", "latest"]);
      expect([code, output]).toEqual([
        0,
        expect.stringContaining("there is no backup yet to restore") as string,
      ]);
      expect(empty.called("systemctl")).toContain("systemctl enable --now bbb-backup.timer");
    } finally {
      empty.remove();
    }
  });
});
