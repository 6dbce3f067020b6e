import { spawnSync } from "node:child_process";
import { join } from "node:path";

const ROOT = join(__dirname, "../../..");

/** Runs scripts/backup without the CLI and without credentials. */
function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(join(ROOT, "scripts/backup"), args, {
    cwd: "/",
    encoding: "utf8",
    env: { PATH: [join(process.execPath, ".."), "/usr/bin", "/bin"].join(":"), HOME: "/nowhere" },
  });
  return { status, stdout, stderr };
}

test.each([
  [["drill"], "missing required argument 'stack'"],
  [["drill", "prod", "--ttl", "1m"], "--ttl 1m: too short"],
  [["drill", "prod", "--like", "nobody"], "there is no Pulumi.nobody.yaml"],
  [["drill", "prod", "--program", "../schools"], "add --like, with one whose domain and place it takes"],
  [["drill", "prod", "--set", "nonsense=1"], "nonsense"],
  [["verify", "prod", "--read", "0"], "0 is no percentage from 1 to 100"],
])("%j is refused in one line, with exit code 2", (args, message) => {
  const { status, stdout, stderr } = run(...args);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^error: [^\n]*\n$/);
  expect(stderr).toContain(message);
  expect(status).toBe(2);
});
