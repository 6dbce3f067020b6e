import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { resolve } from "node:path";

/** The sandbox from its user's side: by ./scripts/sandbox and nothing else. */

export const PROJECT = resolve(__dirname, "../../..");
export const TOOLS = resolve(PROJECT, "tests/tools");
/** Python with tests/requirements.txt, as scripts/test sets it up. */
export const PYTHON = process.env.BBB_PYTHON ?? "/var/cache/bbb-sandbox/venv/bin/python";

/** Names of both servers, in the zone at the deployment's DNS service. */
export interface Names {
  readonly bbb: string;
  readonly turn: string;
}

export const IN_HETZNER_DNS: Names = { bbb: "bbb.example.test", turn: "turn.example.test" };

/** Names of the stacks with a settings file, in the sandbox's zone. */
export const OF_STAGING: Names = { bbb: "bbb-staging.example.test", turn: "turn-staging.example.test" };
export const OF_PROD: Names = IN_HETZNER_DNS;

export const IN_ROUTE53: Names = { bbb: "bbb.example-aws.test", turn: "turn.example-aws.test" };

export type Engine = "embedded" | "pulumi";

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Buffer;
  /** @default 600 */
  readonly timeoutSeconds?: number;
}

/** Output of all updates in this test file, for the search for secrets. */
export const printed: string[] = [];

/** Starts `./scripts/sandbox ARGS…` as the leader of a process group of its own, with a test's own environment. */
export function start(args: readonly string[]): ChildProcess {
  // Jest's is a copy, which spawn would not take by itself.
  return spawn("./scripts/sandbox", args, { cwd: PROJECT, env: process.env, stdio: "pipe", detached: true });
}

/** Kills a started command and all processes of its group. */
export function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    process.kill(-child.pid, "SIGKILL");
  }
}

/** Runs `./scripts/sandbox ARGS…` to its end. */
export async function sandbox(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const child = start(args);
  const timer = setTimeout(() => killGroup(child), (options.timeoutSeconds ?? 600) * 1000);
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout?.on("data", (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.stderr.push(chunk));
  child.stdin?.on("error", () => undefined); // a command need not read its input
  child.stdin?.end(options.input ?? "");
  const code = await new Promise<number>((done, failed) => {
    child.on("error", failed);
    child.on("close", (exitCode) => done(exitCode ?? 137));
  }).finally(() => clearTimeout(timer));
  return {
    code,
    stdout: Buffer.concat(chunks.stdout).toString(),
    stderr: Buffer.concat(chunks.stderr).toString(),
  };
}

/** Runs it; throws for any exit code but 0, with the whole output. */
export async function must(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await sandbox(args, options);
  if (result.code !== 0) {
    throw new Error(
      `scripts/sandbox ${args.join(" ")}: exit code ${result.code}\n${result.stdout}${result.stderr}`,
    );
  }
  return result.stdout;
}

/** Runs a command as root on the host of that name. */
export function onHost(fqdn: string, command: readonly string[], options: RunOptions = {}): Promise<string> {
  return must(["exec", "--at", fqdn, "--", ...command], { timeoutSeconds: 120, ...options });
}

/** Runs a command as an outside client. */
export function outside(
  command: readonly string[],
  options: RunOptions & { readonly as?: "internet" | "operator" } = {},
): Promise<Result> {
  const { as, ...rest } = options;
  return sandbox(["exec", ...(as ? ["--as", as] : []), "--", ...command], { timeoutSeconds: 120, ...rest });
}

/** Runs one of tests/tools in an outside client, JSON in and JSON out. */
export async function tool<T>(
  name: string,
  input: unknown,
  options: { readonly as?: "internet" | "operator"; readonly timeoutSeconds?: number } = {},
): Promise<T> {
  const result = await outside([PYTHON, `${TOOLS}/${name}.py`], { ...options, input: JSON.stringify(input) });
  if (result.code !== 0) throw new Error(`${name}.py: exit code ${result.code}\n${result.stderr}`);
  return JSON.parse(result.stdout) as T;
}

/** Starts `./scripts/sandbox exec ARGS…`; resolves when it has printed a line. It runs until its input is ended. */
export async function startTool(
  args: readonly string[],
  until: string,
  input = "",
): Promise<{ stop<T>(): Promise<T> }> {
  const child = start(["exec", ...args]);
  let output = "";
  let errors = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin?.on("error", () => undefined);
  child.stdin?.write(input);
  const ended = new Promise<void>((done) => child.on("close", () => done()));
  const deadline = Date.now() + 30_000;
  while (!output.includes(`${until}\n`)) {
    if (Date.now() > deadline || child.exitCode !== null) {
      killGroup(child);
      throw new Error(`exec ${args.slice(0, 4).join(" ")} did not start: ${errors}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  return {
    async stop<T>() {
      child.stdin?.end();
      await ended;
      return JSON.parse(output.slice(output.indexOf(`${until}\n`) + until.length + 1)) as T;
    },
  };
}

export interface Update extends Result {
  /** Counts of the summary at the end of an update: { created: 31, unchanged: 2, … }. */
  readonly summary: Readonly<Record<string, number>>;
}

/** Runs an up, preview or destroy that may fail. */
export async function tryUpdate(
  action: "up" | "preview" | "destroy",
  engine: Engine,
  args: readonly string[] = [],
): Promise<Update> {
  const result = await sandbox([action, "--engine", engine, ...args]);
  printed.push(result.stdout, result.stderr);
  return { ...result, summary: summaryOf(result.stdout) };
}

/** Runs an up, preview or destroy that must succeed. */
export async function update(
  action: "up" | "preview" | "destroy",
  engine: Engine,
  args: readonly string[] = [],
): Promise<Update> {
  const result = await tryUpdate(action, engine, args);
  if (result.code !== 0) {
    throw new Error(`${action} ended with exit code ${result.code}\n${result.stdout}\n${result.stderr}`);
  }
  return result;
}

/** Counts of the summary, an update's last output; a preview's "31 to create" counts as created. */
function summaryOf(output: string): Record<string, number> {
  const last = output.split("\n").slice(-30).join("\n");
  const counts = last.matchAll(/(\d+) (to create|to update|to replace|to delete|[a-z]+)\b/g);
  const known = ["created", "updated", "replaced", "deleted", "unchanged", "same"];
  return Object.fromEntries(
    [...counts]
      .map(([, count, what = ""]) => [what.replace(/^to (.*?)e?$/, "$1ed"), Number(count)] as const)
      .filter(([what]) => known.includes(what)),
  );
}

export interface Addresses {
  readonly ipv4: string;
  /** IPv6 address, which every host has except in a subnet of EC2 without IPv6. */
  readonly ipv6: string;
}

export interface Outputs {
  readonly url: string;
  readonly apiUrl: string;
  readonly sharedSecret: string;
  readonly turnUrls: string[];
  readonly turnSecret: string;
  readonly addresses: Record<"bbb" | "turn", Addresses>;
  readonly sshCommand: string | Record<"bbb" | "turn", string>;
  readonly privateKey: string;
  readonly certificates: Record<string, { readonly validUntil: string; readonly issuedBy: string }>;
  readonly release: string;
}

export async function outputs(args: readonly string[] = []): Promise<Outputs> {
  return JSON.parse(await must(["outputs", "--json", "--show-secrets", ...args])) as Outputs;
}

const PLUGINS = ["command", "hcloud", "random", "tls"];

/** Reason why an engine cannot be tested on this machine, or undefined. */
export function engineMissing(engine: Engine): string | undefined {
  if (engine === "embedded") return undefined;
  const listed = spawnSync("pulumi", ["plugin", "ls", "--json"], { encoding: "utf8" });
  if (listed.status !== 0) return "the pulumi CLI is not on PATH";
  const names = (JSON.parse(listed.stdout) as { name: string }[]).map(({ name }) => name);
  const missing = PLUGINS.filter((name) => !names.includes(name));
  return missing.length > 0 ? `the pulumi CLI has no plugin ${missing.join(", ")}` : undefined;
}

/** Returns a test, or one that is reported as skipped with the reason. */
export function testUnless(reason: string | undefined): (name: string, body: () => Promise<void>) => void {
  return (name, body) => {
    if (reason === undefined) test(name, body);
    else test.skip(`${name} (${reason})`, body);
  };
}

jest.setTimeout(15 * 60 * 1000);
