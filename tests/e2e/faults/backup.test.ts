import { BUCKET, STORAGE_KEYS, STORAGE_NAME } from "../../../sandbox/services/storage";
import type { Fault } from "../../../sandbox/hetzner/faults";
import { accountObjects } from "../support/account";
import {
  backup,
  backupSetting,
  publish,
  publishedSums,
  restore,
  root,
  STORAGE_SECRETS,
} from "../support/backup";
import { meeting } from "../support/checks";
import { hetzner } from "../support/clouds";
import { arm, disarm, expectDeployed, failingUp, happened, up } from "../support/faults";
import { greenlightDatabase } from "../support/greenlight";
import { reboot } from "../support/hosts";
import { startWatched } from "../support/kill";
import { IN_HETZNER_DNS, must, outputs, printed, sandbox } from "../support/sandbox";
import { found, foundInHostLogs, type Secret } from "../support/secrets";

/** Failures of backups and restores: of one server, and of a second one that shares its repository. */

const { bbb: BBB } = IN_HETZNER_DNS;
const settings = (more: object = {}) => [
  ...["--set", "greenlight=true"],
  ...["--set", `backup=${backupSetting("faults", more)}`],
];
const DOWN = "198.51.100.9";
const RECORDINGS = "/var/bigbluebutton/published";
const FULL: Fault = {
  ...{ match: { method: "PUT", path: "/data/" }, status: 403, code: "QuotaExceeded" },
  ...{ message: "Access Denied. Quota exceeded", times: "every" },
};
/** Holds an upload of saved data, so that the backup can be cut off in the middle of it. */
const HELD = { match: { method: "PUT", path: "/data/" }, delayMs: 300_000 } as const;

let password: string;

beforeAll(async () => {
  await must(["reset"]);
  await up(...settings());
  await publish(BBB);
  await saved();
  ({ backupPassword: password } = (await outputs()) as unknown as { backupPassword: string });
});
afterEach(disarm);

/** Makes a backup, which must be whole. */
async function saved(stack = "sandbox"): Promise<void> {
  const { code, stdout } = await backup("run", stack);
  expect([code, stdout]).toEqual([0, expect.anything()]);
}

const unitState = async () => (await root(BBB, "systemctl is-failed bbb-backup.service || true")).trim();
const problems = async () =>
  (JSON.parse(await root(BBB, "cat /var/lib/bbb-deploy/backup/last.json")) as { problems: string[] })
    .problems;

describe("A backup", () => {
  test("whose storage can't be reached: one line, a failed unit, the server goes on, and the next one is whole", async () => {
    await root(BBB, `ip route add unreachable ${DOWN}`);
    const { code, stdout } = await backup("run", "sandbox");
    await root(BBB, `ip route del unreachable ${DOWN}`);
    expect(code).toBe(1);
    expect(stdout.match(/^FAILED: /gm)).toHaveLength(1);
    expect(stdout).toMatch(
      /^FAILED: nothing was saved: the backup's place can't be reached: storage\.sandbox\.test, port 80: No route to host/m,
    );
    expect(await unitState()).toBe("failed");
    await expectDeployed(settings());
    await saved();
    expect([await unitState(), await problems()]).toEqual(["inactive", []]);
  });

  test("whose storage is full: what is wrong and what to order, and the earlier ones are there", async () => {
    await root(BBB, "head -c 200000 /dev/urandom >/var/bigbluebutton/published/presentation/e2e-1/more");
    await arm("storage", FULL);
    const { code, stdout } = await backup("run", "sandbox");
    expect([code, stdout]).toEqual([1, expect.stringContaining("there is no room left at s3:") as string]);
    await disarm();
    await saved();
    await root(BBB, "rm /var/bigbluebutton/published/presentation/e2e-1/more");
  });

  test("before an upgrade with a storage that is full: told in a line, and the upgrade goes on", async () => {
    await arm("storage", FULL);
    const { stdout } = await up(...settings(), "--set", "upgrade=2026-11-28");
    expect(stdout).toMatch(
      /note: the state is not saved before the upgrade, .* there is no room left at s3:/,
    );
    await disarm();
    await expectDeployed([...settings(), "--set", "upgrade=2026-11-28"]);
    const better = await up(...settings(), "--set", "upgrade=2026-11-29");
    expect(better.stdout).toContain("the state is saved: scripts/backup list STACK shows it");
    expect((await backup("list", "sandbox")).stdout).toMatch(/ - +bbb\.example\.test, before a change$/m);
  });

  test("with Greenlight's database down: all else is saved, and the line says what is missing", async () => {
    await greenlightDatabase(BBB, "stop");
    const { code, stdout } = await backup("run", "sandbox");
    await greenlightDatabase(BBB, "start");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAILED: Greenlight is not in this backup, all else is: .*is not running/m);
    expect(stdout).toContain("saved the recordings");
    await saved();
  });

  test("whose dump of Greenlight's database is cut off: noticed, not saved, and all else is", async () => {
    const cut = "/usr/local/bin/docker";
    await root(
      BBB,
      `printf '#!/bin/sh\ncase "$*" in *pg_dump*) /usr/bin/docker "$@" | head -c -40 ;; *) exec /usr/bin/docker "$@" ;; esac\n' >${cut}; chmod +x ${cut}`,
    );
    const { code, stdout } = await backup("run", "sandbox");
    await root(BBB, `rm ${cut}`);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^FAILED: Greenlight is not in this backup, all else is: the dump of Greenlight's database is not whole/m,
    );
    await saved();
  });

  test("on a disk that is too small for the dump: not begun, said how much is missing, and all else is saved", async () => {
    await root(BBB, `fallocate -l $(($(df --output=avail -B1 / | tail -n 1) - 100000000)) /root/filler`);
    const { code, stdout } = await backup("run", "sandbox");
    await root(BBB, "rm /root/filler");
    expect(code).toBe(1);
    expect(stdout).toMatch(/the disk has 0\.1 GB free, too little for a dump.*Make room on the server/);
    expect(stdout).toContain("saved the recordings");
    await saved();
  });

  for (const [how, cut] of [
    ["its server is restarted", () => reboot(BBB)],
    ["it is killed", () => root(BBB, "systemctl kill --signal=KILL bbb-backup.service")],
  ] as const) {
    test(`cut off in an upload, as ${how}: the next one is whole, and no lock is in the way`, async () => {
      await root(BBB, `head -c 200000 /dev/urandom >${RECORDINGS}/video/e2e-2/more`);
      await arm("storage", HELD);
      const { update, ended } = startWatched(["operator", "backup", "run", "sandbox", "--sandbox"]);
      await happened("storage");
      expect(update.code).toBeUndefined();
      await cut();
      await ended;
      expect(update.code).toBe(1);
      await saved();
      expect(await problems()).toEqual([]);
      // It needs the repository for itself.
      expect((await backup("prune", "sandbox")).code).toBe(0);
      expect((await backup("verify", "sandbox", "--read", "100")).code).toBe(0);
    });
  }

  test("into a bucket that there is not: the update names it, and the nights go on with the one of before", async () => {
    await failingUp(
      settings({ to: `s3:http://${STORAGE_NAME}/nobody/faults` }),
      /there is no such bucket: s3:.*\/nobody\/faults\. Make it where your storage is, or correct backup\.to/,
    );
    await saved();
  });

  test("with keys that the storage does not know: the update names the setting, and the nights go on with those of before", async () => {
    await failingUp(
      settings({ accessKeyId: "SOMEBODYELSE" }),
      /the storage refuses the keys for s3:.*Set backup\.accessKeyId and backup\.secretAccessKey/,
      /no backups are set up, for the reason in the line above; all else of this server works/,
    );
    await saved();
    await up(...settings());
    await expectDeployed(settings());
  });
});

describe("A restore", () => {
  test("with a recording that is newer here: it stays as it is", async () => {
    const link = "/var/bigbluebutton/published/presentation/e2e-1/metadata.xml";
    await root(BBB, `echo newer >${link}`);
    expect((await restore("sandbox", "--what", "recordings")).code).toBe(0);
    expect(await root(BBB, `cat ${link}`)).toBe("newer\n");
  });

  test("while a meeting runs: refused before anything is changed; recordings alone come back", async () => {
    await meeting("create", await outputs());
    const { code, stdout } = await restore("sandbox", "--what", "state,recordings");
    expect([code, stdout]).toEqual([1, expect.stringContaining("in the way: 1 meeting(s) run") as string]);
    expect((await restore("sandbox", "--what", "recordings")).code).toBe(0);
    await meeting("end", await outputs());
  });
});

describe("A second server with the same repository", () => {
  const SECOND = "second.example.test";
  const second = (more: object) => [
    ...["--stack", "second", "--set", "hostname=second", "--set", "turnHostname=turn-second"],
    ...["--set", "release=noble-40", "--set", "recordingsGb=0"],
    ...settings({ accessKeyId: STORAGE_KEYS.addOnly, ...more }),
  ];
  const ours = () => second({ password: { secure: password } });
  const listed = async (stack: string) =>
    (
      JSON.parse((await backup("list", stack, "--json")).stdout) as {
        backups: { host: string; run: string }[];
      }
    ).backups;

  test("with another password: the update says what to do, and all else of the server works", async () => {
    await failingUp(
      second({}),
      /was made with another password than this stack's\. Give the one with which it was made/,
      /no backups are set up, for the reason in the line above; all else of this server works/,
    );
    await up(...ours());
    await expectDeployed(ours());
  });

  test("cut off in a restore of the first one's backup, of another release: run again, all of it is there by the second one's name", async () => {
    const wanted = (await publishedSums(BBB)).split("\n").filter((line) => line.endsWith(".webm"));
    await arm("storage", { match: { method: "GET", path: "/data/" }, delayMs: 300_000 });
    const words = ["restore", "second", "--what", "state,greenlight,recordings", "--host", BBB];
    const { update, ended } = startWatched(["operator", ...words, "--yes", "--sandbox"]);
    await happened("storage");
    await root(SECOND, "systemctl kill --signal=KILL bbb-restore.service");
    await ended;
    expect(update.code).toBe(1);
    const { code, stdout } = await restore(...words.slice(1));
    expect([code, stdout]).toEqual([0, expect.stringContaining("2 presentation, 1 video")]);
    expect(stdout).toContain("the backup is of BigBlueButton 3.0, this server has 4.0");
    expect((await publishedSums(SECOND)).split("\n").filter((line) => line.endsWith(".webm"))).toEqual(
      wanted,
    );
    expect(await root(SECOND, `cat ${RECORDINGS}/video/e2e-2/metadata.xml`)).toContain(
      `https://${SECOND}/playback/`,
    );
    await expectDeployed(ours());
  });

  test("saves itself, too: each backup is listed with its server, and restores the right one", async () => {
    await saved("second");
    await saved("second");
    const hosts = (await listed("sandbox")).map(({ host }) => host);
    expect(new Set(hosts)).toEqual(new Set([BBB, SECOND]));
    expect((await restore("sandbox", "--what", "recordings")).stdout).toContain(`from the backup of ${BBB}`);
  });

  test("with keys that may only add: nothing can be removed; with others for once, only what is older than the settings keep, and its own", async () => {
    const before = await listed("second");
    const refused = await backup("prune", "second");
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(
      /Keys that may only add are meant to be refused here: give others for this once/,
    );
    expect(await listed("second")).toEqual(before);
    process.env.PRUNE_ACCESS_KEY_ID = STORAGE_KEYS.full;
    process.env.PRUNE_SECRET_ACCESS_KEY = STORAGE_SECRETS[0]![1];
    const { code, stdout } = await backup("prune", "second", "--own-keys");
    expect([code, stdout]).toEqual([0, expect.stringMatching(/ snapshots removed, 2 kept: 7 daily/)]);
    const own = before.filter(({ host }) => host === SECOND);
    const others = before.filter(({ host }) => host === BBB);
    expect(await listed("second")).toEqual([own[0], ...others]);
  });
});

describe("A server that is lost, and its repository", () => {
  test("deleted at the cloud with its volume still there: the volume is taken again, and a restore finds all of it there", async () => {
    const sums = await publishedSums(BBB);
    const { id } = (await accountObjects()).find(({ kind, name }) => kind === "servers" && name === BBB)!;
    await hetzner(["DELETE", `/servers/${id}`]);
    await must(["refresh", "--engine", "embedded", ...settings()]);
    await up(...settings());
    expect(await publishedSums(BBB)).toBe(sums);
    const { code, stdout } = await restore("sandbox", "--what", "recordings");
    expect([code, stdout]).toEqual([0, expect.stringContaining("are here already, and stay as they are")]);
    await expectDeployed(settings());
  });

  test("a repository in which data is damaged: verification says so, check fails, and an empty place takes a whole backup", async () => {
    await saved();
    await root(BBB, DAMAGE, STORAGE_NAME, STORAGE_KEYS.full, `${BUCKET}?list-type=2&prefix=faults/data/`);
    const { code, stdout } = await backup("verify", "sandbox", "--read", "100");
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/the repository s3:\S+ is damaged: parts of it/),
    ]);
    const check = await sandbox(["operator", "check", "sandbox", "--json", "--sandbox"]);
    const { checks } = JSON.parse(check.stdout) as { checks: { name: string }[] };
    expect(checks.find(({ name }) => name === "backup")).toMatchObject({
      verdict: "FAIL",
      answer: expect.stringMatching(/verification failed .* is damaged/) as string,
    });
    const elsewhere = ["--set", "greenlight=true", "--set", `backup=${backupSetting("elsewhere")}`];
    await up(...elsewhere);
    await saved();
    expect((await backup("verify", "sandbox", "--read", "100")).code).toBe(0);
  });

  test("after all of these: no secret is in a log, or in what was printed", async () => {
    const secrets: readonly Secret[] = [...STORAGE_SECRETS, ["backupPassword", password]];
    expect(await foundInHostLogs(BBB, secrets)).toEqual([]);
    expect(found(secrets, printed.join("\n"))).toEqual([]);
  });
});

/** Writes over the middle of each piece of saved data, by the storage's own API. */
const DAMAGE = `
ask() { curl -sSf --aws-sigv4 aws:amz:us-east-1:s3 --user "$2:any" "\${@:4}" "http://$1/$3"; }
ask "$1" "$2" "$3" | grep -o '<Key>[^<]*' | cut -c6- | while read -r key; do
  ask "$1" "$2" "\${3%%[?]*}/$key" >/tmp/piece
  printf damaged | dd of=/tmp/piece bs=1 seek=$(($(stat -c %s /tmp/piece) / 2)) conv=notrunc status=none
  ask "$1" "$2" "\${3%%[?]*}/$key" -T /tmp/piece
done
rm /tmp/piece`;
