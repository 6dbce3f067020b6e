/** Lock for one update of a stack at a time: a file with the process that holds it, void when that process ends. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Holder {
  readonly pid: number;
  /** The kernel's start time of the process, which tells it from a later one with the same id. */
  readonly started: string;
  readonly since: string;
}

/** Kernel's start time of a process; undefined for one that ended, even if it is not reaped yet. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

/** Error for a stack whose lock another update holds. */
export class Locked extends Error {}

function fileOf(stateDir: string, stack: string): string {
  return join(stateDir, "locks", `${stack}.json`);
}

/** True while an update of the stack runs. */
export function isLocked(stateDir: string, stack: string): boolean {
  const holder = readHolder(fileOf(stateDir, stack));
  return holder !== undefined && startTime(holder.pid) === holder.started;
}

/** Takes the lock and returns a function that releases it. @throws Locked: one line that names the holder */
export function lock(stateDir: string, stack: string): () => void {
  const file = fileOf(stateDir, stack);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const mine: Holder = {
    pid: process.pid,
    started: startTime(process.pid) ?? "",
    since: new Date().toISOString(),
  };
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, JSON.stringify(mine), { flag: "wx", mode: 0o600 });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt > 2) throw error;
    }
    const holder = readHolder(file);
    if (holder !== undefined && startTime(holder.pid) === holder.started) {
      throw new Locked(
        `another update of stack ${stack} is running (process ${holder.pid}, since ${holder.since}): ` +
          "wait for it to end, then try again",
      );
    }
    rmSync(file, { force: true });
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}
