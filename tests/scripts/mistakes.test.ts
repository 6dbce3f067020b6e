import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const PROJECT = resolve(__dirname, "../..");

let state: string;
beforeEach(() => (state = mkdtempSync(join(tmpdir(), "mistakes-"))));
afterEach(() => rmSync(state, { recursive: true }));

function run(command: string, options: { readonly cwd?: string; readonly path?: string } = {}) {
  const { status, stdout, stderr } = spawnSync("bash", ["-c", command], {
    cwd: options.cwd ?? PROJECT,
    encoding: "utf8",
    env: {
      ...process.env,
      PATH: options.path ?? process.env.PATH,
      BBB_SANDBOX_STATE: state,
      // Whatever needs the set-up would show here.
      BBB_SANDBOX_CACHE: join(state, "cache"),
    },
  });
  return { status, stdout, stderr };
}

test.each([
  ["./scripts/test foo", /no test file of unit e2e has foo in its path: nothing was touched/],
  ["./scripts/test e2e foo", /no test file of e2e has foo in its path/],
  ["./scripts/test unit 20-deployment", /no test file of unit has 20-deployment in its path/],
  ["./scripts/test --foo", /knows no --foo: usage: scripts\/test/],
  ["./scripts/test unit a b", /usage: scripts\/test/],
  ["./scripts/test '('", /\( is no regular expression/],
  ["./scripts/faults --foo", /knows no --foo: usage: scripts\/faults/],
  ["./scripts/faults foo", /no test file of faults has foo in its path/],
  ["./scripts/install-pulumi --foo", /knows no --foo/],
  ["./scripts/install-pulumi a b", /usage: scripts\/install-pulumi/],
  ["node --import tsx scripts/generate-docs.ts --foo", /knows no --foo/],
  ["./scripts/plan --foo", /unknown option '--foo'/],
  ["./scripts/check --foo", /unknown option '--foo'/],
  ["./scripts/test-server --foo", /unknown option '--foo'/],
])("%s: exit code 2 and one line, and nothing was touched", (command, message) => {
  const { status, stdout, stderr } = run(command);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr.trim().split("\n")).toEqual([expect.stringMatching(/^error: /)]);
  expect(existsSync(join(state, "cache"))).toBe(false);
});

test("a pattern that the first of many files matches is a regular expression", () => {
  const find = join(state, "find");
  writeFileSync(find, "#!/bin/sh\nseq -f 'tests/e2e/%g-deployment.test.ts' 100000\n", { mode: 0o755 });
  mkdirSync(join(state, "stacks"));
  writeFileSync(join(state, "stacks/prod.json"), '{"custom":true}');
  const { status, stderr } = run("./scripts/test e2e 1-deployment", { path: `${state}:${process.env.PATH}` });
  expect(status).toBe(2);
  expect(stderr).toMatch(/something deployed \(prod\)/);
});

test.each([
  [
    "embedded",
    "stacks/prod.json",
    { deployment: { resources: [{ custom: true, type: "hcloud:index:Server" }] } },
  ],
  [
    "pulumi",
    "stacks/pulumi/.pulumi/stacks/bigbluebutton/prod.json",
    { checkpoint: { latest: { resources: [{ custom: true, type: "hcloud:index:Server" }] } } },
  ],
])("what is deployed in the sandbox by the %s engine is not reset by tests", (_, file, checkpoint) => {
  const path = join(state, file);
  mkdirSync(resolve(path, ".."), { recursive: true });
  for (const indent of [0, 4]) {
    writeFileSync(path, JSON.stringify(checkpoint, undefined, indent));
    for (const command of ["./scripts/test", "./scripts/test e2e 10-refusals", "./scripts/faults turn"]) {
      const { status, stderr } = run(command);
      expect(status).toBe(2);
      expect(stderr).toMatch(/something deployed \(prod\).*scripts\/test --reset/);
    }
  }
  expect(existsSync(path)).toBe(true);
});

test("what the tests themselves left there, cut off, does not stop the next run of them", () => {
  // The set-up refuses another system, after the question what is deployed.
  writeFileSync(join(state, "uname"), "#!/bin/sh\necho Darwin\n", { mode: 0o755 });
  mkdirSync(join(state, "stacks"));
  for (const stack of ["prod", "staging"])
    writeFileSync(join(state, `stacks/${stack}.json`), '{"custom":true}');
  const outcome = (left: string) => {
    writeFileSync(join(state, `stacks/${left}.tests`), "");
    return run("./scripts/test e2e 10-refusals", { path: `${state}:${process.env.PATH}` }).stderr;
  };
  expect(outcome("prod")).toMatch(/something deployed \(staging\)/);
  expect(outcome("staging")).toMatch(/needs Linux/);
});

describe("help needs no more than is there", () => {
  let bare: string;
  beforeEach(() => {
    bare = join(state, "checkout");
    mkdirSync(bare);
    cpSync(join(PROJECT, "scripts"), join(bare, "scripts"), { recursive: true });
  });

  test.each(["sandbox", "test", "faults", "benchmark", "plan", "check", "test-server", "install-pulumi"])(
    "scripts/%s --help, on a machine without Node.js",
    (name) => {
      const bin = join(state, "bin");
      mkdirSync(bin);
      run(`for tool in bash sed dirname cat; do ln -s "$(command -v $tool)" ${bin}/; done`);
      const { status, stdout } = run(`./scripts/${name} --help`, { cwd: bare, path: bin });
      expect(status).toBe(0);
      expect(stdout).toMatch(new RegExp(`scripts/${name}`));
      expect(existsSync(join(state, "cache"))).toBe(false);
    },
  );

  test("where the packages are, the sandbox tells each command's options", () => {
    for (const command of ["--help", "help up", "up --help"]) {
      const { status, stdout } = run(`./scripts/sandbox ${command}`);
      expect({ status, command, stdout }).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/^Usage: /) as string,
      });
    }
  });
});
