import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const SCRIPT = resolve(__dirname, "../../scripts/install-pulumi");
const version = /^version=(.*)$/m.exec(readFileSync(SCRIPT, "utf8"))![1]!;

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), "install-"))));
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): string {
  const file = join(root, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

/** Makes an archive like Pulumi's, and a curl that hands it out and records the URLs. */
function offer(): { readonly sha256: string } {
  put("archive/pulumi/pulumi", `#!/bin/sh\necho v${version}\n`);
  put("archive/pulumi/pulumi-language-nodejs", "");
  const archive = join(root, "pulumi.tar.gz");
  spawnSync("tar", ["-czf", archive, "-C", join(root, "archive"), "pulumi"]);
  put(
    "bin/curl",
    `#!/bin/bash\nwhile (($# > 1)); do [[ $1 == --output ]] && out=$2; shift; done\ncp ${archive} "$out"\necho "$1" >>${root}/asked\n`,
  );
  put("bin/uname", `#!/bin/sh\ncase $1 in -s) echo Linux ;; *) echo x86_64 ;; esac\n`);
  return { sha256: createHash("sha256").update(readFileSync(archive)).digest("hex") };
}

const asked = () => (existsSync(join(root, "asked")) ? readFileSync(join(root, "asked"), "utf8") : "");

function run(script: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync("bash", [script, ...args], {
    encoding: "utf8",
    env: { PATH: `${root}/bin:${process.env.PATH}`, HOME: root, ...env },
  });
  return { status, stdout, stderr };
}

/** Script with the checksum of the archive on offer. */
const withChecksum = (sha256: string) =>
  put("install", readFileSync(SCRIPT, "utf8").replace(/^sha256_x64=.*$/m, `sha256_x64=${sha256}`));

test("the version is one for which the checksum is written down, and one that the README allows", () => {
  const text = readFileSync(SCRIPT, "utf8");
  expect(version).toMatch(/^3\.\d+\.\d+$/);
  expect(Number(version.split(".")[1])).toBeGreaterThanOrEqual(248);
  expect(text.match(/^sha256_(x64|arm64)=[0-9a-f]{64}$/gm)).toHaveLength(2);
});

test("nothing is installed where the checksum is another", () => {
  const { sha256 } = offer();
  const result = run(SCRIPT, [join(root, "cli")]);
  expect(result).toEqual({
    status: 1,
    stdout: "",
    stderr: expect.stringContaining(`the checksum ${sha256}`),
  });
  expect(result.stderr.split("\n")).toHaveLength(2);
  expect(existsSync(join(root, "cli"))).toBe(false);
});

test("the CLI and its language hosts are installed once", () => {
  const script = withChecksum(offer().sha256);
  const said = { status: 0, stdout: `Pulumi ${version} is in ${root}/.pulumi/bin\n`, stderr: "" };
  expect(run(script)).toEqual(said);
  expect(existsSync(join(root, ".pulumi/bin/pulumi-language-nodejs"))).toBe(true);
  expect(run(script)).toEqual(said);
  expect(asked()).toBe(
    `https://github.com/pulumi/pulumi/releases/download/v${version}/pulumi-v${version}-linux-x64.tar.gz\n`,
  );
});

test("another version that is there is replaced", () => {
  put("cli/pulumi", "#!/bin/sh\necho v3.1.0\n");
  const script = withChecksum(offer().sha256);
  expect(run(script, [join(root, "cli")]).status).toBe(0);
  expect(readFileSync(join(root, "cli/pulumi"), "utf8")).toContain(`v${version}`);
});

test("the steps after it in a GitHub job find it", () => {
  const script = withChecksum(offer().sha256);
  run(script, [], { GITHUB_PATH: join(root, "path") });
  expect(readFileSync(join(root, "path"), "utf8")).toBe(`${root}/.pulumi/bin\n`);
});

test.each([
  ["an unknown option", ["--fast"], /knows no --fast/],
  ["too many arguments", ["a", "b"], /^error: usage: scripts\/install-pulumi \[DIRECTORY\]$/m],
])("%s is refused in one line", (_, args, reason) => {
  const result = run(SCRIPT, args);
  expect(result).toEqual({ status: 2, stdout: "", stderr: expect.stringMatching(reason) });
});

test("a machine without a checksum is told so", () => {
  put("bin/uname", "#!/bin/sh\necho riscv64\n");
  expect(run(SCRIPT)).toEqual({ status: 1, stdout: "", stderr: expect.stringContaining("riscv64") });
});
