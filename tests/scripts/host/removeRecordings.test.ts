import { existsSync } from "node:fs";
import { join } from "node:path";

import { FakeHost, SCRIPTS, done, type Done } from "./scripts";

const DAY_MS = 86_400_000;
const id = (first: string, days: number) => `${first.repeat(40)}-${Date.now() - days * DAY_MS}`;

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
  host.fake("bbb-record");
});
afterEach(() => host.remove());

const run = (...args: string[]): Promise<Done> =>
  done(
    host.start([
      "/usr/bin/python3",
      "-B",
      join(SCRIPTS, "remove_recordings.py"),
      "--root",
      host.root,
      ...args,
    ]),
  );

const keep = (place: string, name: string) => host.put(`var/bigbluebutton/${place}/${name}/metadata.xml`, "");

test("recordings of meetings that began too long ago go, each once, whatever its formats", async () => {
  const [old, unpublished, young] = [id("a", 31), id("b", 400), id("c", 29)];
  keep("published/presentation", old);
  keep("published/video", old);
  keep("unpublished/presentation", unpublished);
  keep("published/presentation", young);
  expect((await run("--days", "30")).code).toBe(0);
  expect(host.called()).toEqual([`bbb-record --delete ${unpublished}`, `bbb-record --delete ${old}`]);
  const log = host.read("var/log/bigbluebutton/bbb-recording-cleanup.log");
  expect(log.trim().split("\n")).toEqual([
    expect.stringContaining(`${unpublished}, of 20`),
    expect.stringContaining(`${old}, of 20`),
  ]);
});

test("what has no whole id, or is still processed, stays", async () => {
  keep("published/presentation", "a");
  keep("published/presentation", "a".repeat(40));
  keep("published/presentation", `${id("a", 99)}-2`);
  keep("recording/raw", id("d", 99));
  expect((await run("--days", "1")).code).toBe(0);
  expect(host.called()).toEqual([]);
});

test("without recordings there is nothing to do", async () => {
  expect(await run("--days", "1")).toEqual({ code: 0, output: "" });
});

test("a dry run tells what would go, and deletes nothing", async () => {
  const old = id("a", 31);
  keep("published/presentation", old);
  expect((await run("--days", "30", "--dry-run")).output).toMatch(`${old}, of 20`);
  expect([host.called(), existsSync(join(host.root, "var/log/bigbluebutton"))]).toEqual([[], false]);
});

test("one that can't be deleted is told, and the others go", async () => {
  host.fake("bbb-record", "[[ $2 != a* ]] || { echo no; exit 1; }");
  const [bad, good] = [id("a", 40), id("b", 39)];
  keep("published/presentation", bad);
  keep("published/presentation", good);
  expect((await run("--days", "30")).code).toBe(1);
  const log = host.read("var/log/bigbluebutton/bbb-recording-cleanup.log");
  expect(log).toMatch(`${bad}, of`);
  expect(log).toContain("could not be deleted: no");
  expect(log).toMatch(new RegExp(`${good}, of \\S+, deleted`));
});

test.each([[[]], [["--days", "0"]], [["--days", "x"]]])("%j is refused", async (args) => {
  keep("published/presentation", id("a", 99));
  expect((await run(...args)).code).toBe(2);
  expect(host.called()).toEqual([]);
});
