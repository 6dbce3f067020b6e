import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { packaged } from "./standin";

/** Programs of PostgreSQL in the stand-in of Greenlight, as a deployment runs them in its container. */

const PROGRAM = packaged("bbb-greenlight-standin", "/usr/lib/bbb-standin/greenlight_postgres.py");
const DATABASE = "greenlight-v3-production";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "greenlight-"));
  python(`store.migrate(); store.create_user(store.connect(), "Ada", "ada@school.eu", "Secret-1", "User")`);
});
afterEach(() => rmSync(home, { recursive: true }));

const env = () => ({ PATH: "/usr/bin:/bin", BBB_STANDIN_GREENLIGHT: home });
function python(code: string): void {
  const script = `import sys; sys.path.insert(0, "${dirname(PROGRAM)}"); import greenlight_store as store; ${code}`;
  const { status, stderr } = spawnSync("/usr/bin/python3", ["-B", "-c", script], {
    ...{ env: env(), encoding: "utf8" },
  });
  if (status !== 0) throw new Error(stderr);
}

function postgres(words: string, input = "") {
  const { status, stdout, stderr } = spawnSync(
    "/usr/bin/python3",
    ["-I", "-B", PROGRAM, ...words.split(" ")],
    {
      ...{ env: env(), input, encoding: "utf8" },
    },
  );
  return { status, stdout, stderr };
}
const dump = () => postgres(`pg_dump -U postgres --format=c ${DATABASE}`).stdout;
const ask = (query: string) =>
  spawnSync("/usr/bin/python3", ["-I", "-B", PROGRAM, "psql", "-At", "-c", query], {
    ...{ env: env(), encoding: "utf8" },
  }).stdout.trim();
const LOAD = `pg_restore -U postgres --clean --if-exists --no-owner --single-transaction -d ${DATABASE}`;

test("a dump brings back what was deleted since, and takes away what was added", () => {
  const kept = dump();
  expect(postgres("pg_restore --list", kept).stdout).toMatch(/^\d+; 0 0 TABLE DATA public users postgres$/m);
  python(`store.connect().execute("DELETE FROM users"); store.create_room(store.connect(), "Maths", "1")`);
  expect([ask("SELECT count(*) FROM users"), ask("SELECT count(*) FROM rooms")]).toEqual(["0", "1"]);
  expect(postgres(LOAD, kept)).toEqual({ status: 0, stdout: "", stderr: "" });
  expect([ask("SELECT count(*) FROM users"), ask("SELECT count(*) FROM rooms")]).toEqual(["1", "0"]);
  expect(ask("SELECT count(*) FROM recordings")).toBe("0");
});

test("a dump that is cut off shows by what reads all of it, and not in its list", () => {
  const cut = dump().slice(0, -40);
  expect(postgres("pg_restore --list", cut).status).toBe(0);
  for (const words of ["pg_restore --file=/dev/null", LOAD]) {
    expect(postgres(words, cut)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("end of file") as string,
    });
  }
  expect(ask("SELECT count(*) FROM users")).toBe("1");
});

test("another database, and a program that is not there, are refused", () => {
  expect(postgres("pg_dump -U postgres --format=c other").stderr).toContain(
    'database "other" does not exist',
  );
  expect(postgres("vacuumdb").stderr).toContain("not part of the stand-in");
});
