/** Builds dist/, which is all that the package holds: package.ts and what it needs, and the scripts that run on the hosts. */
const { execFileSync } = require("node:child_process");
const { cpSync, rmSync } = require("node:fs");
const path = require("node:path");

const project = path.join(__dirname, "..");
const dist = path.join(project, "dist");

rmSync(dist, { recursive: true, force: true });
const tsc = require.resolve("typescript/bin/tsc");
execFileSync(process.execPath, [tsc, "-p", path.join(project, "tsconfig.package.json")], {
  stdio: "inherit",
});
// From dist/ they are where they are from the project's folder.
cpSync(path.join(project, "scripts/host"), path.join(dist, "scripts/host"), {
  recursive: true,
  filter: (file) => path.basename(file) !== "__pycache__",
});
