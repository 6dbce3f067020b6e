import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  createDiskImage,
  growDiskImage,
  growFileSystem,
  hasRoomToGrow,
} from "../../../sandbox/hosts/volumes";

const GB = 1024 ** 3;
let directory: string;
let disk: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "disks-"));
  disk = join(directory, "disk.img");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const debugfs = (command: string) =>
  execFileSync("debugfs", ["-w", "-R", command, disk], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
const blocks = () => Number(/^Block count: *(\d+)$/m.exec(debugfs("show_super_stats -h"))?.[1]);

test("a host's disk that is given more room has it in its file system, with all that was there", async () => {
  await createDiskImage(disk, 1);
  debugfs("mkdir /upper");
  expect(await hasRoomToGrow(disk)).toBe(false);
  growDiskImage(disk, 50);
  expect(statSync(disk).size).toBe(50 * GB);
  expect(blocks() * 4096).toBe(GB);
  expect(await hasRoomToGrow(disk)).toBe(true);
  await growFileSystem(disk);
  expect(blocks() * 4096).toBe(50 * GB);
  expect(await hasRoomToGrow(disk)).toBe(false);
  expect(debugfs("ls /")).toContain("upper");
  // As before, it takes next to nothing of the machine's.
  expect(statSync(disk).blocks * 512).toBeLessThan(20e6);
});

test("a disk gets no smaller", async () => {
  await createDiskImage(disk, 2);
  growDiskImage(disk, 1);
  expect(statSync(disk).size).toBe(2 * GB);
});
