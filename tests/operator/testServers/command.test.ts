import { spawnSync } from "node:child_process";
import { join } from "node:path";

const ROOT = join(__dirname, "../../..");

/** Runs scripts/test-server without the CLI and without credentials. */
function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(join(ROOT, "scripts/test-server"), args, {
    cwd: "/",
    encoding: "utf8",
    env: { PATH: [join(process.execPath, ".."), "/usr/bin", "/bin"].join(":"), HOME: "/nowhere" },
  });
  return { status, stdout, stderr };
}

test.each([
  [["up", "--ttl", "1m", "--json"], "--ttl 1m: too short"],
  [["up", "--like", "nobody"], "there is no Pulumi.nobody.yaml"],
  [["extend"], "missing required argument 'name'"],
  [["reap", "--remove"], "--remove is for orphans: add --orphans"],
  [["remove"], "unknown command 'remove'"],
])("%j is refused in one line, with exit code 2", (args, message) => {
  const { status, stdout, stderr } = run(...args);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^error: [^\n]*\n$/);
  expect(stderr).toContain(message);
  expect(status).toBe(2);
});

test("help is on standard output, and no mistake", () => {
  const { status, stdout } = run("reap", "--help");
  expect(status).toBe(0);
  expect(stdout).toContain("--orphans");
  expect(stdout).toContain("--sandbox");
});
