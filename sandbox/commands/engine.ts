import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { constants } from "node:os";

import { readJson } from "../hosts/files";
import { SERVICE_ZONE } from "../network/addresses";
import { tryRun } from "../network/run";
import { AWS_CREDENTIALS_FILE, PROJECT_DIR, STACKS_DIR, TOKEN_FILE } from "../paths";
import { asClient, clientEnvironment } from "./client";
import { Mistake } from "../../cli/mistake";
import type { Settings } from "./settings";
import { engineOf, type Engine } from "./stacks";

/**
 * Chooses the engine: the one asked for, else the one that already has the stack, else the CLI where it is installed.
 *
 * @param plugins Names of the CLI's plugins; undefined without a CLI.
 * @throws Mistake when another engine has the stack, or the CLI lacks what AWS needs
 */
export async function chooseEngine(
  asked: "auto" | Engine,
  stack: string,
  { aws }: { readonly aws: boolean },
  plugins: () => Promise<readonly string[] | undefined> = pulumiPlugins,
): Promise<Engine> {
  const holder = engineOf(stack);
  if (holder !== undefined && asked !== "auto" && asked !== holder) {
    throw new Mistake(
      `stack ${stack} was brought up by the ${holder} engine, of which the ${asked} one knows nothing: ` +
        `use --engine ${holder}, or destroy the stack by it first`,
    );
  }
  const engine = asked === "auto" ? (holder ?? usualEngine(await plugins(), aws)) : asked;
  if (engine === "pulumi" && aws && (await plugins())?.includes("aws") === false) {
    throw new Mistake(
      "the pulumi CLI has no plugin aws, which can't be had here: AWS is served by --engine embedded",
    );
  }
  return engine;
}

function usualEngine(installed: readonly string[] | undefined, aws: boolean): Engine {
  const needed = ["hcloud", "command", "random", "tls", ...(aws ? ["aws"] : [])];
  return needed.every((name) => installed?.includes(name)) ? "pulumi" : "embedded";
}

async function pulumiPlugins(): Promise<string[] | undefined> {
  const listed = await tryRun("pulumi", ["plugin", "ls", "--json"], { timeoutMs: 20_000 });
  return listed === undefined
    ? undefined
    : (JSON.parse(listed) as { name: string }[]).map(({ name }) => name);
}

export interface EngineRequest {
  readonly action: "up" | "preview" | "refresh" | "destroy" | "outputs";
  readonly stack: string;
  readonly engine: Engine;
  readonly config: Settings;
  /** Logical names of resources to replace without a change. */
  readonly replace?: readonly string[];
  /** Continues what a killed update began. @default true */
  readonly adopt?: boolean;
  readonly showSecrets?: boolean;
  /** Folder of Pulumi.yaml. @default this project's */
  readonly projectDir?: string;
  /** File for each operation of the embedded engine as it ends: one JSON object a line. */
  readonly timeline?: string;
}

/**
 * Runs the engine in a process of its own; resolves with its exit code.
 *
 * @param capture Returns the process's standard output instead of showing it.
 */
export function runEngine(
  request: EngineRequest,
  capture = false,
): Promise<{ code: number; stdout: string }> {
  const input = { projectDir: PROJECT_DIR, ...request, stateDir: STACKS_DIR, env: cloudEnvironment() };
  const loader = `file://${join(PROJECT_DIR, "node_modules/tsx/dist/loader.mjs")}`;
  const engine = [process.execPath, "--import", loader, join(PROJECT_DIR, "sandbox/engine/main.ts")];
  // To read outputs there need be no sandbox.
  const inside = request.action !== "outputs";
  const command = inside ? asClient("operator", engine) : engine;
  const lock = Number(process.env.BBB_SANDBOX_LOCK_FD);
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), {
      cwd: PROJECT_DIR,
      env: withoutCloudCredentials(inside ? clientEnvironment(process.env) : process.env),
      // The engine holds the lock too: it may outlive this process.
      stdio: ["pipe", capture ? "pipe" : "inherit", "inherit", ...(lock > 2 ? [lock] : [])],
    });
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(JSON.stringify(input));
    // A terminal sends these to the engine as well, which ends in good order.
    const ignore = () => undefined;
    const forward = () => child.kill("SIGTERM");
    process.on("SIGINT", ignore);
    process.on("SIGTERM", forward);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", ignore);
      process.off("SIGTERM", forward);
      resolve({
        code: code ?? 128 + (signal ? constants.signals[signal] : 0),
        stdout: Buffer.concat(chunks).toString("utf8"),
      });
    });
  });
}

/** Endpoints and credentials of the emulated clouds, as the real providers read them. */
export function cloudEnvironment(): Record<string, string> {
  const token = existsSync(TOKEN_FILE) ? readFileSync(TOKEN_FILE, "utf8").trim() : "";
  const account = readJson<{ accessKeyId: string; secretAccessKey: string }>(AWS_CREDENTIALS_FILE);
  return {
    HCLOUD_ENDPOINT: `http://api.${SERVICE_ZONE}/v1`,
    HETZNER_ENDPOINT: `http://api.${SERVICE_ZONE}/v1`,
    HCLOUD_TOKEN: token,
    ...(account && {
      AWS_ENDPOINT_URL: `http://aws.${SERVICE_ZONE}`,
      AWS_ACCESS_KEY_ID: account.accessKeyId,
      AWS_SECRET_ACCESS_KEY: account.secretAccessKey,
    }),
  };
}

/** Removes the user's own accounts from an environment: AWS_PROFILE, for example, would override an access key. */
export function withoutCloudCredentials(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([key]) => !/^(AWS|HCLOUD|HETZNER)_/.test(key)),
  );
}
