import { readFileSync, writeFileSync } from "node:fs";

const INOTIFY_INSTANCES = "/proc/sys/fs/inotify/max_user_instances";

/**
 * Let this machine have enough inotify instances for many hosts: the systemd of each takes eight, and where there are none
 * left it comes up without half of its services. Linux's default of 128 is enough for 16 hosts of all sandboxes together.
 */
export function raiseInotifyLimit(wanted = 1024, file = INOTIFY_INSTANCES): void {
  if (Number(readFileSync(file, "utf8")) >= wanted) return;
  try {
    writeFileSync(file, `${wanted}\n`);
  } catch {
    // Where the kernel's settings are read-only, a few hosts run all the same.
  }
}
