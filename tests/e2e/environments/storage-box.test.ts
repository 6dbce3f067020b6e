import { accountObjects, checkpointReferences, protectedNames, references } from "../support/account";
import { backup, publish, publishedSums, restore, root } from "../support/backup";
import { IN_HETZNER_DNS, must, onHost, outputs, printed, sandbox, update } from "../support/sandbox";
import { found, foundInHostLogs, keyLines, type Secret } from "../support/secrets";

/** Backups in a Storage Box that the stack makes: its server may add only, and a destroy leaves the box. */

const { bbb: BBB } = IN_HETZNER_DNS;
const WITHOUT = ["--set", "recordingsGb=0", "--set", "environment=staging"];
const SETTINGS = [...WITHOUT, "--set", `backup=${JSON.stringify({ to: "storage-box" })}`];
const RUN = ["/usr/bin/python3", "-B", "/usr/local/lib/bbb-deploy/backup.py"];

const boxes = async () => (await accountObjects()).filter(({ kind }) => kind === "storage_boxes");
const backups = async () =>
  (JSON.parse((await backup("list", "sandbox", "--json")).stdout) as { backups: { run: string }[] }).backups;
const secretOutputs = async () =>
  (await outputs()) as unknown as { backupPassword: string; backupBoxKey: string };

let secrets: readonly Secret[];
let sums: string;

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded", SETTINGS);
  const { backupPassword, backupBoxKey } = await secretOutputs();
  secrets = [["backupPassword", backupPassword], ...keyLines("backupBoxKey", backupBoxKey)];
  await publish(BBB);
  sums = await publishedSums(BBB);
  const { code, stdout } = await backup("run", "sandbox");
  expect(stdout).toContain("recordings 2 presentation, 1 video");
  expect(code).toBe(0);
});

test("the box is elsewhere than the server, has snapshots of its own, and is protected", async () => {
  expect(await boxes()).toEqual([
    expect.objectContaining({
      name: "bigbluebutton-sandbox-backup",
      location: expect.objectContaining({ name: "hel1" }) as object,
      storage_box_type: expect.objectContaining({ name: "bx11" }) as object,
      access_settings: expect.objectContaining({ ssh_enabled: true, reachable_externally: false }) as object,
      snapshot_plan: expect.objectContaining({ max_snapshots: 10, day_of_week: null }) as object,
      protection: { delete: true },
    }),
  ]);
  expect(checkpointReferences("sandbox")).toEqual(references(await accountObjects()));
});

test("the backup is listed and whole, and the check is content with it", async () => {
  expect(await backups()).toEqual([expect.objectContaining({ host: BBB })]);
  expect((await backup("verify", "sandbox", "--read", "100")).stdout).toContain("the repository is whole");
  const check = await sandbox(["operator", "check", "sandbox", "--sandbox", "--json"]);
  const { checks } = JSON.parse(check.stdout) as { checks: { name: string; verdict: string }[] };
  expect(checks.filter(({ name }) => name === "backup")).toEqual([
    expect.objectContaining({ verdict: "ok" }),
  ]);
});

test("whoever has the server can't delete what was saved; scripts/backup prune can", async () => {
  expect((await backup("run", "sandbox")).code).toBe(0);
  const own = await sandbox(["exec", "--at", BBB, "--", ...RUN, "prune"]);
  expect([own.code, own.stdout]).toEqual([1, expect.stringMatching(/may add only, not delete/)]);
  // Whatever it asks for, it gets rclone, which speaks HTTP/2.
  const login = await root(
    BBB,
    `cd /var/lib/bbb-deploy/backup
     account=$(sed -nE 's|.*"to": "sftp://([^:"]+).*|\\1|p' settings.json)
     timeout 5 ssh -p 23 -i keys/ssh -o UserKnownHostsFile=keys/known_hosts -o BatchMode=yes "$account" rm -rf backups </dev/null 2>&1 || true`,
  );
  expect(login).not.toMatch(/Permission denied|Could not resolve/);
  expect(await backups()).toHaveLength(2);
  const { code, stdout } = await backup("prune", "sandbox");
  expect(stdout).toContain("2 of 4 snapshots removed, 2 kept");
  expect(code).toBe(0);
});

test("the account's key is nowhere on the server, and no secret in a log", async () => {
  const [line] = secrets.slice(1);
  expect(
    await onHost(
      BBB,
      [
        "bash",
        "-c",
        "grep -rlF -f /dev/stdin /var/lib/bbb-deploy /root /etc /run/user /tmp 2>/dev/null || true",
      ],
      { input: `${line![1]}\n` },
    ),
  ).toBe("");
  expect(await foundInHostLogs(BBB, secrets)).toEqual([]);
  expect(found(secrets, printed.join("\n"))).toEqual([]);
});

test("a restore brings back what is missing", async () => {
  await root(BBB, "rm -rf /var/bigbluebutton/published/presentation/e2e-1");
  const { code, stdout } = await restore("sandbox", "--what", "recordings");
  expect(stdout).toContain("1 presentation put back");
  expect(code).toBe(0);
  expect(await publishedSums(BBB)).toBe(sums);
});

test("a second update changes nothing", async () => {
  expect(Object.keys((await update("up", "embedded", SETTINGS)).summary)).toEqual(["unchanged"]);
});

test("a destroy keeps the box with its password and key; the next update goes on with it", async () => {
  const [before] = await boxes();
  const had = await backups();
  const destroyed = await update("destroy", "embedded", SETTINGS);
  expect(destroyed.stdout).toContain("bbb-backup-box is protected and was kept");
  expect((await boxes()).map(({ id }) => id)).toEqual([before!.id]);
  expect(protectedNames("sandbox")).toEqual([
    ...["bbb-backup-box", "bbb-backup-box-key", "bbb-backup-box-password", "bbb-backup-password"],
  ]);
  await update("up", "embedded", SETTINGS);
  expect((await boxes()).map(({ id }) => id)).toEqual([before!.id]);
  expect(await backups()).toEqual(had);
  const { code } = await restore("sandbox", "--what", "recordings");
  expect(code).toBe(0);
  expect(await publishedSums(BBB)).toBe(sums);
});

test("on purpose: without its protection, a destroy deletes the box", async () => {
  const unprotected = [...SETTINGS, "--set", "protectRecordings=false"];
  await update("up", "embedded", unprotected);
  expect((await boxes()).map(({ protection }) => protection)).toEqual([{ delete: false }]);
  await update("destroy", "embedded", unprotected);
  expect(await accountObjects()).toEqual([]);
});
