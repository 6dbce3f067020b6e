import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants } from "node:os";

import { PROJECT_DIR, STACKS_DIR, TOKEN_FILE } from "../paths";
import { SERVICE_ZONE } from "../network/addresses";
import { tryRun } from "../network/run";
import { asClient, clientEnvironment } from "./client";
import type { Settings } from "./settings";

export type Engine = "embedded" | "pulumi";

/** The engine to use: the one asked for, or the one that the stack is with already, or the CLI where there is one. */
export async function chooseEngine(asked: "auto" | Engine, stack: string): Promise<Engine> {
  if (asked !== "auto") return asked;
  const file = engineFile(stack);
  if (existsSync(file)) return readFileSync(file, "utf8").trim() as Engine;
  return (await pulumiUsable()) ? "pulumi" : "embedded";
}

/** Remember which engine has a stack, so that its outputs are found. */
export function rememberEngine(stack: string, engine: Engine): void {
  mkdirSync(STACKS_DIR, { recursive: true, mode: 0o700 });
  writeFileSync(engineFile(stack), `${engine}\n`);
}

function engineFile(stack: string): string {
  return join(STACKS_DIR, `${stack}.engine`);
}

const PLUGINS = ["hcloud", "command", "random", "tls"];

async function pulumiUsable(): Promise<boolean> {
  const listed = await tryRun("pulumi", ["plugin", "ls", "--json"], { timeoutMs: 20_000 });
  if (listed === undefined) return false;
  const names = (JSON.parse(listed) as { name: string }[]).map(({ name }) => name);
  return PLUGINS.every((name) => names.includes(name));
}

export interface EngineRequest {
  readonly action: "up" | "preview" | "destroy" | "outputs";
  readonly stack: string;
  readonly engine: Engine;
  readonly config: Settings;
  readonly showSecrets?: boolean;
}

/**
 * Run the engine in a process of its own; resolves with its exit code.
 *
 * @param capture what it prints to standard output comes back instead of being shown
 */
export function runEngine(
  request: EngineRequest,
  capture = false,
): Promise<{ code: number; stdout: string }> {
  const token = existsSync(TOKEN_FILE) ? readFileSync(TOKEN_FILE, "utf8").trim() : "";
  const input = {
    ...request,
    projectDir: PROJECT_DIR,
    stateDir: STACKS_DIR,
    env: { HCLOUD_ENDPOINT: `http://api.${SERVICE_ZONE}/v1`, HCLOUD_TOKEN: token },
  };
  const loader = `file://${join(PROJECT_DIR, "node_modules/tsx/dist/loader.mjs")}`;
  const engine = [process.execPath, "--import", loader, join(PROJECT_DIR, "sandbox/engine/main.ts")];
  // To read outputs there need be no sandbox.
  const inside = request.action !== "outputs";
  const command = inside ? asClient("operator", engine) : engine;
  const lock = Number(process.env.BBB_SANDBOX_LOCK_FD);
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), {
      cwd: PROJECT_DIR,
      env: inside ? clientEnvironment(process.env) : process.env,
      // The engine holds the lock too: it may outlive this process.
      stdio: ["pipe", capture ? "pipe" : "inherit", "inherit", ...(lock > 2 ? [lock] : [])],
    });
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(JSON.stringify(input));
    // A terminal sends these to the engine as well, which ends in good order.
    process.on("SIGINT", () => undefined);
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({
        code: code ?? 128 + (signal ? constants.signals[signal] : 0),
        stdout: Buffer.concat(chunks).toString("utf8"),
      }),
    );
  });
}
