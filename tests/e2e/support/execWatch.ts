import { spawn, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { TOOLS } from "./sandbox";
import { found, type Secret } from "./secrets";

const WATCHER = join(TOOLS, "exec_watch.py");

/** Program that was started on this machine or on a host. */
export interface Exec {
  readonly pid: number;
  readonly argv: readonly string[];
  /** Variables, "NAME=value" each. */
  readonly env: readonly string[];
}

/** Lines "secret in the environment of COMMAND", for each secret that a program was started with. */
export function foundInExecs(secrets: readonly Secret[], execs: readonly Exec[]): string[] {
  return execs.flatMap(({ argv, env }) =>
    [
      ...found(secrets, argv.join(" ")).map((name) => `${name} in the arguments of`),
      ...found(secrets, env.join("\n")).map((name) => `${name} in the environment of`),
    ].map((what) => `${what} ${argv.join(" ").slice(0, 300)}`),
  );
}

/** Reason why this machine's kernel cannot be watched, or undefined. */
export function watchMissing(): string | undefined {
  const { stdout } = spawnSync("/usr/bin/python3", [WATCHER], { input: "", encoding: "utf8" });
  const first = JSON.parse(stdout.split("\n")[0] ?? "{}") as { unsupported?: string };
  return first.unsupported;
}

/** Watches every start of a program until `stop`, which returns them. */
export async function watchExecs(): Promise<{ stop(): Promise<Exec[]> }> {
  const directory = mkdtempSync(join(tmpdir(), "exec-watch-"));
  const log = join(directory, "log");
  const file = openSync(log, "w");
  const watcher = spawn("/usr/bin/python3", [WATCHER], { stdio: ["pipe", file, "inherit"] });
  closeSync(file);
  const ended = new Promise<void>((done) => watcher.on("close", () => done()));
  const read = () => readFileSync(log, "utf8").split("\n").filter(Boolean);
  while (read().length === 0) {
    if (watcher.exitCode !== null) throw new Error(`exec_watch.py ended with ${watcher.exitCode}`);
    await new Promise((done) => setTimeout(done, 50));
  }
  return {
    async stop() {
      watcher.stdin?.end();
      await ended;
      const lines = read().map((line) => JSON.parse(line) as Partial<Exec> & { lost?: number });
      rmSync(directory, { recursive: true });
      const lost = lines.at(-1)?.lost;
      if (lost !== 0) throw new Error(`exec_watch.py missed ${lost ?? "an unknown number of"} programs`);
      return lines.filter((line): line is Exec => line.argv !== undefined);
    },
  };
}
