import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { isBackedBy, isLeftOf, parseLoopDevices } from "../../../sandbox/hosts/loopDevices";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "loops-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("devices are read with the numbers of their files; one that has ended has none", () => {
  const listed = `/dev/loop1         1   811051      254:0   /var/tmp/disk image
/dev/loop10        0 10027696        7:12  /var/lib/bbb-sandbox/volumes/1/disk.img (deleted)
/dev/loop2         0
`;
  expect(parseLoopDevices(listed)).toEqual([
    { name: "/dev/loop1", leaving: true, inode: "811051", fileSystem: "254:0", path: "/var/tmp/disk image" },
    {
      name: "/dev/loop10",
      leaving: false,
      inode: "10027696",
      fileSystem: "7:12",
      path: "/var/lib/bbb-sandbox/volumes/1/disk.img (deleted)",
    },
  ]);
  expect(parseLoopDevices("")).toEqual([]);
});

test("a device is whose file it has, whatever the path", () => {
  const file = join(directory, "disk.img");
  writeFileSync(file, "");
  const { stdout } = spawnSync("stat", ["--format=%i %Hd:%Ld", file], { encoding: "utf8" });
  const [inode = "", fileSystem = ""] = stdout.trim().split(" ");
  const device = { name: "/dev/loop1", leaving: false, inode, fileSystem, path: "/elsewhere/disk.img" };
  expect(isBackedBy(device, file)).toBe(true);
  expect(isBackedBy({ ...device, inode: "1" }, file)).toBe(false);
  expect(isBackedBy({ ...device, fileSystem: "0:1" }, file)).toBe(false);
  expect(isBackedBy(device, join(directory, "none"))).toBe(false);
  const left = { ...device, path: `${directory}/volumes/1/disk.img (deleted)` };
  expect(isLeftOf(left, directory)).toBe(true);
  expect(isLeftOf({ ...left, fileSystem: "0:1" }, directory)).toBe(false);
  expect(isLeftOf({ ...left, path: `${directory}/volumes/1/disk.img` }, directory)).toBe(false);
  expect(isLeftOf(left, join(directory, "volumes"))).toBe(false);
});

test("reset detaches its own volumes' devices, and none of a sandbox that has the same paths elsewhere", () => {
  const state = join(directory, "state");
  const inodes = { ours: 0, theirs: 0 };
  for (const name of ["ours", "theirs"] as const) {
    const image = join(directory, name, "volumes/1001/disk.img");
    mkdirSync(join(image, ".."), { recursive: true });
    writeFileSync(image, "");
    truncateSync(image, 1024 ** 2);
    inodes[name] = statSync(image).ino;
  }
  mkdirSync(state);
  const script = `set -euo pipefail
    # Whatever runs in this machine's own sandbox is out of its sight.
    mount -t tmpfs none /run
    mount -t tmpfs none /sys/fs/cgroup
    attach() { mount --bind "$1" ${state}; losetup --find --show ${state}/volumes/1001/disk.img; }
    attach ${directory}/theirs
    attach ${directory}/ours
    node --import tsx -e 'require("./sandbox/commands/reset").reset({}).then(() => console.log("reset"))'`;
  const { stdout, stderr, status } = spawnSync("unshare", ["--mount", "--net", "bash", "-c", script], {
    cwd: join(__dirname, "../../.."),
    encoding: "utf8",
    env: { ...process.env, BBB_SANDBOX_STATE: state },
    timeout: 60_000,
  });
  const [their = "", our = ""] = stdout.split("\n");
  // Reset has deleted the file.
  const attached = (device: string, inode: number): boolean =>
    spawnSync("losetup", ["--noheadings", "--output", "BACK-INO", device], {
      encoding: "utf8",
    }).stdout.trim() === String(inode);
  const left = { theirs: attached(their, inodes.theirs), ours: attached(our, inodes.ours) };
  if (left.theirs) spawnSync("losetup", ["--detach", their]);
  if (left.ours) spawnSync("losetup", ["--detach", our]);
  expect({ stdout, stderr, status }).toEqual({ stdout: `${their}\n${our}\nreset\n`, stderr: "", status: 0 });
  expect(left).toEqual({ theirs: true, ours: false });
}, 70_000);
