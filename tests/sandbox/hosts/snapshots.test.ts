/** Disks of hosts, and copies of them, on this machine. No host is booted. */
import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { ServerSpec } from "../../../sandbox/runtime";

const state = mkdtempSync(join(tmpdir(), "snapshots-"));
process.env.BBB_SANDBOX_STATE = state;
// Loaded only now: they read the environment once.
const container = jest.requireActual<typeof import("../../../sandbox/hosts/container")>(
  "../../../sandbox/hosts/container",
);
const snapshots = jest.requireActual<typeof import("../../../sandbox/hosts/snapshots")>(
  "../../../sandbox/hosts/snapshots",
);
const { mountsBelow } = jest.requireActual<typeof import("../../../sandbox/hosts/mounts")>(
  "../../../sandbox/hosts/mounts",
);

const GB = 1024 ** 3;
const hosts = ["1", "2"];
afterEach(async () => {
  for (const id of hosts) await container.deleteDisk(id);
  rmSync(join(state, "snapshots"), { recursive: true, force: true });
  expect(mountsBelow(state)).toEqual([]);
});
afterAll(() => rmSync(state, { recursive: true, force: true }));

const spec = (id: string, name: string, more: Partial<ServerSpec> = {}): ServerSpec => ({
  id,
  name,
  ubuntu: "22.04",
  cores: 2,
  memoryGb: 4,
  diskGb: 1,
  userData: `#cloud-config\nfqdn: ${name}\n`,
  sshPublicKeys: [],
  addresses: {},
  rules: undefined,
  ...more,
});
const upper = (id: string, ...path: string[]): string => join(state, "hosts", id, "disk", "upper", ...path);
const read = (id: string, ...path: string[]): string => readFileSync(upper(id, ...path), "utf8");
const put = (id: string, path: string, text: string): void => {
  mkdirSync(join(upper(id, path), ".."), { recursive: true });
  writeFileSync(upper(id, path), text);
};

test("a copy has its model's files and identity, and what every machine gets anew", async () => {
  await container.createDisk(spec("1", "one.example.test", { loginUser: "ubuntu" }));
  put("1", "srv/note", "of the first");
  put("1", "etc/hosts", "127.0.0.1 as-the-operator-left-it\n");
  put("1", "etc/resolv.conf", "nameserver 203.0.113.99\n");
  const bytes = await container.takeSnapshot("s", "1");
  expect(bytes).toBe(statSync(join(state, "snapshots", "s", "disk.img")).blocks * 512);
  expect(bytes).toBeGreaterThan(100e3);
  expect(bytes).toBeLessThan(50e6);
  put("1", "srv/note", "changed since");

  await container.createDisk(spec("2", "two.example.test", { snapshot: "s", diskGb: 3, ubuntu: "24.04" }));
  expect(read("2", "srv/note")).toBe("of the first");
  expect(read("2", "etc/hosts")).toBe("127.0.0.1 as-the-operator-left-it\n");
  expect(read("2", "etc/hostname")).toBe("one.example.test\n");
  expect(read("2", "usr/lib/os-release")).toContain('VERSION_ID="22.04"');
  expect(read("2", "etc/cloud/cloud.cfg.d/95-login.cfg")).toContain("ubuntu");
  expect(read("2", "etc/resolv.conf")).toMatch(/^nameserver 198\.51\.100\.4\n/);
  const seed = "var/lib/cloud/seed/nocloud";
  expect(read("1", seed, "meta-data")).toContain('instance-id: "1"');
  expect(read("2", seed, "meta-data")).toContain('instance-id: "2"');
  expect(read("2", seed, "user-data")).toContain("fqdn: two.example.test");
  expect(statSync(join(state, "hosts", "2", "disk.img")).size).toBe(3 * GB);
  expect(read("1", "srv/note")).toBe("changed since");
});

test("deleted files and replaced directories of the image stay so in a copy of a copy", async () => {
  await container.createDisk(spec("1", "one"));
  execFileSync("mknod", [upper("1", "usr/deleted"), "c", "0", "0"]);
  mkdirSync(upper("1", "opt/replaced"), { recursive: true });
  const attribute = "trusted.overlay.opaque";
  const python = (script: string, path: string): string =>
    execFileSync("python3", ["-c", `import os, sys\n${script}`, path], { encoding: "utf8" });
  python(`os.setxattr(sys.argv[1], "${attribute}", b"y")`, upper("1", "opt/replaced"));
  await container.takeSnapshot("s", "1");
  await container.deleteDisk("1");
  await container.createDisk(spec("2", "two", { snapshot: "s" }));
  await container.takeSnapshot("t", "2");
  await container.deleteDisk("2");
  snapshots.removeSnapshot("s");
  await container.createDisk(spec("1", "three", { snapshot: "t" }));
  expect(execFileSync("stat", ["-c", "%F %t %T", upper("1", "usr/deleted")], { encoding: "utf8" })).toBe(
    "character special file 0 0\n",
  );
  expect(python(`print(os.getxattr(sys.argv[1], "${attribute}").decode())`, upper("1", "opt/replaced"))).toBe(
    "y\n",
  );
});

test("a host that writes all the time goes on, and its copy is sound", async () => {
  await container.createDisk(spec("1", "one"));
  const writer = spawn("bash", ["-c", `while :; do date +%N >>${upper("1", "log")}; done`]);
  try {
    await sleep(100);
    await container.takeSnapshot("s", "1");
    const before = statSync(upper("1", "log")).size;
    await sleep(300);
    expect(statSync(upper("1", "log")).size).toBeGreaterThan(before);
  } finally {
    writer.kill("SIGKILL");
    await new Promise((resolve) => writer.on("close", resolve));
  }
  const file = snapshots.snapshotFile("s");
  // Without any repair, not even a journal to replay.
  execFileSync("e2fsck", ["-f", "-n", file], { stdio: "ignore" });
  expect(execFileSync("dumpe2fs", ["-h", file], { encoding: "utf8", stdio: "pipe" })).not.toContain(
    "needs_recovery",
  );
});

describe("a copy that fails", () => {
  test("for want of room leaves the host writing, and no snapshot", async () => {
    await container.createDisk(spec("1", "one"));
    mkdirSync(join(state, "snapshots", "s"), { recursive: true });
    symlinkSync("/dev/full", `${snapshots.snapshotFile("s")}.new`);
    await expect(container.takeSnapshot("s", "1")).rejects.toThrow(/copyFrozen\.sh.*No space left/s);
    expect(existsSync(snapshots.snapshotFile("s"))).toBe(false);
    put("1", "after", "still writing");
    execFileSync("sync", ["--file-system", upper("1")], { timeout: 5000 });
  });

  test("with the process that wants it: the host goes on within its time to end", async () => {
    await container.createDisk(spec("1", "one"));
    const fifo = join(state, "never");
    execFileSync("mkfifo", [fifo]);
    const script = join(__dirname, "../../../sandbox/hosts/copyFrozen.sh");
    const mount = join(state, "hosts", "1", "disk");
    // A copy to a pipe that nobody reads lasts for ever.
    const copying = spawn("bash", [script, mount, join(state, "hosts", "1", "disk.img"), fifo], {
      detached: true,
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => copying.on("close", resolve));
    await sleep(700);
    const late = spawn("touch", [upper("1", "late")]);
    const touched = new Promise((resolve) => late.on("close", resolve));
    await sleep(300);
    expect(late.exitCode).toBeNull();
    process.kill(-copying.pid!, "SIGTERM");
    const tooLate = sleep(2500, undefined, { ref: false });
    await Promise.race([ended, tooLate.then(() => Promise.reject(new Error("it does not end")))]);
    await touched;
    expect(readdirSync(upper("1"))).toContain("late");
  });
});

test("a snapshot that is not there is named", async () => {
  await expect(container.createDisk(spec("1", "one", { snapshot: "gone" }))).rejects.toThrow(
    /snapshots\/gone\/disk\.img/,
  );
});
