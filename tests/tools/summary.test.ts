import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "summary-"))));
afterEach(() => rmSync(directory, { recursive: true }));

function summary(checks: string, ...suites: object[]) {
  writeFileSync(join(directory, "checks"), checks);
  writeFileSync(join(directory, "unit.json"), JSON.stringify({ testResults: suites }));
  const script = join(__dirname, "summary.ts");
  const { stdout, status } = spawnSync(process.execPath, ["--import", "tsx", script, directory], {
    encoding: "utf8",
  });
  return { lines: stdout.trimEnd().split("\n"), status };
}

const suite = (status: string, ...results: [name: string, status: string][]) => ({
  name: join(process.cwd(), "tests/a.test.ts"),
  status,
  assertionResults: results.map(([fullName, status]) => ({ fullName, status })),
});

test("sums checks and tests, names what was skipped, and ends well", () => {
  const { lines, status } = summary(
    "passed\tlint\n",
    suite("passed", ["one", "passed"], ["two (why)", "pending"]),
  );
  expect(lines).toEqual(["skipped: tests/a.test.ts: two (why)", "2 passed, 0 failed, 1 skipped"]);
  expect(status).toBe(0);
});

test("fails with a failed check, a failed test or a test file that does not run", () => {
  const { lines, status } = summary("failed\tlint\n", suite("failed", ["one", "failed"]), suite("failed"));
  expect(lines).toEqual([
    "failed: lint",
    "failed: tests/a.test.ts: one",
    "failed: tests/a.test.ts: failed outside of its tests",
    "0 passed, 3 failed, 0 skipped",
  ]);
  expect(status).toBe(1);
});

test("fails where nothing ran", () => {
  expect(summary("")).toEqual({ lines: ["0 passed, 0 failed, 0 skipped"], status: 1 });
});
