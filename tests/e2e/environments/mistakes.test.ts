import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readSettings } from "../../../sandbox/commands/settings";
import { allInventory } from "../support/clouds";
import { must, outside, PROJECT, sandbox, testUnless, tryUpdate, update } from "../support/sandbox";
import type { Result } from "../support/sandbox";

/** Usual mistakes of operators: each has one clear message, and nothing is made. */

const lines = (text: string) => text.trimEnd().split("\n");

/** Expects one line "error: …" and nothing else. */
function expectOneLine({ code, stdout, stderr }: Result, message: RegExp): void {
  expect(stdout).toBe("");
  expect(lines(stderr)).toEqual([expect.stringMatching(/^error: /)]);
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
}

/** Expects an update refused with one error, whose message begins with that text. */
function expectOneError({ code, stdout, stderr }: Result, message: RegExp): void {
  const output = stdout + stderr;
  expect(lines(output).filter((line) => /^\s*error: /.test(line))).toHaveLength(1);
  expect(output).toMatch(message);
  expect(code).toBe(1);
}

beforeAll(async () => {
  await must(["reset"]);
  // Which starts the sandbox, its AWS included, and makes nothing.
  await update("preview", "embedded", ["--cloud", "aws"]);
});

afterAll(async () => {
  expect(await allInventory()).toEqual({});
});

describe("credentials", () => {
  const directory = mkdtempSync(join(tmpdir(), "e2e-mistakes-"));
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Runs the embedded engine with the sandbox's settings, and with only these credentials. */
  function up(cloud: "hetzner" | "aws", settings: readonly string[], env: Readonly<Record<string, string>>) {
    const request = {
      action: "up",
      stack: "mistaken",
      engine: "embedded",
      projectDir: PROJECT,
      stateDir: directory,
      config: readSettings("mistaken", settings, cloud),
      env,
    };
    const loader = `file://${join(PROJECT, "node_modules/tsx/dist/loader.mjs")}`;
    const engine = [process.execPath, "--import", loader, join(PROJECT, "sandbox/engine/main.ts")];
    return outside(engine, { as: "operator", input: JSON.stringify(request) });
  }

  const HCLOUD_ENDPOINT = "http://api.sandbox.test/v1";
  const AWS_ENDPOINT_URL = "http://aws.sandbox.test";

  for (const [name, settings, env, message] of [
    ["no token", [], {}, /^ *hcloud:token is missing or not accepted: Missing Hetzner Cloud API token$/m],
    ["no token, and records made by hand", ["dns=manual"], {}, /^ *hcloud:token is missing/m],
    ["something else", [], { HCLOUD_TOKEN: "my token" }, /^ *hcloud:token is .*exactly 64 characters/m],
    ["another token", [], { HCLOUD_TOKEN: "x".repeat(64) }, /^ *hcloud:token is .*unable to authenticate/m],
  ] as const) {
    test(`Hetzner: ${name}`, async () => {
      const result = await up("hetzner", settings, { HCLOUD_ENDPOINT, ...env });
      expectOneError(
        result,
        /^ *error: 1 problem in the settings of the stack "mistaken"; nothing was changed/m,
      );
      expect(result.stdout).toMatch(message);
      expect(result.stdout).toContain("→ pulumi config set --secret hcloud:token");
    });
  }

  for (const [name, env] of [
    ["no keys", {}],
    ["another's keys", { AWS_ACCESS_KEY_ID: "AKIAXXXXXXXXXXXXXXXX", AWS_SECRET_ACCESS_KEY: "x".repeat(40) }],
  ] as const) {
    test(`AWS: ${name}`, async () => {
      const result = await up("aws", [], { AWS_ENDPOINT_URL, ...env });
      expectOneError(
        result,
        /^ *error: 1 problem in the settings of the stack "mistaken"; nothing was changed/m,
      );
      expect(result.stdout).toMatch(/^ *AWS credentials are missing or not accepted: /m);
      expect(result.stdout).toContain("→ set AWS_PROFILE, or AWS_ACCESS_KEY_ID");
    });
  }
});

describe("what contradicts prod", () => {
  const CONTRADICTIONS = {
    protect: "false",
    protectRecordings: "false",
    backups: "false",
    acmeServer: "staging",
    sshNetworks: '["0.0.0.0/0"]',
    allowEndOfLife: "true",
    serverType: "cpx42",
    turnServerType: "cx23",
  };

  test("all of it comes at once", async () => {
    const settings = Object.entries(CONTRADICTIONS).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    const result = await tryUpdate("up", "embedded", ["--stack", "prod", ...settings]);
    expectOneError(result, /problems in the settings of the stack "prod"; nothing was changed/);
    const named = [...result.stdout.matchAll(/^ *bigbluebutton:(\w+) /gm)].map(([, key]) => key);
    // And the sandbox's names, for which Let's Encrypt gives nothing.
    expect(named).toEqual(expect.arrayContaining(Object.keys(CONTRADICTIONS)));
  });

  test("staging takes the same", async () => {
    const keys = ["protectRecordings=false", "backups=false", "serverType=cpx42", "turnServerType=cx23"];
    const settings = keys.flatMap((assignment) => ["--set", assignment]);
    await update("preview", "embedded", ["--stack", "staging", ...settings]);
  });
});

describe("a stack that there is not", () => {
  test.each([
    [["outputs", "--stack", "prdo"], /nothing is deployed in stack prdo/],
    [["destroy", "--stack", "prdo"], /nothing is deployed in stack prdo/],
  ])("scripts/sandbox %s", async (args, message) => {
    expectOneLine(await sandbox(args), message);
  });
});

describe("the operator's commands", () => {
  /** Runs without any credentials, and without the CLI. */
  function run(command: string, args: readonly string[]): Result {
    const { status, stdout, stderr } = spawnSync(`./scripts/${command}`, args, {
      cwd: PROJECT,
      encoding: "utf8",
      env: { HOME: directory, LANG: "C.UTF-8", PATH },
      timeout: 120_000,
    });
    return { code: status ?? 137, stdout, stderr };
  }

  const directory = mkdtempSync(join(tmpdir(), "e2e-home-"));
  afterAll(() => rmSync(directory, { recursive: true }));

  const PATH = [join(process.execPath, ".."), "/usr/bin", "/bin", "/usr/sbin", "/sbin"].join(":");
  const withCli = spawnSync("pulumi", ["version"], { env: { PATH } }).status === 0;
  const testWithoutCli = testUnless(
    withCli ? "the pulumi CLI is among this machine's own programs" : undefined,
  );

  for (const [command, args] of [
    ["test-server", ["up"]],
    ["test-server", ["list"]],
    ["test-server", ["reap", "--yes"]],
    ["check", ["staging"]],
  ] as const) {
    testWithoutCli(`${command} ${args.join(" ")}: no CLI; both ways out are named`, () => {
      expectOneLine(run(command, args), /pulumi CLI is not on PATH.*https:.*--sandbox/);
      return Promise.resolve();
    });
  }

  test.each([
    ["test-server", ["up", "--ttl", "soon"], /--ttl soon: /],
    ["test-server", ["up", "--ttl", "0h"], /--ttl 0h: /],
    ["test-server", ["up", "--name", "My_Server"], /My_Server: /],
    ["test-server", ["up", "--set", "domian=x.org"], /--set domian: .*did you mean domain/],
    ["test-server", ["extend", "nosuch", "--sandbox"], /nosuch/],
    ["test-server", ["down", "nosuch", "--yes", "--sandbox"], /nosuch/],
    ["test-server", ["remove"], /remove/],
    ["plan", ["prdo"], /prdo.*there are prod, staging/],
    ["plan", ["--users", "many"], /--users many/],
    ["check", ["prdo", "--sandbox"], /prdo/],
  ] as const)("%s %j", (command, args, message) => {
    expectOneLine(run(command, args), message);
  });
});
