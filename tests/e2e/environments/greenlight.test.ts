import { foundInExecs, watchExecs, watchMissing, type Exec } from "../support/execWatch";
import { counts } from "../support/hosts";
import {
  IN_HETZNER_DNS,
  must,
  onHost,
  outputs,
  outside,
  printed,
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
const rows = async (query: string) =>
  (await onHost(BBB, ["python3", "-c", QUERY, query])).trim().split("\n").filter(Boolean);

const QUERY = `
import sqlite3, sys
database = sqlite3.connect("/root/greenlight-v3/data/postgres/14/database_data/standin.sqlite3", isolation_level=None)
print("\\n".join("|".join(map(str, row)) for row in database.execute(sys.argv[1])))
`;

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
