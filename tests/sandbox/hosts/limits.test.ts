import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { raiseInotifyLimit } from "../../../sandbox/hosts/limits";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bbb-limits-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

test.each([
  ["128\n", "1024\n"],
  ["8192\n", "8192\n"],
])("a limit of %j becomes %j", (before, after) => {
  const file = join(directory, "max_user_instances");
  writeFileSync(file, before);
  raiseInotifyLimit(1024, file);
  expect(readFileSync(file, "utf8")).toBe(after);
});

test("one that can't be raised is left", () => {
  expect(() => raiseInotifyLimit(1e9, "/proc/version")).not.toThrow();
});
