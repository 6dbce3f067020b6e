import { rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { Faults } from "../../../sandbox/hetzner/faults";
import { MOTO_PYTHON } from "../../../sandbox/paths";
import { BUCKET, Storage, STORAGE_KEYS } from "../../../sandbox/services/storage";
import { keyPair, SshServer } from "../../sandbox/engine/sshServer";
import { BackupHost } from "./backupHost";
import { QUICK_REPOSITORY } from "./quickRepository";

/** Backups in the sandbox's S3 storage: what a cloud's refuses, and how that is told. */

const faults = new Faults();
const storage = new Storage({ python: MOTO_PYTHON, faults });
let server: Server;
let host: BackupHost;

beforeAll(async () => {
  server = createServer(storage.answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await storage.close();
});
beforeEach(() => {
  host = new BackupHost();
  host.record("a-1");
});
afterEach(() => {
  host.remove();
  faults.clear();
});

let number = 0;
function place(key: string, bucket = BUCKET) {
  const { port } = server.address() as AddressInfo;
  return {
    to: `s3:http://127.0.0.1:${port}/${bucket}/${++number}`,
    accessKeyId: key,
    secretAccessKey: "a-secret-of-the-storage",
  };
}

/** Uploads an empty repository. The storage looks at the key's id alone. */
async function putRepository(to: string): Promise<void> {
  const scope = `${STORAGE_KEYS.full}/20260101/us-east-1/s3/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=00`;
  for (const [name, content] of Object.entries(QUICK_REPOSITORY)) {
    const body = new Uint8Array(content);
    const { ok } = await fetch(`${to.slice("s3:".length)}/${name}`, {
      ...{ method: "PUT", headers: { authorization }, body },
    });
    expect(ok).toBe(true);
  }
}

test("a key that may only add: backups go on, nothing is deleted, and pruning takes another key for once", async () => {
  const own = place(STORAGE_KEYS.addOnly);
  expect((await host.setUp(own)).code).toBe(0);
  expect((await host.backup(["run"])).output).toContain("recordings 1 presentation");
  const { code, output } = await host.backup(["run"]);
  expect(output).toContain("done in");
  expect(code).toBe(0);
  const refused = await host.backup(["prune"]);
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(
    /^FAILED: the storage refuses the keys .* meant to be refused here: give others for this once/m,
  );
  const full = { accessKeyId: STORAGE_KEYS.full, secretAccessKey: "another-secret" };
  const pruned = await host.backup(["prune", "--keys"], { input: `${JSON.stringify(full)}\n` });
  expect(pruned.output).toContain("2 of 4 snapshots removed, 2 kept");
  expect(host.read("var/lib/bbb-deploy/backup/keys/s3")).toContain(STORAGE_KEYS.addOnly);
  expect(host.log + output + pruned.output).not.toMatch(/a-secret-of-the-storage|another-secret/);
});

test.each([
  [
    "keys that it does not know",
    place.bind(undefined, "UNKNOWN"),
    /the storage refuses the keys for s3:.*Set backup\.accessKeyId and backup\.secretAccessKey/,
  ],
  [
    "a bucket that is not there",
    place.bind(undefined, STORAGE_KEYS.full, "nobody-s"),
    /there is no such bucket: s3:.*Make it where your storage is/,
  ],
])("%s: one sentence with what to do, and no timer", async (_, to, sentence) => {
  const { code, output } = await host.setUp(to(), ["--server", "7", "--at", "02:30"]);
  expect(code).toBe(1);
  expect(output).toMatch(sentence);
  expect(output).toContain("What was saved before is untouched, and BigBlueButton is not affected");
  expect(host.called("systemctl")).toEqual([]);
});

test("a full storage fails the run, and the next one goes on", async () => {
  const settings = place(STORAGE_KEYS.full);
  await putRepository(settings.to);
  expect((await host.setUp(settings)).output).toContain("the repository is there");
  faults.arm({
    match: { method: "PUT", path: "/data/" },
    status: 507,
    code: "InsufficientStorage",
    message: "Quota exceeded",
    times: "every",
  });
  const { code, output } = await host.backup(["run"], { env: { BBB_BACKUP_RUN_SECONDS: "5" } });
  faults.clear();
  expect(code).toBe(1);
  expect(output).toMatch(/^FAILED: saving the state failed: there is no room left at s3:/m);
  expect((await host.backup(["run"])).code).toBe(0);
});

describe("an SFTP server", () => {
  const sftp = new SshServer();
  let port: number;
  beforeAll(async () => {
    sftp.sftpServer = process.env.BBB_TEST_SFTP_SERVER ?? "/usr/lib/openssh/sftp-server";
    port = await sftp.listen();
  });
  afterAll(() => sftp.close());

  const settings = (more: object = {}) => ({
    to: `sftp://backup@127.0.0.1:${port}/${host.repository}`,
    sshKey: sftp.userKey.private,
    hostKey: sftp.hostKey.public.split(" ").slice(0, 2).join(" "),
    ...more,
  });

  test("a repository is made there, by the key alone", async () => {
    rmSync(host.repository, { recursive: true });
    const { code, output } = await host.setUp(settings());
    expect(output).toContain("made the repository sftp://backup@127.0.0.1:");
    expect(code).toBe(0);
    expect(host.read("var/lib/bbb-deploy/backup/keys/known_hosts")).toMatch(
      /^\[127\.0\.0\.1\]:\d+ ssh-ed25519 /,
    );
  }, 120_000);

  test.each([
    ["another host key", { hostKey: keyPair().public }, /another machine than backup\.hostKey says answers/],
    [
      "another key",
      { sshKey: keyPair().private },
      /does not let the server in.* Set backup\.sshKey to a private key/,
    ],
  ])("%s is refused in a sentence", async (_, more, sentence) => {
    const { code, output } = await host.setUp(settings(more));
    expect(code).toBe(1);
    expect(output).toMatch(sentence);
  });
});
