import { accountObjects } from "../support/account";
import { backup, backupSetting, publish, root, STORAGE_SECRETS } from "../support/backup";
import { IN_HETZNER_DNS, must, outputs, printed, sandbox, update } from "../support/sandbox";
import { found, foundInHostLogs, type Secret } from "../support/secrets";

/** A drill: last night's backup is restored to a test server, compared, and the test server removed. */

const { bbb: BBB } = IN_HETZNER_DNS;
const ADMIN = { name: "Ada Lovelace", email: "ada@example.test" };
const SETTINGS = [
  ...["--set", "recordingsGb=0", "--set", `greenlight=${JSON.stringify({ admin: ADMIN })}`],
  ...["--set", `backup=${backupSetting("drill")}`],
];

interface Check {
  readonly name: string;
  readonly verdict: string;
  readonly answer: string;
}

async function checked(): Promise<Check> {
  const { stdout } = await sandbox(["operator", "check", "sandbox", "--sandbox", "--json"]);
  return (JSON.parse(stdout) as { checks: Check[] }).checks.find(({ name }) => name === "backup")!;
}

const serverNames = async () =>
  (await accountObjects()).filter(({ kind }) => kind === "servers").map(({ name }) => name);

let secrets: readonly Secret[];
let before: readonly string[];

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded", SETTINGS);
  const { backupPassword } = (await outputs()) as unknown as { backupPassword: string };
  secrets = [...STORAGE_SECRETS, ["backupPassword", backupPassword]];
  await publish(BBB);
  before = await serverNames();
  expect((await backup("run", "sandbox")).code).toBe(0);
});

/** Has last night's backup lack a recording that it had, as a storage that loses something would. */
const PLANT = `
import json, sys
sys.path.insert(0, "/usr/local/lib/bbb-deploy")
import backup_state, restic
from backup import tag_of
whole = json.load(open(backup_state.LAST))["whole"]
repository = restic.Repository(restic.read_settings())
repository.prepare()
repository.run("forget", whole["recordings"]["id"])
repository.save(["/var/bigbluebutton/published/presentation"], ["recordings", tag_of(whole["at"])], 600)
`;

describe("A drill", () => {
  test("a whole backup: a table of what came back, the test server is gone, and the check says so", async () => {
    const { code, stdout, stderr } = await backup("drill", "sandbox");
    expect([code, stdout]).toEqual([0, expect.stringContaining("is whole") as string]);
    for (const row of [
      /^recordings: presentation +2 +2 +ok$/m,
      /^recordings: video +1 +1 +ok$/m,
      /^bytes: presentation +600000 bytes +600000 bytes +ok$/m,
      /^files taken at random, by SHA-256 +3 +3 +ok$/m,
      /^Greenlight: users +1 +1 +ok$/m,
      /^Greenlight's \/health_check +– +(success|well but for mail.*) +ok$/m,
      /^page of a recording +– +https:\/\/bbb-\w+\.example\.test\/playback\/\S+: HTTP status 200 +ok$/m,
    ]) {
      expect(stdout).toMatch(row);
    }
    expect(stderr).toMatch(/^test-drill-\w+: removed$/m);
    expect(await serverNames()).toEqual(before);
    expect(await checked()).toMatchObject({
      verdict: "ok",
      answer: expect.stringMatching(/; last drill .* 1 min ago$/) as string,
    });
  });

  test("on another release: what jammy has saved comes back on noble", async () => {
    const { code, stdout, stderr } = await backup("drill", "sandbox", "--set", "release=noble-40");
    expect([code, stdout]).toEqual([0, expect.stringContaining("is whole") as string]);
    expect(stderr).toContain("note: the backup is of BigBlueButton 3.0, this server has 4.0");
    expect(await serverNames()).toEqual(before);
  });

  test("a difference was planted in the repository: the format that is missing is named, and the check fails", async () => {
    await root(BBB, `python3 -B -c "$1"`, PLANT);
    const { code, stdout } = await backup("drill", "sandbox", "--json");
    expect(code).toBe(1);
    const { ok, rows } = JSON.parse(stdout) as { ok: boolean; rows: { what: string; ok: boolean }[] };
    expect(ok).toBe(false);
    expect(rows.filter((row) => !row.ok)).toEqual([
      expect.objectContaining({ what: "recordings: video", saved: "1", restored: "0" }),
      expect.objectContaining({ what: "bytes: video", restored: "0 bytes" }),
      expect.objectContaining({
        what: "files taken at random, by SHA-256",
        restored: "2; missing: /var/bigbluebutton/published/video/e2e-2/video.webm",
      }),
    ]);
    expect(await serverNames()).toEqual(before);
    expect(await checked()).toMatchObject({
      verdict: "FAIL",
      answer: expect.stringContaining("found a difference: recordings: video: 0 of 1") as string,
    });
  });

  test("after all of these: no secret is in a log of the host, or in what was printed", async () => {
    expect(await foundInHostLogs(BBB, secrets)).toEqual([]);
    expect(found(secrets, printed.join("\n"))).toEqual([]);
  });
});
