/** The locks of stacks in a file or bucket backend: whose they are, and whether they still hold anything. */
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";

/** A lock of a file or bucket backend, as the CLI tells of it. */
export interface Lock {
  /** "root@runner-7 (pid 812) since 2026-11-21T08:00:00Z" */
  readonly told: string;
  readonly host: string;
  readonly pid: number;
  readonly since: Date;
}

/** Whose lock is older has been killed: the jobs of docs/ci are ended after 4 hours, and no update takes as long. */
const LONGEST_UPDATE_MS = 5 * 3_600_000;

export function readLocks(message: string): Lock[] {
  // An error's message has the CLI's output more than once.
  const lines = [...new Set(message.match(/created by \S*@\S+ \(pid \d+\) at \S+/g))];
  return lines.map((line) => {
    const [, who = "", host = "", pid = "", since = ""] =
      /by (\S*@(\S+)) \(pid (\d+)\) at (\S+)/.exec(line) ?? [];
    return { told: `${who} (pid ${pid}) since ${since}`, host, pid: Number(pid), since: new Date(since) };
  });
}

/**
 * A killed CLI leaves its lock, which would keep a test server for ever.
 *
 * @param owner Whether a host's name and a process's number tell whose a lock is.
 */
export function isDead({ host, pid, since }: Lock, now: Date, owner = ownsItsName(process.env)): boolean {
  if (now.getTime() - since.getTime() > LONGEST_UPDATE_MS) return true;
  return owner && host === hostname() && !isRunning(pid);
}

/** Containers and CI jobs often share a host's name, and none sees the processes of another. */
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
