import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { run, tryRun } from "../network/run";

/** Mount points of this machine at or below a directory, the deepest first. */
export function mountsBelow(directory: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))),
    )
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
    .reverse();
}

/** Mounts an overlay, unless something is mounted there. `lower` is listed topmost first. */
export async function mountOverlay(
  target: string,
  lower: readonly string[],
  upper: string,
  work: string,
): Promise<void> {
  if (mountsBelow(target).includes(target)) return;
  const options = `lowerdir=${lower.join(":")},upperdir=${upper},workdir=${work}`;
  await run("mount", ["-t", "overlay", "-o", options, "bbb-sandbox", target]);
}

/** Unmounts everything that is mounted at or below a directory. @throws for a busy mount */
export async function unmountBelow(directory: string): Promise<void> {
  for (let round = 0; round < 3 && mountsBelow(directory).length > 0; round += 1) {
    for (const point of mountsBelow(directory)) await tryRun("umount", [point]);
  }
  const left = mountsBelow(directory);
  if (left.length > 0)
    throw new Error(
      `${left.join(", ")}: still mounted; see what uses it with fuser -vm, end that, then try again`,
    );
}

/**
 * Deletes the content of a directory. A directory that is a mount point stays, as does any below it: an operator's
 * volume, for example. It is emptied, its lost+found apart.
 *
 * @param mounts Mount points of the machine, after the caller unmounted its own.
 */
export function empty(directory: string, mounts: readonly string[] = mountsBelow(directory)): void {
  if (!existsSync(directory)) return;
  const mounted = mounts.includes(directory);
  for (const name of readdirSync(directory)) {
    if (mounted && name === "lost+found") continue;
    const path = join(directory, name);
    if (mounts.some((point) => point === path || point.startsWith(`${path}/`))) empty(path, mounts);
    else rmSync(path, { recursive: true, force: true });
  }
}
