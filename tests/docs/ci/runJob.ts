/** Runs the commands of a CI example's job as its runner would, in the sandbox. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { PROJECT, type Job } from "./jobs";

/** Lines that are left out, with the reason. */
export const NOT_RUN: Readonly<Record<string, string>> = {
  'sudo env "PATH=$PATH" ./scripts/test unit': "it is scripts/test itself that runs this",
  "./scripts/test unit": "it is scripts/test itself that runs this",
  "./scripts/backup prune prod": "no backup is made here; tests/scripts/host/backup has it",
  "./scripts/backup drill prod --like test": "no backup is made here; tests/e2e/faults/drill has it",
  "./scripts/image bake": "takes as long as all the rest; tests/e2e/environments/image has it",
  "./scripts/upstream": "reads from outside; tests/operator/upstream has it",
  "npm ci --omit=dev --ignore-scripts": "the set-up has done so, from the same lock file",
  "./scripts/install-pulumi": "fetches from outside; tests/scripts/install-pulumi.test.ts has it",
  'export PATH="$HOME/.pulumi/bin:$PATH"': "would put the CLI's place before the sandbox's",
  'cd "$(mktemp -d)"': "belongs to the clone",
  [`git -c credential.helper="!f() { echo username=gitlab-ci-token; echo password=\\$CI_JOB_TOKEN; }; f" clone --depth 1 "$CI_PROJECT_URL.git" .`]:
    "fetches from outside",
};

/** The settings files' own domain and e-mail are examples, which Let's Encrypt refuses but another authority does not. */
const AUTHORITY = "--set acmeServer=https://acme.example.org/directory";

/** Text to run here: commands that reach for a cloud are directed to the sandbox's. */
export function inSandbox(text: string): string {
  return text
    .split("\n")
    .filter((line) => !(line in NOT_RUN))
    .map((line) => line.replace(/^\.\/scripts\/(check|(?:test-server|image) [a-z]+)\b/, "$& --sandbox"))
    .map((line) => line.replace(/^\.\/scripts\/plan\b/, `$& ${AUTHORITY}`))
    .join("\n");
}

/**
 * Replaces a workflow's expressions by their values in this run; an unset secret or variable is the empty text, as at
 * GitHub.
 */
export function evaluated(value: string, values: Readonly<Record<string, string>>): string {
  return value.replace(/\$\{\{ ([\w.-]+) \}\}/g, (_, expression: string) => {
    if (/^(secrets|vars)\./.test(expression)) return "";
    const found = values[expression];
    if (found === undefined) throw new Error(`nothing is known of the expression ${expression}`);
    return found;
  });
}

export interface JobResult {
  readonly code: number;
  /** Standard output and error as they came. */
  readonly output: string;
  /** Values that the job gave to its system: GITHUB_OUTPUT or the dotenv report, by key. */
  readonly reported: Readonly<Record<string, string>>;
}

/**
 * Runs a job's scripts one after the other until one fails.
 *
 * @param values Expressions (GitHub) or variables (GitLab) that the system would know.
 */
export async function runJob(job: Job, values: Readonly<Record<string, string>>): Promise<JobResult> {
  const place = mkdtempSync(join(tmpdir(), "ci-job-"));
  try {
    const shims = join(place, "bin");
    const report = join(place, "output");
    writeFileSync(report, "");
    symlinkSync(join(PROJECT, "tests/docs/ci/bin"), shims);
    let output = "";
    for (const { text, env } of job.scripts) {
      const known = Object.entries(env).map(([key, value]) => [key, evaluated(value, values)]);
      const result = await bash(inSandbox(text), {
        ...process.env,
        PATH: `${shims}${delimiter}${process.env.PATH}`,
        ...(job.system === "github" ? { GITHUB_OUTPUT: report, RUNNER_TEMP: place } : values),
        ...Object.fromEntries(known),
      });
      output += result.output;
      if (result.code !== 0) return { code: result.code, output, reported: {} };
    }
    const dotenv = join(PROJECT, "server.env");
    return { code: 0, output, reported: pairs(readFileSync(report, "utf8") || read(dotenv)) };
  } finally {
    for (const path of [place, join(PROJECT, "server.json"), join(PROJECT, "server.env")]) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

const pairs = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, key, value]) => [key!, value!]));

/** Starts a script the same way as both systems. */
function bash(text: string, env: NodeJS.ProcessEnv): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", text], {
      cwd: PROJECT,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 137, output: Buffer.concat(chunks).toString() }));
  });
}
