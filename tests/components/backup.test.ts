import * as pulumi from "@pulumi/pulumi";

import { renderBackup, STORAGE_BOX_HOST_KEY, type BackupSettings } from "../../bigbluebutton/backup";
import { atAws, changed, idOf, reveal, type Run, runProgram, secretOf, settings } from "../support/program";

const storage: BackupSettings = {
  ...{ to: "s3:https://storage.eu/bucket", accessKeyId: "id", secretAccessKey: "the-secret-key" },
  ...{ keep: { daily: 7, weekly: 4, monthly: 6 }, raw: false },
};
const backup = { at: "03:15", settings: pulumi.secret(storage) };
const alerts = { webhook: { url: "https://hooks.school.eu/secret", form: "slack" as const } };

let without: Run;
let run: Run;
beforeAll(async () => {
  without = await runProgram();
  run = await runProgram({ settings: { backup } });
});

test("the setting adds a password and a last step, and runs no other again", () => {
  expect(changed(without, run)).toEqual(["bbb-backup", "bbb-backup-password"]);
  expect(run.get("bbb-backup").dependsOn).toContain("bbb-verify");
  expect(without.outputs.backupPassword).toBeUndefined();
});

test("keys go by standard input, secret; the command line has the time only", async () => {
  const { inputs, secretInputs, deletedWith } = run.get("bbb-backup");
  expect(secretInputs).toContain("stdin");
  expect(secretInputs).not.toContain("create");
  const password = (await reveal(run.outputs.backupPassword)).value;
  expect(JSON.parse(String(inputs.stdin))).toEqual({
    ...{ to: storage.to, accessKeyId: "id", secretAccessKey: "the-secret-key", raw: false },
    ...{ keep: storage.keep, host: "bbb.example.org", password },
  });
  expect(inputs.create).toMatch(/backup\.sh --server \S+ --at 03\\?:15 --script-hash /);
  expect(inputs.delete).toBe(
    "/usr/local/lib/bbb-deploy/step --time-limit 900 bbb 'Undo: Set up the backups' backup.sh " +
      `--server ${idOf("bbb-host-server")} --remove`,
  );
  expect(deletedWith).toBe("bbb-host-server");
  expect((await reveal(run.outputs.backupPassword)).secret).toBe(true);
});

test("the password of another stack's repository counts", async () => {
  const own = { ...storage, password: "the-old-stack's" };
  const other = await runProgram({ settings: { backup: { at: "03:15", settings: pulumi.secret(own) } } });
  expect((await reveal(other.outputs.backupPassword)).value).toBe("the-old-stack's");
  expect(JSON.parse(renderBackup("bbb.example.org", own, "generated"))).toMatchObject({
    password: "the-old-stack's",
  });
});

test("scripts/check and the alerts look after it", async () => {
  const watched = await runProgram({
    settings: { backup, alerts: pulumi.secret(alerts) },
  });
  const check = (await reveal(watched.outputs.check)).value as Record<string, { request: { backup?: true } }>;
  expect(check.bbb!.request.backup).toBe(true);
  expect(check.turn!.request.backup).toBeUndefined();
  const request = (role: string) =>
    (JSON.parse(String(watched.get(`${role}-alerts`).inputs.stdin)) as { request: { backup?: true } })
      .request;
  expect(request("bbb").backup).toBe(true);
  expect(request("turn").backup).toBeUndefined();
  expect(watched.get("bbb-alerts").dependsOn).toContain("bbb-backup");
});

test("restoreFrom adds a step, and the nights wait for it", async () => {
  const restored = await runProgram({ settings: { backup: { ...backup, restoreFrom: "latest" } } });
  expect(changed(run, restored)).toEqual(["bbb-backup", "bbb-restore", "bbb-restore-resumed"]);
  expect(restored.get("bbb-backup").inputs.create).toContain(" --after-restore ");
  expect(restored.get("bbb-restore").inputs.create).toMatch(/step --unit .*restore\.sh --from latest /);
  expect(restored.get("bbb-restore").dependsOn).toContain("bbb-backup");
  expect(String(restored.get("bbb-backup").inputs.stdin)).toBe(String(run.get("bbb-backup").inputs.stdin));
});

describe("a Storage Box", () => {
  const box = { type: "bx11", location: "hel1", reachableExternally: false, protected: true };
  const inBox = { ...{ to: "storage-box", keep: storage.keep }, raw: false };
  const settings = { backup: { ...backup, box, settings: pulumi.secret(inBox) } };
  let boxed: Run;
  beforeAll(async () => {
    boxed = await runProgram({ settings });
  });

  test("is made with its key and password, protected with all that reading it needs", () => {
    expect(changed(run, boxed)).toEqual([
      ...["bbb-backup", "bbb-backup-box", "bbb-backup-box-key", "bbb-backup-box-password", "bbb-backup-key"],
    ]);
    const made = boxed.get("bbb-backup-box");
    expect(made.inputs).toMatchObject({
      ...{ name: "bigbluebutton-staging-backup", storageBoxType: "bx11", location: "hel1" },
      sshKeys: ["ssh-ed25519 AAAAbbb-backup-box-key"],
      accessSettings: { reachableExternally: false, sshEnabled: true, sambaEnabled: false },
      snapshotPlan: { maxSnapshots: 10, hour: 12, minute: 0 },
      deleteProtection: true,
      labels: { project: "bigbluebutton", stack: "staging", role: "backup" },
    });
    expect(made.secretInputs).toEqual(["password"]);
    // Each of them would replace the box, with all that is in it.
    expect(made.ignoreChanges).toEqual(["sshKeys", "location"]);
    expect(made.beforeCreate).toEqual(["nothing-is-left-of-a-killed-update"]);
    expect(boxed.resources.filter(({ protect }) => protect).map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        ...["bbb-backup-box", "bbb-backup-box-key", "bbb-backup-box-password", "bbb-backup-password"],
      ]),
    );
    expect(run.get("bbb-backup-password").protect).toBe(false);
  });

  test("its server gets a key that may add only, and the other for once", () => {
    const { inputs, secretInputs } = boxed.get("bbb-backup");
    expect(secretInputs).toContain("stdin");
    const stdin = JSON.parse(String(inputs.stdin)) as Record<string, unknown>;
    expect(stdin).toMatchObject({
      to: "sftp://u1001@u1001.your-storagebox.de:23/backups",
      ...{ appendOnly: true, sshKey: `-----BEGIN ${secretOf("bbb-backup-key")}-----\n` },
      hostKey: STORAGE_BOX_HOST_KEY,
      box: {
        folder: "backups",
        sshKey: `-----BEGIN ${secretOf("bbb-backup-box-key")}-----\n`,
        authorizedKeys: [
          "ssh-ed25519 AAAAbbb-backup-box-key",
          'restrict,command="rclone serve restic --stdio --append-only backups" ssh-ed25519 AAAAbbb-backup-key',
        ],
      },
    });
  });

  test("its key that may delete is an output, secret", async () => {
    const { value, secret } = await reveal(boxed.outputs.backupBoxKey);
    expect([value, secret]).toEqual([`-----BEGIN ${secretOf("bbb-backup-box-key")}-----\n`, true]);
    expect(run.outputs.backupBoxKey).toBeUndefined();
  });

  test("without protection nothing of it has any", async () => {
    const open = await runProgram({
      settings: { backup: { ...settings.backup, box: { ...box, protected: false } } },
    });
    expect(open.get("bbb-backup-box").inputs.deleteProtection).toBe(false);
    expect(open.get("bbb-backup-box").protect).toBe(false);
    expect(open.get("bbb-backup-password").protect).toBe(false);
  });

  test("a server at AWS has one at Hetzner, whose token is asked for by name", async () => {
    const at = { ...settings, ...atAws, dns: "manual" as const };
    const mixed = await runProgram({ settings: at });
    expect(mixed.get("bbb-backup-box").inputs.storageBoxType).toBe("bx11");
    await expect(
      runProgram({ settings: at, hetznerRefuses: "Missing Hetzner Cloud API token" }),
    ).rejects.toThrow(/hcloud:token is missing or not accepted[^]*pulumi config set --secret hcloud:token/);
  });

  test("an unknown type is refused before anything is made", async () => {
    const unknown = { backup: { ...settings.backup, box: { ...box, type: "bx99" } } };
    await expect(runProgram({ settings: unknown })).rejects.toThrow(
      /backup\.boxType is bx99, which could not be read at Hetzner/,
    );
  });
});

test("ordinary settings make no backups", () => expect(settings.backup).toBeUndefined());
