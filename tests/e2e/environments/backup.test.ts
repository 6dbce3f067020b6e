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
import { hetzner } from "../support/clouds";
import { foundInExecs, watchExecs, watchMissing, type Exec } from "../support/execWatch";
import { expectDeployed } from "../support/faults";
import { greenlightRows } from "../support/greenlight";
import {
  IN_HETZNER_DNS,
  must,
  onHost,
  outputs,
  printed,
  sandbox,
  testUnless,
  update,
} from "../support/sandbox";
import { found, foundInHostLogs, type Secret } from "../support/secrets";

/** A server that burns down, and comes back from last night's backup: recordings, Greenlight, what was set by hand. */

const { bbb: BBB } = IN_HETZNER_DNS;
const ADMIN = { name: "Ada Lovelace", email: "ada@example.test" };
// Without a volume: what would outlive the server is not what this is about.
const WITHOUT = [
  ...["--set", "recordingsGb=0"],
  ...["--set", `greenlight=${JSON.stringify({ admin: ADMIN })}`],
];
const SETTINGS = [...WITHOUT, "--set", `backup=${backupSetting("burned")}`];
const WEB = "/etc/bigbluebutton/bbb-web.properties";

const up = () => update("up", "embedded", SETTINGS);
const rows = (query: string) => greenlightRows(BBB, query);

/** Deletes the server at the cloud, and lets the state know. */
async function burn(): Promise<void> {
  const servers = (await accountObjects()).filter(({ kind }) => kind === "servers");
  const { id = "" } = servers.find(({ name }) => name === BBB) ?? {};
  await hetzner(["DELETE", `/servers/${id}`]);
  await must(["refresh", "--engine", "embedded", ...SETTINGS]);
}

const USERS = "SELECT name, email, password, role FROM users ORDER BY email";
const ROOMS = "SELECT friendly_id, meeting_id, name, user_id FROM rooms";

let secrets: readonly Secret[];
let execs: readonly Exec[] = [];
let sums: string;
let users: readonly string[];
let rooms: readonly string[];

beforeAll(async () => {
  await must(["reset"]);
  await up();
  const { backupPassword } = (await outputs()) as unknown as { backupPassword: string };
  secrets = [...STORAGE_SECRETS, ["backupPassword", backupPassword]];
  await publish(BBB);
  await rows(
    "INSERT INTO users (id, name, email, password, role, status) VALUES ('1', 'Bea', 'bea@example.test', 'x', 'User', 'active')",
  );
  await rows("INSERT INTO rooms VALUES ('abc-def', 'meeting', 'Maths', '1')");
  await root(
    BBB,
    `echo 'defaultWelcomeMessage=Good morning' >>${WEB}; echo '# ours' >/etc/nginx/conf.d/school.conf`,
  );
  [sums, users, rooms] = [await publishedSums(BBB), await rows(USERS), await rows(ROOMS)];
  const watch = watchMissing() === undefined ? await watchExecs() : undefined;
  const { code, stdout } = await backup("run", "sandbox");
  execs = (await watch?.stop()) ?? [];
  expect(stdout).toContain("Greenlight with 2 users, 1 rooms, 0 recordings");
  expect(stdout).toContain("recordings 2 presentation, 1 video");
  expect(code).toBe(0);
});

test("the backup is listed, and the check is content with it", async () => {
  const { stdout } = await backup("list", "sandbox", "--json");
  expect((JSON.parse(stdout) as { backups: object[] }).backups).toEqual([
    expect.objectContaining({ host: BBB, run: expect.stringMatching(/^run-/) as string }),
  ]);
  const check = await sandbox(["operator", "check", "sandbox", "--sandbox", "--json"]);
  const { checks } = JSON.parse(check.stdout) as {
    checks: { name: string; verdict: string; answer: string }[];
  };
  expect(checks.find(({ name }) => name === "backup")).toMatchObject({
    verdict: "ok",
    answer: expect.stringMatching(
      /^last whole backup .* 1 min ago; state .*; recordings .*; last verification .*; no drill yet$/,
    ) as string,
  });
});

testUnless(watchMissing())("no secret is in a command line or an environment", async () => {
  expect(execs.some(({ argv }) => argv[0]?.endsWith("restic"))).toBe(true);
  expect(foundInExecs(secrets, execs)).toEqual([]);
  await Promise.resolve();
});

test("nor in a log or a unit of the host, or in what was printed", async () => {
  expect(await foundInHostLogs(BBB, secrets)).toEqual([]);
  expect(found(secrets, printed.join("\n"))).toEqual([]);
  expect(found(secrets, await root(BBB, "cat /etc/systemd/system/bbb-backup.*"))).toEqual([]);
});

test("a second update changes nothing", async () => {
  expect(Object.keys((await up()).summary)).toEqual(["unchanged"]);
});

describe("the server is deleted at the cloud, and made anew", () => {
  let secret: string;

  beforeAll(async () => {
    secret = (await outputs()).sharedSecret;
    await burn();
    await up();
    expect(await publishedSums(BBB)).toBe("");
    expect(await rows(ROOMS)).toEqual([]);
  });

  test("what is not in the backup is refused before anything is changed", async () => {
    const { code, stdout } = await restore("sandbox", "--what", "state", "--from", "abcdef12");
    expect([code, stdout]).toEqual([1, expect.stringContaining("there is no backup abcdef12")]);
  });

  test("recordings, Greenlight and what was set by hand are back, by checksum and count", async () => {
    const { code, stdout } = await restore("sandbox", "--what", "state,greenlight,recordings");
    expect(stdout).toContain("Greenlight: 2 of 2 users, 1 of 1 rooms, 0 of 0 recordings");
    expect(stdout).toContain("2 presentation, 1 video put back; now there are 2 presentation, 1 video");
    expect(code).toBe(0);
    expect(await publishedSums(BBB)).toBe(sums);
    expect(await rows(USERS)).toEqual(users);
    expect(await rows(ROOMS)).toEqual(rooms);
    expect(await onHost(BBB, ["cat", WEB])).toMatch(/^defaultWelcomeMessage=Good morning$/m);
    expect(await onHost(BBB, ["cat", "/etc/nginx/conf.d/school.conf"])).toBe("# ours\n");
    expect(await onHost(BBB, ["cat", WEB])).toContain(secret);
  });

  test("it works, and the state knows of no difference", async () => {
    await expectDeployed(SETTINGS);
    expect((await sandbox(["operator", "check", "sandbox", "--sandbox"])).stdout).not.toMatch(
      /^FAIL .*(API|Greenlight|keys)/m,
    );
  });

  test("a second restore finds all of it there", async () => {
    const { code, stdout } = await restore("sandbox", "--what", "state,recordings");
    expect(stdout).toContain("2 presentation, 1 video are here already, and stay as they are");
    expect(stdout).toContain("state: 0 keys of BigBlueButton's files set, 0 files put back");
    expect(code).toBe(0);
  });
});

test("deleted once more, with restoreFrom: one update makes it anew with all that it had", async () => {
  await burn();
  const { stdout } = await update("up", "embedded", [
    ...WITHOUT,
    ...["--set", `backup=${backupSetting("burned", { restoreFrom: "latest" })}`],
  ]);
  expect(stdout).toContain("done: the server has what the backup had");
  expect(await publishedSums(BBB)).toBe(sums);
  expect([await rows(USERS), await rows(ROOMS)]).toEqual([users, rooms]);
  expect((await root(BBB, "systemctl is-enabled bbb-backup.timer")).trim()).toBe("enabled");
});

test("without the setting timer and keys are gone, and what was saved stays", async () => {
  await update("up", "embedded", WITHOUT);
  expect(
    await root(BBB, "ls /etc/systemd/system/bbb-backup.* /var/lib/bbb-deploy/backup 2>&1 || true"),
  ).not.toMatch(/^\//m);
});
