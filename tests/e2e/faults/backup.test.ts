import { signedApiUrl } from "../../../bigbluebutton/api";
import { backup, backupSetting, publish, restore, root, STORAGE_SECRETS } from "../support/backup";
import { arm, disarm, expectDeployed, failingUp, up } from "../support/faults";
import { IN_HETZNER_DNS, must, outputs, outside } from "../support/sandbox";
import { foundInHostLogs } from "../support/secrets";

/** Failures of backups and restores. One deployment for all. */

const { bbb: BBB } = IN_HETZNER_DNS;
const settings = (more: object = {}) => [
  ...["--set", "greenlight=true"],
  ...["--set", `backup=${backupSetting("faults", more)}`],
];
const DOWN = "198.51.100.9";

beforeAll(async () => {
  await must(["reset"]);
  await up(...settings());
  await publish(BBB);
  expect((await backup("run", "sandbox")).code).toBe(0);
});
afterEach(disarm);

const unitState = async () => (await root(BBB, "systemctl is-failed bbb-backup.service || true")).trim();
const problems = async () =>
  (JSON.parse(await root(BBB, "cat /var/lib/bbb-deploy/backup/last.json")) as { problems: string[] })
    .problems;

async function meeting(call: "create" | "end", parameters: Readonly<Record<string, string>>): Promise<void> {
  const { apiUrl, sharedSecret } = await outputs();
  const { stdout } = await outside(["curl", "-sS", signedApiUrl(apiUrl, call, parameters, sharedSecret)]);
  expect(stdout).toContain("<returncode>SUCCESS</returncode>");
}

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
    expect((await backup("run", "sandbox")).code).toBe(0);
    expect([await unitState(), await problems()]).toEqual(["inactive", []]);
  });

  test("whose storage is full: what is wrong and what to order, and the earlier ones are there", async () => {
    await root(BBB, "head -c 200000 /dev/urandom >/var/bigbluebutton/published/presentation/e2e-1/more");
    await arm("storage", {
      ...{ match: { method: "PUT", path: "/data/" }, status: 403, code: "QuotaExceeded" },
      ...{ message: "Access Denied. Quota exceeded", times: "every" },
    });
    const { code, stdout } = await backup("run", "sandbox");
    expect([code, stdout]).toEqual([1, expect.stringContaining("there is no room left at s3:") as string]);
    await disarm();
    expect((await backup("run", "sandbox")).code).toBe(0);
    await root(BBB, "rm /var/bigbluebutton/published/presentation/e2e-1/more");
  });

  test("before an upgrade with a storage that is full: told in a line, and the upgrade goes on", async () => {
    await arm("storage", {
      ...{ match: { method: "PUT", path: "/data/" }, status: 403, code: "QuotaExceeded" },
      ...{ message: "Access Denied. Quota exceeded", times: "every" },
    });
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
    const stopped = "/var/lib/bbb-greenlight-standin/postgres-stopped";
    await root(BBB, `touch ${stopped}`);
    const { code, stdout } = await backup("run", "sandbox");
    await root(BBB, `rm ${stopped}`);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAILED: Greenlight is not in this backup, all else is: .*is not running/m);
    expect(stdout).toContain("saved the recordings");
    expect((await backup("run", "sandbox")).code).toBe(0);
  });

  test("with keys that the storage does not know: the update names the setting, and the nights go on with those of before", async () => {
    await failingUp(
      settings({ accessKeyId: "SOMEBODYELSE" }),
      /the storage refuses the keys for s3:.*Set backup\.accessKeyId and backup\.secretAccessKey/,
      /no backups are set up, for the reason in the line above; all else of this server works/,
    );
    expect((await backup("run", "sandbox")).code).toBe(0);
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
    await meeting("create", { meetingID: "restored", name: "Maths", moderatorPW: "moderator" });
    const { code, stdout } = await restore("sandbox", "--what", "state,recordings");
    expect([code, stdout]).toEqual([1, expect.stringContaining("in the way: 1 meeting(s) run") as string]);
    expect((await restore("sandbox", "--what", "recordings")).code).toBe(0);
    await meeting("end", { meetingID: "restored", password: "moderator" });
  });

  test("after all of these: no secret is in a log", async () => {
    expect(await foundInHostLogs(BBB, STORAGE_SECRETS)).toEqual([]);
  });
});
