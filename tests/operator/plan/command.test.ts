import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Plan } from "../../../operator/plan/document";
import { token, useProject } from "../../sandbox/hetzner/harness";

const PROJECT = join(__dirname, "../../..");
const PLAN = join(PROJECT, "scripts/plan");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it from another folder, with nothing of this process's environment but the way to its tools. */
function run(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const path = [join(process.execPath, ".."), process.env.PATH].join(":");
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: tmpdir(), env: { PATH: path, ...env } });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

const own = ["--set", "email=a@school.org"];

const project = useProject();

test("a stack's plan as one JSON document, with the price of the list that the token opens", async () => {
  const env = { HCLOUD_TOKEN: token, HCLOUD_ENDPOINT: `${await project().url()}/v1` };
  const { code, stdout, stderr } = await run(PLAN, ["prod", ...own, "--json", "--users", "200"], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const plan = JSON.parse(stdout) as Plan;
  expect(plan).toMatchObject({
    ...{ project: "bigbluebutton", stack: "prod", problems: [], standIns: [] },
    deployment: { resourceCount: 46, prices: [{ cloud: "hetzner", asked: true, currency: "EUR" }] },
  });
  const calls = project().log() as { method: string }[];
  expect(calls.length).toBeGreaterThan(0);
  expect(calls.every(({ method }) => method === "GET")).toBe(true);
});

test("without credentials, a problem and its remedy on the page; no price is asked", async () => {
  const { code, stdout, stderr } = await run(PLAN, ["prod", "--set", "email=nobody", "--set", "dns=manual"]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
  expect(stdout).toContain('bigbluebutton:email "nobody" is not an e-mail address');
  expect(stdout).toMatch(/Today's: not\s+asked \(no HCLOUD_TOKEN\)/);
  expect(stdout).toMatch(/Published prices of 2026-06-15/);
});

test.each([
  ["prod --set domain", "error: --set domain: give KEY=VALUE, with a key of Pulumi.yaml"],
  ["prod --set domian=x.org", "error: --set domian: no such setting; did you mean domain?"],
  ["prod --users many", "error: --users many: give a number of people, 1 or more"],
  ["prod --colour", "error: unknown option '--colour'"],
])("%s is a mistake, told in one line", async (args, line) => {
  const { code, stdout, stderr } = await run(PLAN, args.split(" "));
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: `${line}\n` });
});

test("an unknown stack is one, too, with the stacks that there are", async () => {
  const { code, stdout, stderr } = await run(PLAN, ["pord"]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^error: stack pord: there is no Pulumi\.pord\.yaml; there are .*prod.*\n$/);
});

describe("where something is missing on the machine", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "plan-"));
    mkdirSync(join(folder, "bin"));
    for (const tool of ["bash", "dirname", "env"]) symlinkSync(`/usr/bin/${tool}`, join(folder, "bin", tool));
    for (const file of ["plan", "lib/operator.sh"]) {
      cpSync(join(PROJECT, "scripts", file), join(folder, "scripts", file));
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const plan = () => run(join(folder, "scripts/plan"), [], { PATH: join(folder, "bin") });

  test("Node.js", async () => {
    const stderr = "error: Node.js is missing: install version 22 or newer\n";
    expect(await plan()).toEqual({ code: 2, stdout: "", stderr });
  });

  test("the npm packages", async () => {
    symlinkSync(process.execPath, join(folder, "bin/node"));
    const stderr = `error: the npm packages are missing: run npm ci in ${folder}\n`;
    expect(await plan()).toEqual({ code: 2, stdout: "", stderr });
  });
});
