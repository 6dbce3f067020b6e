import { readFileSync, writeFileSync } from "node:fs";

const INOTIFY_INSTANCES = "/proc/sys/fs/inotify/max_user_instances";

/**
 * Raises this machine's limit of inotify instances for many hosts. The systemd of each takes eight, and without them it
 * starts without half of its services. Linux's default of 128 is enough for 16 hosts of all sandboxes together.
 */
export function raiseInotifyLimit(wanted = 1024, file = INOTIFY_INSTANCES): void {
  if (Number(readFileSync(file, "utf8")) >= wanted) return;
  try {
    writeFileSync(file, `${wanted}\n`);
  } catch {
    // Where the kernel's settings are read-only, a few hosts run all the same.
  }
}
