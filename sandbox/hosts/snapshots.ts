import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

import { run } from "../network/run";
import { SNAPSHOTS_DIR } from "../paths";

/** Snapshot: a copy of a host's disk, which a new host's disk becomes a copy of. Nothing mounts or shares it. */

const COPY_MS = 90_000;

/** Path of a snapshot's disk. */
export function snapshotFile(id: string): string {
  return join(SNAPSHOTS_DIR, id, "disk.img");
}

/**
 * Copies a mounted disk as it is at one moment.
 *
 * @param mount Directory at which it is mounted.
 * @returns bytes that the copy takes
 */
export async function copyMounted(mount: string, disk: string, copy: string): Promise<number> {
  if (!existsSync(copy)) {
    mkdirSync(dirname(copy), { recursive: true, mode: 0o700 });
    await run("bash", [join(__dirname, "copyFrozen.sh"), mount, disk, `${copy}.new`], {
      timeoutMs: COPY_MS,
    });
    await run("mv", [`${copy}.new`, copy]);
  }
  return statSync(copy).blocks * 512;
}

/** Makes a new host's disk of a snapshot. */
export async function copySnapshot(id: string, disk: string): Promise<void> {
  if (existsSync(disk)) return;
  await run("cp", ["--sparse=always", "--reflink=auto", snapshotFile(id), `${disk}.new`], {
    timeoutMs: COPY_MS,
  });
  await run("mv", [`${disk}.new`, disk]);
}

export function removeSnapshot(id: string): void {
  rmSync(dirname(snapshotFile(id)), { recursive: true, force: true });
}
