import { existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { run } from "../network/run";
import { SANDBOX_STATE, VOLUMES_DIR } from "../paths";
import { isBackedBy, isLeftOf, listLoopDevices, type LoopDevice } from "./loopDevices";

/** Volume: a sparse file behind a loop device, which stays until the volume is deleted. */

const BYTES_PER_GB = 1024 ** 3;

function volumeDirectory(id: string): string {
  return join(VOLUMES_DIR, id);
}

function imageFile(id: string): string {
  return join(volumeDirectory(id), "disk.img");
}

export async function createImage(id: string, sizeGb: number, format?: "ext4" | "xfs"): Promise<void> {
  const file = imageFile(id);
  if (existsSync(file)) return;
  mkdirSync(volumeDirectory(id), { recursive: true });
  const fresh = createSparse(`${file}.new`, sizeGb);
  if (format === "ext4") await run("mkfs.ext4", ["-q", "-F", "-E", "nodiscard,lazy_itable_init=1", fresh]);
  if (format === "xfs") await run("mkfs.xfs", ["-q", "-K", fresh]);
  await run("mv", [fresh, file]);
}

function createSparse(file: string, sizeGb: number): string {
  writeFileSync(file, "", { mode: 0o600 });
  truncateSync(file, sizeGb * BYTES_PER_GB);
  return file;
}

/** Options of a file system of any size that takes 3 MB while it is empty. */
const FRUGAL = ["-m", "0", "-i", "131072", "-J", "size=64", "-O", "^resize_inode"];

/** Makes a server's own disk, with an empty file system. */
export async function createDiskImage(file: string, sizeGb: number): Promise<void> {
  if (existsSync(file)) return;
  const fresh = createSparse(`${file}.new`, sizeGb);
  const lazy = ["-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1"];
  await run("mkfs.ext4", ["-q", "-F", ...FRUGAL, ...lazy, fresh]);
  await run("mv", [fresh, file]);
}

/** Enlarges a server's own disk; its file system stays the same. A disk never shrinks. */
export function growDiskImage(file: string, sizeGb: number): void {
  if (statSync(file).size < sizeGb * BYTES_PER_GB) truncateSync(file, sizeGb * BYTES_PER_GB);
}

/** True for a disk that is larger than its file system. */
export async function hasRoomToGrow(file: string): Promise<boolean> {
  const header = await run("dumpe2fs", ["-h", file]);
  const field = (name: string) => Number(new RegExp(`^${name}: *(\\d+)$`, "m").exec(header)?.[1]);
  return statSync(file).size - field("Block count") * field("Block size") >= BYTES_PER_GB;
}

/**
 * Enlarges the file system of an unmounted disk to all of it. Enlarging a mounted one takes a right that containers
 * lack.
 */
export async function growFileSystem(file: string): Promise<void> {
  // resize2fs wants to know it sound, whatever it was mounted as before.
  await run("e2fsck", ["-f", "-p", file]);
  await run("resize2fs", [file]);
}

export async function resizeImage(id: string, sizeGb: number): Promise<void> {
  truncateSync(imageFile(id), sizeGb * BYTES_PER_GB);
  const device = await findDevice(imageFile(id));
  if (device) await run("losetup", ["--set-capacity", device]);
}

/** Returns the loop device of a volume; sets it up first if needed. */
export async function openDevice(id: string): Promise<string> {
  const file = imageFile(id);
  const device = await findDevice(file);
  return device ?? (await run("losetup", ["--find", "--show", file])).trim();
}

/**
 * Finds the device of a file. One that only stays because something has it open doesn't count: for its host, the volume
 * has gone.
 */
async function findDevice(file: string): Promise<string | undefined> {
  const devices = await listLoopDevices();
  return devices.find((device) => !device.leaving && isBackedBy(device, file))?.name;
}

export async function closeDevice(id: string): Promise<void> {
  const device = await findDevice(imageFile(id));
  if (!device) return;
  try {
    await run("losetup", ["--detach", device]);
  } catch (error) {
    // One that was in use goes by itself as its last user ends, a host that is switched off say.
    if ((await findDevice(imageFile(id))) === device) throw error;
  }
}

export async function deleteImage(id: string): Promise<void> {
  if (!existsSync(volumeDirectory(id))) return;
  await closeDevice(id);
  rmSync(volumeDirectory(id), { recursive: true, force: true });
}

/** Loop devices of this sandbox's volumes. A deleted file's device is still on the file system of its directory. */
export async function listDevices(): Promise<LoopDevice[]> {
  const files = existsSync(VOLUMES_DIR) ? readdirSync(VOLUMES_DIR).map(imageFile) : [];
  const devices = await listLoopDevices();
  return devices.filter(
    (device) => files.some((file) => isBackedBy(device, file)) || isLeftOf(device, SANDBOX_STATE),
  );
}
