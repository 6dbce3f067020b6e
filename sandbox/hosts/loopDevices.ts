import { statSync, type BigIntStats } from "node:fs";

import { run } from "../network/run";

/**
 * Loop device. The kernel lists those of every sandbox and container, with the path of each file as seen there. File
 * system and inode identify the owner.
 */
export interface LoopDevice {
  /** Name, e.g. /dev/loop3. */
  readonly name: string;
  /** Detached already, and gone with its last user. */
  readonly leaving: boolean;
  readonly inode: string;
  /** Number of the file's file system, e.g. 254:0. */
  readonly fileSystem: string;
  readonly path: string;
}

const COLUMNS = "NAME,AUTOCLEAR,BACK-INO,BACK-MAJ:MIN,BACK-FILE";
const LINE = /^(\S+)\s+([01])\s+(\d+)\s+(\d+:\d+)\s+(.*)$/;

export async function listLoopDevices(): Promise<LoopDevice[]> {
  return parseLoopDevices(await run("losetup", ["--list", "--noheadings", "--output", COLUMNS]));
}

/** Parses losetup's columns. A device without numbers has ended since it was found. */
export function parseLoopDevices(listed: string): LoopDevice[] {
  return listed.split("\n").flatMap((line) => {
    const [, name, leaving, inode, fileSystem, path] = LINE.exec(line.trim()) ?? [];
    if (!name || !inode || !fileSystem || path === undefined) return [];
    return [{ name, leaving: leaving === "1", inode, fileSystem, path }];
  });
}

/** True when the device's file is the one at this path. */
export function isBackedBy({ inode, fileSystem }: LoopDevice, file: string): boolean {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats !== undefined && inode === String(stats.ino) && fileSystem === fileSystemOf(stats);
}

/**
 * True when the device's file was deleted from below this directory. A sandbox whose directory is on another file
 * system is not taken for this one.
 */
export function isLeftOf({ fileSystem, path }: LoopDevice, directory: string): boolean {
  const stats = statSync(directory, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined || fileSystem !== fileSystemOf(stats)) return false;
  return path.startsWith(`${directory}/`) && path.endsWith(" (deleted)");
}

/** Number of a file's file system in the kernel's form for programs: twelve bits major, twenty bits minor. */
function fileSystemOf({ dev }: BigIntStats): string {
  return `${(dev >> 8n) & 0xfffn}:${(dev & 0xffn) | ((dev >> 12n) & 0xfff00n)}`;
}
