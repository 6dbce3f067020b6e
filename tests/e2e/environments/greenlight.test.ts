import { foundInExecs, watchExecs, watchMissing, type Exec } from "../support/execWatch";
import { greenlightDatabase, greenlightRows } from "../support/greenlight";
import { counts } from "../support/hosts";
import {
  IN_HETZNER_DNS,
  must,
  onHost,
  outputs,
  outside,
  printed,
  sandbox,
  testUnless,
  update,
  type Outputs,
} from "../support/sandbox";
import { found, foundInHostLogs, type Secret } from "../support/secrets";

/** Greenlight with an administrator, from the setting to a sign-in, on the stand-in. */

const { bbb: BBB } = IN_HETZNER_DNS;
const ADMIN = { name: "Ada Lovelace, née Byron", email: "ada@example.test" };

type GreenlightOutputs = Outputs & {
  readonly greenlightUrl: string;
  readonly greenlightAdminEmail: string;
  readonly greenlightAdminPassword: string;
};

const set = (greenlight: object) => ["--set", `greenlight=${JSON.stringify(greenlight)}`];
const FIRST = set({ admin: ADMIN, registration: "invite", roomLimit: 5 });

const up = (args: readonly string[]) => update("up", "embedded", ["--set", "recordingsGb=10", ...args]);
const read = async () => (await outputs()) as GreenlightOutputs;
const rows = (query: string) => greenlightRows(BBB, query);

/** Signs in as a browser of somebody on the internet does, and asks who that is. Standard input: the form. */
const SIGN_IN = `
set -euo pipefail
jar=$(mktemp) form=$(mktemp)
cat >"$form"
token=$(curl -sS -c "$jar" "$1/" | sed -n 's/.*name="csrf-token" content="\\([^"]*\\)".*/\\1/p')
call() { curl -sS -b "$jar" -c "$jar" -H "X-CSRF-Token: $token" -H 'Accept: application/json' -H 'Content-Type: application/json' "\${@:2}" "$url/api/v1/$1.json"; }
url=$1
call sessions -o /dev/null -w '%{http_code} ' --data "@$form"
call sessions
`;

async function signIn({ greenlightUrl, greenlightAdminEmail: email }: GreenlightOutputs, password: string) {
  const input = JSON.stringify({ session: { email, password } });
  const { stdout } = await outside(["bash", "-c", SIGN_IN, "sign-in", greenlightUrl], { input });
  const [status, said] = [stdout.slice(0, 3), JSON.parse(stdout.slice(4)) as { data: object }];
  return { status, ...said.data };
}

let out: GreenlightOutputs;
let secrets: readonly Secret[];
let execs: readonly Exec[] = [];

beforeAll(async () => {
  await must(["reset"]);
  const watch = watchMissing() === undefined ? await watchExecs() : undefined;
  const { stdout } = await up(FIRST);
  execs = (await watch?.stop()) ?? [];
  expect(stdout).toContain("made the administrator ada@example.test, who signs in");
  expect(stdout).toContain("RegistrationMethod: open -> invite");
  expect(stdout).toMatch(/ok .*administrator .*signed in, made a room, started its meeting, removed both/);
  out = await read();
  secrets = [["greenlightAdminPassword", out.greenlightAdminPassword]];
});

test("the administrator signs in with the outputs, and nobody with another password", async () => {
  expect(out.greenlightUrl).toBe(`https://${BBB}`);
  expect(await signIn(out, out.greenlightAdminPassword)).toMatchObject({
    status: "200",
    signed_in: true,
    name: ADMIN.name,
    role: { name: "Administrator" },
  });
  expect(await signIn(out, `${out.greenlightAdminPassword}x`)).toEqual(
    expect.objectContaining({ status: "400", signed_in: false }),
  );
});

test("nothing of the proof is left: no room, and no meeting", async () => {
  expect(await rows("SELECT name FROM rooms")).toEqual([]);
  const meetings = await onHost(BBB, [
    "python3",
    "/usr/local/lib/bbb-deploy/api_check.py",
    "meetings",
    "--properties",
    "/etc/bigbluebutton/bbb-web.properties",
  ]);
  expect(meetings.trim()).toBe("0");
});

testUnless(watchMissing())("the password is in no command line and no environment", async () => {
  expect(execs.some(({ argv }) => argv.join(" ").includes("rails runner -"))).toBe(true);
  expect(foundInExecs(secrets, execs)).toEqual([]);
  await Promise.resolve();
});

test("nor in a log of the host, or in what the update printed", async () => {
  expect(await foundInHostLogs(BBB, secrets)).toEqual([]);
  expect(found(secrets, printed.join("\n"))).toEqual([]);
});

test("a second update changes nothing", async () => {
  const before = await counts();
  const { summary } = await up(FIRST);
  expect(Object.keys(summary).filter((key) => !["unchanged", "same"].includes(key))).toEqual([]);
  expect(await counts()).toEqual(before);
});

test("a server that is replaced finds its accounts and settings again, on the volume", async () => {
  const accounts = await rows("SELECT id, email, password FROM users");
  const { stdout, summary } = await up([...FIRST, "--replace", "bbb-host-server"]);
  expect(summary.replaced).toBeGreaterThan(0);
  expect(stdout).toContain("the administrator ada@example.test is there already, and left alone");
  expect(await rows("SELECT id, email, password FROM users")).toEqual(accounts);
  expect(await signIn(out, out.greenlightAdminPassword)).toMatchObject({ status: "200", signed_in: true });
  expect(await onHost(BBB, ["findmnt", "-no", "FSROOT", "/root/greenlight-v3"])).toBe(
    "/root/greenlight-v3\n",
  );
});

test("an administrator who has another name and password by now is left alone", async () => {
  await rows("UPDATE users SET name = 'Ada King', password = 'salt:none'");
  const { stdout } = await up([
    ...set({ admin: { ...ADMIN, name: "Another" }, registration: "invite", roomLimit: 5 }),
  ]);
  expect(stdout).toContain("the administrator ada@example.test is there already, and left alone");
  expect(stdout).toMatch(
    /skip .*administrator .*has another password than the output greenlightAdminPassword/,
  );
  expect(await rows("SELECT name, password FROM users")).toEqual(["Ada King|salt:none"]);
  expect((await read()).greenlightAdminPassword).toBe(out.greenlightAdminPassword);
});

test("what is taken back returns to what it was, and what was changed by hand beside it stays", async () => {
  await rows("UPDATE site_settings SET value = 'https://school.example/terms' WHERE name = 'Terms'");
  await up(set({ admin: ADMIN, roomLimit: 5 }));
  expect(
    await rows("SELECT value FROM site_settings WHERE name IN ('RegistrationMethod', 'Terms') ORDER BY name"),
  ).toEqual(["open", "https://school.example/terms"]);
});

/** Saves the database as a backup does, cuts its end off, and tells what reads it. */
const CUT_OFF = `
import os, sys
sys.path.insert(0, "/usr/local/lib/bbb-deploy")
import greenlight_data
database, path = greenlight_data.Database(), "/root/cut-off.dump"
database.dump(path)
os.truncate(path, os.path.getsize(path) - 40)
print(database.run("pg_restore", "--list", stdin=open(path))[0])
try:
    database.load(path)
except greenlight_data.Failure as failure:
    print(failure)
try:
    database.prove(path)
except greenlight_data.Failure as failure:
    print(failure)
os.unlink(path)
`;

test("a dump that is cut off has a whole list all the same, and what reads all of it refuses it", async () => {
  const before = await rows("SELECT * FROM users");
  const said = await onHost(BBB, ["python3", "-B", "-c", CUT_OFF]);
  expect(said).toMatch(
    /^0\nthe dump did not go into Greenlight's database: pg_restore: error: .*\nthe dump of Greenlight's database is not whole: pg_restore: error: .*\n$/,
  );
  expect(await rows("SELECT * FROM users")).toEqual(before);
});

test("a database that is down is told by Greenlight and by the check, and has all when it is up again", async () => {
  const check = async () => (await sandbox(["operator", "check", "sandbox", "--sandbox"])).stdout;
  const before = await rows("SELECT * FROM users");
  await greenlightDatabase(BBB, "stop");
  expect(await check()).toMatch(
    /^FAIL .*Greenlight .*Unable to connect to Database - .*\n.*docker logs postgres/m,
  );
  await greenlightDatabase(BBB, "start");
  expect(await check()).toMatch(/^ok .*Greenlight /m);
  expect(await rows("SELECT * FROM users")).toEqual(before);
});
