/** Process of the sandbox's cloud (daemon.ts): tells whether it runs the present code, and starts it anew. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { writeAtomically } from "../hosts/files";
import {
  endAll,
  isAlive,
  logFile,
  processesIn,
  readProcess,
  startProcess,
  stopProcess,
  waitUntil,
} from "../hosts/processes";
import { ROUTER } from "../network/addresses";
import { inNamespace } from "../network/run";
import { DAEMON_CODE_FILE, DAEMON_READY_FILE, PROJECT_DIR } from "../paths";

const READY_MS = 180_000;

/** Its program's name at the end of a command line's word. */
const PROGRAM = "sandbox/daemon.ts";

/** Files and folders of the daemon's code. */
const CODE = [
  "aws",
  "control.ts",
  "daemon.ts",
  "hetzner",
  "hosts",
  "network",
  "paths.ts",
  "runtime.ts",
  "services",
];

/**
 * Has a daemon of the present code serve everything. Ends one of other code first: hosts and services outlive it, and
 * its state is on disk.
 *
 * @throws Error with the daemon's last output, when it does not start
 */
export async function startDaemon(): Promise<void> {
  const code = digestOf(join(PROJECT_DIR, "sandbox"), CODE);
  if (await isCurrent(code)) return;
  await stopProcess("daemon");
  await endDaemons(statSync(`/run/netns/${ROUTER}`).ino);
  rmSync(DAEMON_READY_FILE, { force: true });
  const loader = `file://${join(PROJECT_DIR, "node_modules/tsx/dist/loader.mjs")}`;
  const program = [process.execPath, "--import", loader, join(PROJECT_DIR, PROGRAM)];
  writeAtomically(DAEMON_CODE_FILE, `${code}\n`);
  startProcess("daemon", inNamespace(ROUTER, program), { env: daemonEnvironment() });
  if (!(await daemonReady(READY_MS)))
    throw new Error(startFailure(lastLine(logFile("daemon")), logFile("daemon")));
}

async function isCurrent(code: string): Promise<boolean> {
  const of = existsSync(DAEMON_CODE_FILE) ? readFileSync(DAEMON_CODE_FILE, "utf8").trim() : undefined;
  const running = isAlive(readProcess("daemon"));
  if (of === code) {
    // One that a killed command began to start may still get there.
    return running && (await daemonReady(READY_MS));
  }
  if (running)
    process.stderr.write("set-up: the sandbox's cloud runs other code than today's: starting it anew\n");
  return false;
}

/** Digest of the names and contents of some files and folders below a directory. */
export function digestOf(directory: string, names: readonly string[]): string {
  const hash = createHash("sha256");
  for (const name of names) {
    const path = join(directory, name);
    const below = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && !entry.name.endsWith(".pyc"))
          .map((entry) => join(entry.parentPath, entry.name))
      : [path];
    for (const file of below.sort())
      hash.update(`${file.slice(directory.length)}\0`).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 12);
}

/**
 * Ends daemons without a record, which would keep the addresses of the next one. A daemon loses its record when only
 * its watching process is killed.
 *
 * @param namespace The inode of the daemons' network namespace.
 */
export async function endDaemons(namespace: number): Promise<void> {
  const namespaces = new Set([namespace]);
  await endAll(() => processesIn(namespaces).filter((pid) => isDaemon(pid)));
}

function isDaemon(pid: number): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words.some((word) => word.endsWith(`/${PROGRAM}`));
  } catch {
    return false;
  }
}

/** Message about a daemon that did not start. */
export function startFailure(reason: string, log: string): string {
  const inUse = /EADDRINUSE/.test(reason)
    ? ". Something else in the sandbox's network has that address, perhaps of an earlier version of the sandbox: " +
      "./scripts/sandbox reset ends all that runs there, and removes what is deployed"
    : "";
  return `the sandbox's cloud does not start: ${reason}${inUse} (whole log: ${log})`;
}

/** Environment of the daemon: of the caller's, only the places of the sandbox's files. */
function daemonEnvironment(): NodeJS.ProcessEnv {
  const ours = Object.entries(process.env).filter(([key]) => /^BBB_SANDBOX_(STATE|CACHE)$/.test(key));
  return {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    LANG: "C.UTF-8",
    ...Object.fromEntries(ours),
  };
}

async function daemonReady(timeoutMs: number): Promise<boolean> {
  const alive = (): boolean => isAlive(readProcess("daemon"));
  await waitUntil(() => !alive() || existsSync(DAEMON_READY_FILE), timeoutMs);
  return alive() && existsSync(DAEMON_READY_FILE);
}

function lastLine(file: string): string {
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  return (
    lines.findLast((line) => line.startsWith("error: "))?.slice("error: ".length) ?? lines.at(-1) ?? "no log"
  );
}
