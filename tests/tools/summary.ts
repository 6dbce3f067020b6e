/**
 * Sums up a run of scripts/test: jest's results (*.json) and the other checks (`checks`: "passed|failed<TAB>name"
 * lines) in the directory given. Names what failed and what was skipped; the last line is the sum.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

interface Suite {
  name: string;
  status: string;
  assertionResults: { fullName: string; status: string }[];
}

const [directory = "."] = process.argv.slice(2);
const found: Record<"passed" | "failed" | "skipped", string[]> = { passed: [], failed: [], skipped: [] };

function file(test: string, status: string): void {
  found[status === "passed" || status === "failed" ? status : "skipped"].push(test);
}

const checks = join(directory, "checks");
if (existsSync(checks)) {
  for (const line of readFileSync(checks, "utf8").split("\n").filter(Boolean)) {
    const [status = "failed", name = line] = line.split("\t");
    file(name, status);
  }
}

for (const results of readdirSync(directory).filter((name) => name.endsWith(".json"))) {
  const { testResults } = JSON.parse(readFileSync(join(directory, results), "utf8")) as {
    testResults: Suite[];
  };
  for (const suite of testResults) {
    const name = relative(process.cwd(), suite.name);
    if (suite.status === "failed" && suite.assertionResults.every((test) => test.status !== "failed")) {
      found.failed.push(`${name}: failed outside of its tests`);
    }
    for (const test of suite.assertionResults) {
      file(`${name}: ${test.fullName}`, test.status);
    }
  }
}

for (const status of ["skipped", "failed"] as const) {
  for (const name of found[status]) {
    console.log(`${status}: ${name}`);
  }
}
console.log(
  Object.entries(found)
    .map(([status, names]) => `${names.length} ${status}`)
    .join(", "),
);
process.exitCode = found.failed.length > 0 || found.passed.length === 0 ? 1 : 0;
