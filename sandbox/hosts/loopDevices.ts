import { statSync, type BigIntStats } from "node:fs";

import { run } from "../network/run";

/**
 * Loop devices are the kernel's: those of every sandbox on it are listed, that of a container too, each with its file's path as
 * seen there. Whose a device is, file system and inode tell.
 */
export interface LoopDevice {
  /** E.g. /dev/loop3. */
  readonly name: string;
  /** Detached already, and gone with its last user. */
  readonly leaving: boolean;
  readonly inode: string;
  /** Of the file's file system, e.g. 254:0. */
  readonly fileSystem: string;
  readonly path: string;
}

const COLUMNS = "NAME,AUTOCLEAR,BACK-INO,BACK-MAJ:MIN,BACK-FILE";
const LINE = /^(\S+)\s+([01])\s+(\d+)\s+(\d+:\d+)\s+(.*)$/;

export async function listLoopDevices(): Promise<LoopDevice[]> {
  return parseLoopDevices(await run("losetup", ["--list", "--noheadings", "--output", COLUMNS]));
}

/** What losetup lists in these columns. A device without numbers has ended since it was found. */
export function parseLoopDevices(listed: string): LoopDevice[] {
  return listed.split("\n").flatMap((line) => {
    const [, name, leaving, inode, fileSystem, path] = LINE.exec(line.trim()) ?? [];
    if (!name || !inode || !fileSystem || path === undefined) return [];
    return [{ name, leaving: leaving === "1", inode, fileSystem, path }];
  });
}

/** Whether the device's file is the one at this path here. */
export function isBackedBy({ inode, fileSystem }: LoopDevice, file: string): boolean {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats !== undefined && inode === String(stats.ino) && fileSystem === fileSystemOf(stats);
}

/**
 * Whether the device's file was deleted from below this directory: not even then is another sandbox's taken for one whose
 * directory is on another file system.
 */
export function isLeftOf({ fileSystem, path }: LoopDevice, directory: string): boolean {
  const stats = statSync(directory, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined || fileSystem !== fileSystemOf(stats)) return false;
  return path.startsWith(`${directory}/`) && path.endsWith(" (deleted)");
}

/** As the kernel numbers it for programs: twelve bits major, twenty bits minor. */
function fileSystemOf({ dev }: BigIntStats): string {
  return `${(dev >> 8n) & 0xfffn}:${(dev & 0xffn) | ((dev >> 12n) & 0xfff00n)}`;
}
