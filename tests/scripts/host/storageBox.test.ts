import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { renderBackup } from "../../../bigbluebutton/backup";
import { keyPair, SshServer } from "../../sandbox/engine/sshServer";
import { BackupHost, HOST } from "./backupHost";
import { PASSWORD, putQuickRepository } from "./quickRepository";

/** Backups in a Storage Box: its forced command runs the machine's own rclone, as the real one does. */

const box = new SshServer();
const adder = keyPair();
let home: string;
let port: number;
let host: BackupHost;

beforeAll(async () => {
  box.sftpServer = process.env.BBB_TEST_SFTP_SERVER ?? "/usr/lib/openssh/sftp-server";
  port = await box.listen();
});
afterAll(() => box.close());
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "box-"));
  box.home = home;
  host = new BackupHost();
  host.record("a-1");
});
afterEach(() => {
  host.remove();
  rmSync(home, { recursive: true });
});

const authorized = () => readFileSync(join(home, ".ssh/authorized_keys"), "utf8").split("\n");
const owner = () => ({ sshKey: box.userKey.private, appendOnly: false });
const blobOf = (key: { readonly public: string }) => key.public.split(" ")[1];

/** Settings as the deployment renders them, for a box at this server. */
function settings(): Record<string, unknown> {
  const rendered = renderBackup(
    HOST,
    { to: "storage-box", keep: { daily: 7, weekly: 4, monthly: 6 }, raw: false },
    PASSWORD,
    {
      ...{ server: "127.0.0.1", username: "u1001" },
      owner: { publicKey: box.userKey.public, privateKey: box.userKey.private },
      adder: { publicKey: adder.public, privateKey: adder.private },
    },
  );
  const read = JSON.parse(rendered) as Record<string, unknown>;
  const hostKey = box.hostKey.public.split(" ").slice(0, 2).join(" ");
  return { ...read, to: String(read.to).replace(":23/", `:${port}/`), hostKey };
}

const setUp = (more: object = {}, env: NodeJS.ProcessEnv = {}) =>
  host.script(
    "backup.sh",
    ["--server", "7", "--at", "02:30"],
    `${JSON.stringify({ ...settings(), ...more })}\n`,
    env,
  );

test("the server's key may add only; the account's key is not kept on the server, and prunes", async () => {
  const { code, output } = await setUp();
  expect(output).toContain("made the repository sftp://u1001@127.0.0.1:");
  expect(code).toBe(0);
  expect(existsSync(join(home, "backups/config"))).toBe(true);
  expect(host.read("var/lib/bbb-deploy/backup/settings.json")).not.toContain(
    box.userKey.private.split("\n")[3],
  );
  expect((await host.backup(["run"])).output).toContain("done in");
  expect((await host.backup(["run"])).output).toContain("done in");

  const refused = await host.backup(["prune"]);
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(
    /^FAILED: the server's key for sftp:\S+ may add only, not delete: scripts\/backup does/m,
  );
  const pruned = await host.backup(["prune", "--keys"], { input: `${JSON.stringify(owner())}\n` });
  expect(pruned.output).toContain("2 of 4 snapshots removed, 2 kept");
  expect(host.read("var/lib/bbb-deploy/backup/keys/ssh")).toBe(adder.private);
  expect(host.log + output + pruned.output).not.toContain(PASSWORD);
}, 120_000);

test("a full box fails the run in a sentence, soon, and the next one goes on", async () => {
  putQuickRepository(join(home, "backups"));
  expect((await setUp()).code).toBe(0);
  const data = join(home, "backups/data");
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4k", "none", data]);
  try {
    host.record("a-2", "presentation", randomBytes(1e5).toString("base64"));
    const { code, output } = await host.backup(["run"]);
    expect(output).toMatch(
      /^FAILED: saving the recordings failed: there is no room left at sftp:.* backup\.boxType/m,
    );
    expect(code).toBe(1);
  } finally {
    execFileSync("umount", [data]);
  }
  expect((await host.backup(["run"])).code).toBe(0);
}, 60_000);

test("keys of others stay in the box; a second run puts none twice", async () => {
  const other = keyPair();
  mkdirSync(join(home, ".ssh"));
  writeFileSync(join(home, ".ssh/authorized_keys"), `${other.public} laptop\n${blobOf(box.userKey)} old\n`);
  putQuickRepository(join(home, "backups"));
  expect((await setUp()).code).toBe(0);
  const lines = authorized();
  expect(lines).toEqual([
    box.userKey.public,
    `restrict,command="rclone serve restic --stdio --append-only backups" ${adder.public}`,
    `${other.public} laptop`,
    "",
  ]);
  expect((await setUp()).output).toContain("the repository is there");
  expect(authorized()).toEqual(lines);
}, 60_000);

test.each([
  [
    "another machine",
    { hostKey: keyPair().public },
    /another machine than a Storage Box answers for sftp:\S+: it has not the key that Hetzner publishes/,
  ],
  [
    "a key that it does not know",
    { box: { sshKey: keyPair().private, folder: "backups", authorizedKeys: [] } },
    /the Storage Box sftp:\S+ does not let the server in/,
  ],
])("%s is refused in a sentence, once it has been waited for", async (_, more, sentence) => {
  const env = { BBB_BACKUP_BOX_SECONDS: "1", BBB_BACKUP_BOX_PAUSE_SECONDS: "0.1" };
  const { code, output } = await setUp(more, env);
  expect(output).toMatch(sentence);
  expect(code).toBe(1);
  expect(host.called("systemctl")).toEqual([]);
});
