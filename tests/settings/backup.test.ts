import * as pulumi from "@pulumi/pulumi";

import { parseSettings, type Settings } from "../../settings";
import { SettingsError } from "../../settings/problems";

const required = { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] };
const at = { project: "bigbluebutton", stack: "test" };
const s3 = { to: "s3:https://fsn1.your-objectstorage.com/b/prod", accessKeyId: "a", secretAccessKey: "b" };
const sshKey = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----";
const sftp = { to: "sftp://u1@u1.storage.eu:23//prod", sshKey, hostKey: "ssh-ed25519 AAAAC3Nz" };

const settings = (backup: unknown, more: object = {}): Settings =>
  parseSettings({ ...required, ...more, backup }, at);

function problemsOf(backup: unknown, more: object = {}): string[] {
  try {
    settings(backup, more);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ key, reason, remedy }) => `${key} ${reason} → ${remedy}`);
  }
  return [];
}

test("all of it is a secret, with defaults for time and number", async () => {
  const { at, restoreFrom, settings: output } = settings(JSON.stringify(s3)).backup!;
  expect(await pulumi.isSecret(output)).toBe(true);
  const value = await new Promise((resolve) => output.apply(resolve));
  expect(value).toEqual({ ...s3, keep: { daily: 7, weekly: 4, monthly: 6 }, raw: false });
  expect([at, restoreFrom]).toEqual(["02:30", undefined]);
});

test.each([undefined, "", "{}"])("nothing is saved without the setting: %j", (backup) =>
  expect(settings(backup).backup).toBeUndefined(),
);

test.each([
  s3,
  sftp,
  { ...s3, to: "s3:s3.eu-central-1.amazonaws.com/bucket" },
  { ...sftp, to: "sftp:u1@storage.eu:prod", at: "23:59", keep: { daily: 30 }, raw: true, password: "x" },
  { ...s3, restoreFrom: "latest" },
  { ...s3, restoreFrom: "1a2b3c4d" },
  { to: "storage-box" },
  { to: "storage-box", hostKey: sftp.hostKey, boxType: "bx21", boxLocation: "fsn1" },
])("good ones: $to", (backup) => expect(problemsOf(backup)).toEqual([]));

describe("a Storage Box", () => {
  const box = (more: object = {}, backup: object = {}) =>
    settings({ to: "storage-box", ...backup }, more).backup?.box;

  test("is small, and not where the server is", () => {
    expect(box()).toEqual({ type: "bx11", location: "hel1", reachableExternally: false, protected: false });
    expect(box({ location: "hel1" })).toMatchObject({ location: "fsn1" });
    expect(box({}, { boxType: "bx31", boxLocation: "fsn1" })).toMatchObject({
      type: "bx31",
      location: "fsn1",
    });
  });

  test("is protected with the recordings, and lets a server at AWS in", () => {
    expect(box({ environment: "staging" })).toMatchObject({ protected: true });
    expect(box({ environment: "staging", protectRecordings: "false" })).toMatchObject({ protected: false });
    expect(box({ cloud: "aws" })).toMatchObject({ location: "hel1", reachableExternally: true });
  });

  test("there is none elsewhere", () => expect(settings(s3).backup).not.toHaveProperty("box"));
});

test("all mistakes at once, each at its place", () => {
  expect(
    problemsOf({
      ...{ to: "s3:https://fsn1.your-objectstorage.com", accessKeyId: "a", hostKey: "x", at: "2:30" },
      ...{ keep: { daily: -1, yearly: 1 }, row: true },
    }),
  ).toEqual([
    "backup.to names no bucket of a server → pulumi config set --path 'backup.to' s3:https://fsn1.your-objectstorage.com/BUCKET/prod",
    `backup.hostKey is no public host key, such as ssh-keyscan prints behind the name → pulumi config set --path 'backup.hostKey' "ssh-ed25519 AAAA…"`,
    `backup.at is "2:30"; it is a time of the day, UTC → pulumi config set --path 'backup.at' 02:30`,
    "backup.keep.daily is -1; 0 to 1000 can be kept → pulumi config set --path 'backup.keep.daily' 7",
    "backup.keep.yearly is no setting; there are daily, weekly, monthly → pulumi config rm --path 'backup.keep.yearly'",
    "backup.row is no setting; did you mean raw? → pulumi config rm --path 'backup.row'",
    "backup.secretAccessKey is not set, though backup.to begins with s3: → pulumi config set --secret --path 'backup.secretAccessKey'",
    "backup.hostKey is set, though backup.to begins with s3:, which has no use for it → pulumi config rm --path 'backup.hostKey'",
  ]);
});

test.each([
  [{ ...s3, to: "storagebox" }, `backup.to is "storagebox"; it begins with s3: or sftp:, or is storage-box`],
  [
    { to: "storage-box", sshKey },
    "backup.sshKey is set, though backup.to is storage-box, which has no use for it",
  ],
  [
    { ...s3, boxType: "bx21" },
    "backup.boxType is set, though backup.to begins with s3:, which has no use for it",
  ],
  [{ to: "storage-box", boxType: "1 TB" }, `backup.boxType is "1 TB"; Hetzner's types are bx11, bx21 …`],
  [{ to: "storage-box", boxLocation: "Helsinki" }, `backup.boxLocation is "Helsinki"; it is a location`],
  [{ ...s3, to: "s3:https://key@storage.eu/bucket" }, "backup.to names no bucket of a server"],
  [{ ...sftp, to: "sftp:storage.eu/prod" }, "backup.to names no user, server and folder"],
  [{ ...sftp, sshKey: "ssh-ed25519 AAAA" }, "backup.sshKey is no private key in PEM or OpenSSH's form"],
  [{ ...s3, restoreFrom: "yesterday" }, `backup.restoreFrom is "yesterday"; it is latest, or an id`],
  [{ to: sftp.to, sshKey }, "backup.hostKey is not set, though backup.to begins with sftp:"],
])("%j", (backup, problem) => expect(problemsOf(backup).join()).toContain(problem));

test("a release whose restic is too old is refused, with what to do", () => {
  expect(problemsOf(s3, { release: "focal-25", allowEndOfLife: "true" }).join()).toContain(
    "backup is set, but focal-25 runs on Ubuntu 20.04, whose restic is too old for it",
  );
});
