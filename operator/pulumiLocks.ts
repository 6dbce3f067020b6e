/** Locks of stacks in a file or bucket backend: their owners, and their validity. */
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";

/** Lock of a file or bucket backend, by the CLI's message. */
export interface Lock {
  /** Description, e.g. "root@runner-7 (pid 812) since 2026-11-21T08:00:00Z". */
  readonly description: string;
  readonly host: string;
  readonly pid: number;
  readonly since: Date;
}

/**
 * Age of a lock whose owner must have been killed: the jobs of docs/ci end after 4 hours, and no update takes as long.
 */
const LONGEST_UPDATE_MS = 5 * 3_600_000;

export function readLocks(message: string): Lock[] {
  // An error's message has the CLI's output more than once.
  const lines = [...new Set(message.match(/created by \S*@\S+ \(pid \d+\) at \S+/g))];
  return lines.map((line) => {
    const [, who = "", host = "", pid = "", since = ""] =
      /by (\S*@(\S+)) \(pid (\d+)\) at (\S+)/.exec(line) ?? [];
    return {
      description: `${who} (pid ${pid}) since ${since}`,
      host,
      pid: Number(pid),
      since: new Date(since),
    };
  });
}

/**
 * True for the lock of a killed CLI, which would keep a test server for ever.
 *
 * @param owner True when a host's name and a process's number identify the owner.
 */
export function isDead({ host, pid, since }: Lock, now: Date, owner = ownsItsName(process.env)): boolean {
  if (now.getTime() - since.getTime() > LONGEST_UPDATE_MS) return true;
  return owner && host === hostname() && !isRunning(pid);
}

/**
 * True when the host's name is this machine's alone. Containers and CI jobs often share one, and none sees the
 * processes of another.
 */
export function ownsItsName(
  { CI }: Readonly<Record<string, string | undefined>>,
  containerMark = "/.dockerenv",
): boolean {
  return (CI === undefined || CI === "" || CI === "false") && !existsSync(containerMark);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A container often has nobody who would bury its dead.
    const stat = `/proc/${pid}/stat`;
    return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, "utf8"));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
