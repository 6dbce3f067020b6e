import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { python } from "./checks";
import { done, FakeHost, run, SCRIPTS } from "./scripts";

/** Greenlight's directory, copied between two disks. */

let host: FakeHost;
let from: string;
let to: string;

beforeEach(async () => {
  host = new FakeHost();
  from = join(host.root, "root/greenlight-v3");
  to = join(host.root, "volume/root/greenlight-v3");
  host.put("root/greenlight-v3/.env", "SECRET_KEY_BASE=a\n");
  host.put("root/greenlight-v3/data/postgres/base/1", "rows");
  mkdirSync(join(from, "data/empty"));
  symlinkSync("base/1", join(from, "data/postgres/link"));
  await run([
    "bash",
    "-c",
    `chmod 600 ${from}/.env; chown -R 70:70 ${from}/data/postgres; chmod 700 ${from}/data/postgres`,
  ]);
});
afterEach(() => host.remove());

const call = (...args: string[]) =>
  done(host.start(["/usr/bin/python3", "-B", join(SCRIPTS, "greenlight_move.py"), ...args]));
const facts = (path: string) => {
  const { uid, mode } = statSync(path);
  return [uid, (mode & 0o7777).toString(8)];
};

test("a copy has contents, owners, modes and links, in a folder that only root may enter", async () => {
  expect(await call("copy", from, to)).toEqual({
    code: 0,
    output: "8 files and folders copied, and compared\n",
  });
  expect(readFileSync(join(to, "data/postgres/link"), "utf8")).toBe("rows");
  expect([facts(join(to, "data/postgres")), facts(join(to, ".env")), facts(join(to, ".."))]).toEqual([
    [70, "700"],
    [0, "600"],
    [0, "700"],
  ]);
  expect(readdirSync(join(to, "data/empty"))).toEqual([]);
  expect(existsSync(from)).toBe(true);
});

test("what has data already is not written over unasked; an empty folder is none", async () => {
  mkdirSync(to, { recursive: true });
  expect((await call("has", to)).code).toBe(1);
  await call("copy", from, to);
  expect((await call("has", to)).code).toBe(0);
  host.put("root/greenlight-v3/.env", "SECRET_KEY_BASE=b\n");
  expect(await call("copy", from, to)).toMatchObject({ code: 1, output: `${to} has data already\n` });
  expect((await call("copy", "--over", from, to)).code).toBe(0);
  expect(readFileSync(join(to, ".env"), "utf8")).toContain("=b");
});

test("leftovers of a copy that was cut off are no part of the next", async () => {
  host.put("volume/root/greenlight-v3.bbb-deploy-new/half", "");
  expect((await call("copy", from, to)).code).toBe(0);
  expect([existsSync(join(to, "half")), readdirSync(join(to, ".."))]).toEqual([false, ["greenlight-v3"]]);
});

test.each([
  ["content", "echo more >>DIRECTORY/data/postgres/base/1"],
  ["owner", "chown 71 DIRECTORY/data/postgres/base/1"],
  ["mode", "chmod 640 DIRECTORY/.env"],
  ["a link's end", "ln -sfn elsewhere DIRECTORY/data/postgres/link"],
  ["a file more", "touch DIRECTORY/new"],
])("%s that changes during the copy is found, and nothing is in the other place", async (_, change) => {
  const changed = change.replaceAll("DIRECTORY", from);
  host.fake("sync", `[[ $2 != *bbb-deploy-new ]] || { ${changed}; }`);
  const { code, output } = await call("copy", from, to);
  expect([code, output]).toEqual([
    1,
    expect.stringContaining(`${from} changed while it was copied, and stays`),
  ]);
  expect(existsSync(to)).toBe(false);
});

test("a copy that would not fit is refused before it begins", async () => {
  const output = await python(
    host,
    `import greenlight_move, shutil
from collections import namedtuple
shutil.disk_usage = lambda path: namedtuple("Usage", "free")(10_000_000)
try:
    greenlight_move.copy(${JSON.stringify(from)}, ${JSON.stringify(to)})
except greenlight_move.Mistake as mistake:
    print(mistake)`,
  );
  expect(output).toMatch(/needs 20 MB at .*, where 10 MB are free: make room there/);
  expect(existsSync(to)).toBe(false);
});
