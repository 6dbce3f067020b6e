import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { LOG_DIR, PROCESSES_DIR } from "../paths";
import { readJson, writeJson } from "./files";

/** Longest life of a process of the sandbox, even if nobody ends it. */
const LIFETIME_SECONDS = 24 * 3600;

/** A process that outlives the command that started it, and leads a process group of its own. */
export interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  /** In clock ticks since the machine's boot; tells the process from a later one with its number. */
  readonly startTime: string;
}

const recordFile = (name: string): string => join(PROCESSES_DIR, `${name}.json`);

/** Fields of /proc/PID/stat after the command name; undefined for a process that doesn't exist or is dead. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields;
  } catch {
    return undefined;
  }
}

/** Start time of a process in /proc/PID/stat; undefined for a process that doesn't exist. */
export function startTime(pid: number): string | undefined {
  return statFields(pid)?.[19];
}

export function isAlive(record: ProcessRecord | undefined): record is ProcessRecord {
  return record !== undefined && startTime(record.pid) === record.startTime;
}

export function readProcess(name: string): ProcessRecord | undefined {
  return readJson<ProcessRecord>(recordFile(name));
}

/** All recorded processes, ended ones included. */
export function listProcesses(): ProcessRecord[] {
  if (!existsSync(PROCESSES_DIR)) return [];
  return readdirSync(PROCESSES_DIR)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .flatMap((file) => readJson<ProcessRecord>(join(PROCESSES_DIR, file)) ?? []);
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Path of a recorded process's output. */
export function logFile(name: string): string {
  return join(LOG_DIR, `${name}.log`);
}

/** Starts a process of bounded life in the background and records it, unless it runs already. */
export function startProcess(
  name: string,
  command: readonly string[],
  options: StartOptions = {},
): ProcessRecord {
  const running = readProcess(name);
  if (isAlive(running)) return running;
  mkdirSync(LOG_DIR, { recursive: true });
  const log = openSync(logFile(name), "a");
  const child = spawn("timeout", ["--kill-after=30", String(LIFETIME_SECONDS), ...command], {
    cwd: options.cwd ?? "/",
    env: options.env ?? process.env,
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.on("error", () => undefined);
  child.unref();
  const started = child.pid === undefined ? undefined : startTime(child.pid);
  if (child.pid === undefined || started === undefined)
    throw new Error(`${name}: ${command[0]} could not be started`);
  const record = { name, pid: child.pid, startTime: started };
  writeJson(recordFile(name), record);
  return record;
}

/** Ends a recorded process and its group; resolves when it has ended. */
export async function stopProcess(name: string, graceMs = 3000): Promise<void> {
  const record = readProcess(name);
  if (isAlive(record)) {
    signal(-record.pid, "SIGTERM");
    if (!(await waitUntil(() => !isAlive(record), graceMs))) {
      signal(-record.pid, "SIGKILL");
      if (!(await waitUntil(() => !isAlive(record), 5000)))
        throw new Error(`process ${record.pid} (${name}) does not end`);
    }
  }
  rmSync(recordFile(name), { force: true });
}

/** Other processes that live in some network namespaces. @param namespaces Inodes of these. */
export function processesIn(namespaces: ReadonlySet<number>): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && startTime(pid) !== undefined && namespaces.has(namespaceOf(pid)));
}

function namespaceOf(pid: number): number {
  try {
    return statSync(`/proc/${pid}/ns/net`).ino;
  } catch {
    return -1;
  }
}

/**
 * Ends processes, those that do not end of themselves by force.
 *
 * @param living Returns those that are left.
 * @returns false if some stay
 */
export async function endAll(living: () => readonly number[]): Promise<boolean> {
  for (const name of ["SIGTERM", "SIGKILL"] as const) {
    for (const pid of living()) signal(pid, name);
    if (await waitUntil(() => living().length === 0, 3000)) return true;
  }
  return false;
}

/** Signals a process, or a whole group by its negative number; one that has ended is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in the meantime.
  }
}

/** Polls a condition; resolves to false at the time limit. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 200)) {
    if (await condition()) return true;
    if (Date.now() >= end) return false;
    await sleep(pause);
  }
}

/** Direct children of a process. */
export function children(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
        .trim()
        .split(" ")
        .filter(Boolean)
        .map(Number),
    );
  } catch {
    return [];
  }
}

/** Init of a process namespace below this process; undefined while it doesn't exist. */
export function findInit(pid: number): number | undefined {
  for (const child of children(pid)) {
    if (isInit(child)) return child;
    const found = findInit(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isInit(pid: number): boolean {
  try {
    const line = /^NSpid:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    const ids = line?.[1]?.split(/\s+/) ?? [];
    return ids.length > 1 && ids.at(-1) === "1";
  } catch {
    return false;
  }
}
