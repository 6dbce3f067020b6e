import * as pulumi from "@pulumi/pulumi";

import { renderBackup, type BackupSettings } from "../../bigbluebutton/backup";
import { changed, idOf, reveal, type Run, runProgram, settings } from "../support/program";

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

test("ordinary settings make no backups", () => expect(settings.backup).toBeUndefined());
