import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

import { startTime } from "../../sandbox/hosts/processes";

const SCRIPT = resolve("tests/e2e/support/end-fresh.sh");

let machines: string;
const children: ChildProcess[] = [];
beforeEach(() => (machines = mkdtempSync(join(tmpdir(), "fresh-"))));
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const name of readdirSync(machines)) spawnSync("umount", ["--lazy", join(machines, name, "root")]);
  rmSync(machines, { recursive: true });
});

/** A machine's directory, with a file system of its own mounted in it. */
function machine(name: string, owner?: string): string {
  const directory = join(machines, `bbb-fresh-${name}`);
  mkdirSync(join(directory, "root"), { recursive: true });
  expect(spawnSync("mount", ["-t", "tmpfs", "none", join(directory, "root")]).status).toBe(0);
  mkdirSync(join(directory, "root", "etc"));
  if (owner !== undefined) writeFileSync(join(directory, "owner"), `${owner}\n`);
  return directory;
}

/** Boots as systemd-nspawn does: a process with the machine's name, whose child is an init that works in the tree. */
async function boot(directory: string): Promise<ChildProcess> {
  const name = `--machine=${basename(directory)}`;
  const init = `cd ${directory}/root && echo up && while :; do sleep 1; done`;
  const child = spawn("unshare", ["--pid", "--fork", "sh", "-c", init, "sh", name]);
  children.push(child);
  await once(child.stdout, "data");
  return child;
}

function endFresh(...directories: string[]) {
  const env = { ...process.env, BBB_FRESH_MACHINES: machines };
  return spawnSync(SCRIPT, directories, { encoding: "utf8", env });
}

const mounted = () =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(machines));
const namespace = readlinkSync("/proc/self/ns/pid");
const me = () => `${process.pid} ${startTime(process.pid)} ${namespace}`;

test("what a run left that was interrupted is switched off, unmounted and removed", async () => {
  const left = machine("left", `1 0 ${namespace}`);
  const nspawn = await boot(left);
  const off = once(nspawn, "exit");
  const { status, stderr } = endFresh();
  await off;
  expect([status, stderr]).toEqual([0, `removing the fresh machine that a former run left: ${left}\n`]);
  expect(readdirSync(machines)).toEqual([]);
  expect(mounted()).toEqual([]);
});

test("so is what an earlier version left, which named no owner, unless somebody is at work there", async () => {
  const old = machine("old");
  const making = spawn("sh", ["-c", "echo up; while :; do sleep 1; done", "sh", `${old}/root`]);
  children.push(making);
  await once(making.stdout, "data");
  endFresh();
  expect(existsSync(old)).toBe(true);
  making.kill("SIGKILL");
  await once(making, "exit");
  endFresh();
  expect(existsSync(old)).toBe(false);
  expect(mounted()).toEqual([]);
});

test("the loop devices of its own sandbox, which are the kernel's, are detached", () => {
  const left = machine("left", `1 0 ${namespace}`);
  const disk = join(left, "root", "disk.img");
  writeFileSync(disk, Buffer.alloc(1 << 20));
  const device = spawnSync("losetup", ["--find", "--show", disk], { encoding: "utf8" }).stdout.trim();
  expect(device).toMatch(/^\/dev\/loop/);
  expect(endFresh()).toMatchObject({ status: 0 });
  expect(spawnSync("losetup", [device]).status).not.toBe(0);
  expect(mounted()).toEqual([]);
});

test("machines of a test that runs stay, and so do other directories", async () => {
  const mine = machine("mine", me());
  machine("elsewhere", "1 0 pid:[1]");
  mkdirSync(join(machines, "other"));
  const nspawn = await boot(mine);
  expect(endFresh()).toMatchObject({ status: 0, stderr: "" });
  expect(readdirSync(machines).sort()).toEqual(["bbb-fresh-elsewhere", "bbb-fresh-mine", "other"]);
  expect([nspawn.exitCode, nspawn.signalCode]).toEqual([null, null]);
});

test("a machine that is named goes, whoever made it", async () => {
  const mine = machine("mine", me());
  await boot(mine);
  expect(endFresh(mine).status).toBe(0);
  expect(existsSync(mine)).toBe(false);
});
