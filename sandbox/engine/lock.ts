/** One update of a stack at a time: a file with the process that holds it, void once that process is gone. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Holder {
  readonly pid: number;
  /** The kernel's start time of the process, which tells it from a later one with the same id. */
  readonly started: string;
  readonly since: string;
}

/** When the kernel started the process; undefined where it is gone, or dead and only not yet reaped. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

/** Another update of the stack holds its lock. */
export class Locked extends Error {}

function fileOf(stateDir: string, stack: string): string {
  return join(stateDir, "locks", `${stack}.json`);
}

/** Whether an update of the stack is running. */
export function isLocked(stateDir: string, stack: string): boolean {
  const holder = readHolder(fileOf(stateDir, stack));
  return holder !== undefined && startTime(holder.pid) === holder.started;
}

/** Take the lock. Returns what gives it back. @throws Locked: one line that says who has it */
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
