import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { hostNamespace, SERVICES, SERVICE_ZONE } from "../network/addresses";
import { run, tryRun } from "../network/run";
import { HOSTS_DIR } from "../paths";
import type { ServerSpec } from "../runtime";
import { renderLoginUser, renderSeed } from "./cloudInit";
import { writeAtomically } from "./files";
import {
  LSB_RELEASE_COMMAND,
  renderCpus,
  renderLsbRelease,
  renderMeminfo,
  renderOsRelease,
} from "./identity";
import { mountOverlay, mountsBelow, unmountBelow } from "./mounts";
import { findInit, isAlive, logFile, readProcess, startProcess, stopProcess, waitUntil } from "./processes";
import { copyMounted, copySnapshot, snapshotFile } from "./snapshots";
import { lastWords } from "../services/lastWords";
import { createDiskImage, growDiskImage, growFileSystem, hasRoomToGrow } from "./volumes";

/**
 * One host as a container with its own init: an overlay on the image's tree, booted by systemd-nspawn in the host's
 * network namespace. Its files stay in the overlay while its power is off.
 */

/** Signal SIGRTMIN+4, on which systemd's init powers off. */
const SIGPOWEROFF = 34 + 4;
const SHUTDOWN_MS = 20_000;
const BOOT_MS = 60_000;

/** Block device of a host. */
export interface Device {
  /** Path on this machine, e.g. /dev/loop3. */
  readonly source: string;
  /** Path in the host. */
  readonly path: string;
}

function hostDirectory(id: string): string {
  return join(HOSTS_DIR, id);
}

/** Name of a host's recorded process. */
export function hostProcess(id: string): string {
  return `host-${id}`;
}

/** Process id of the host's init on this machine; undefined while the power is off. */
export function hostInit(id: string): number | undefined {
  const record = readProcess(hostProcess(id));
  return isAlive(record) ? findInit(record.pid) : undefined;
}

/** Options of systemd-nspawn. A host shares nothing of the machine's but these binds. */
export function renderOptions(directory: string, spec: ServerSpec, devices: readonly Device[]): string[] {
  return [
    "--quiet",
    `--directory=${join(directory, "root")}`,
    `--machine=bbbsb-h${spec.id}`,
    `--hostname=${spec.name.split(".")[0]}`,
    "--register=no",
    "--keep-unit",
    "--settings=no",
    `--network-namespace-path=/run/netns/${hostNamespace(spec.id)}`,
    // Without it not even the host's own nftables would be its own.
    "--capability=CAP_NET_ADMIN",
    "--kill-signal=SIGRTMIN+3",
    "--link-journal=no",
    "--resolv-conf=off",
    "--timezone=off",
    ...devices.map(({ source, path }) => `--bind=${source}:${path}`),
    join(HARDWARE_DIR, "init"),
  ];
}

/** Directory in a host's tree that describes its virtual hardware. */
const HARDWARE_DIR = "/usr/lib/sandbox-hardware";

/** First program of a host: gives it its memory and cores, which nspawn's own --bind can't, then its init. */
const INIT = `#!/bin/sh
set -e
mount --bind ${HARDWARE_DIR}/meminfo /proc/meminfo
mount --bind ${HARDWARE_DIR}/cpus /sys/devices/system/cpu/possible
exec /lib/systemd/systemd
`;

/**
 * Disk of a host: a sparse file of its server's size, with the host's files. The host has the space that it would have
 * at the cloud, and uses only that of its content on this machine.
 */
const DISK_IMAGE = "disk.img";

/** Mounts a host's disk, unless it is. @returns the two directories of its overlay */
async function mountDisk(directory: string): Promise<{ upper: string; work: string }> {
  const disk = join(directory, "disk");
  mkdirSync(disk, { recursive: true });
  if (!mountsBelow(disk).includes(disk))
    // Nothing of the machine's room for inodes that no host will have.
    await run("mount", ["-o", "loop,noinit_itable", join(directory, DISK_IMAGE), disk]);
  return { upper: join(disk, "upper"), work: join(disk, "work") };
}

/** Writes a file below a host's root. */
type Put = (path: string, text: string, mode?: number) => void;

/** Lays out the disk of a new host: an empty one with the image's identity, or a copy of a snapshot. */
export async function createDisk(spec: ServerSpec): Promise<void> {
  const directory = hostDirectory(spec.id);
  const file = join(directory, DISK_IMAGE);
  mkdirSync(HOSTS_DIR, { recursive: true, mode: 0o700 });
  mkdirSync(join(directory, "root"), { recursive: true });
  if (spec.snapshot === undefined) await createDiskImage(file, spec.diskGb);
  else await copySnapshot(spec.snapshot, file);
  const { upper, work } = await mountDisk(directory);
  mkdirSync(upper, { recursive: true });
  mkdirSync(work, { recursive: true });
  const put: Put = (path, text, mode = 0o644) => writeAtomically(join(upper, path), text, mode);
  if (spec.snapshot === undefined) putIdentity(spec, put);
  else growDiskImage(file, spec.diskGb);
  putHardware(spec, put);
}

/** Writes what an image says about itself; a copy says what its model said. */
function putIdentity(spec: ServerSpec, put: Put): void {
  put("usr/lib/os-release", renderOsRelease(spec.ubuntu));
  put("etc/lsb-release", renderLsbRelease(spec.ubuntu));
  put("usr/bin/lsb_release", LSB_RELEASE_COMMAND, 0o755);
  put("etc/hosts", `127.0.0.1 localhost\n127.0.1.1 ${spec.name}\n::1 localhost ip6-localhost ip6-loopback\n`);
  put("etc/hostname", `${spec.name}\n`);
  put("etc/apt/sources.list.d/docker.list", `deb [trusted=yes] http://mirror.${SERVICE_ZONE}/docker ./\n`);
  if (spec.loginUser !== undefined)
    put("etc/cloud/cloud.cfg.d/95-login.cfg", renderLoginUser(spec.loginUser));
}

/** Writes what a cloud gives to every machine from outside of its disk. */
function putHardware(spec: ServerSpec, put: Put): void {
  put(join(HARDWARE_DIR, "init"), INIT, 0o755);
  put("etc/resolv.conf", `nameserver ${SERVICES.resolver}\noptions timeout:2 attempts:3\n`);
  for (const [name, text] of Object.entries(renderSeed(spec))) {
    put(join("var/lib/cloud/seed/nocloud", name), text, 0o600);
  }
}

/** Copies a host's disk to a snapshot, whether its power is on or off. @returns bytes that the copy takes */
export async function takeSnapshot(id: string, host: string): Promise<number> {
  const directory = hostDirectory(host);
  await mountDisk(directory);
  return copyMounted(join(directory, "disk"), join(directory, DISK_IMAGE), snapshotFile(id));
}

/** Enlarges a host's disk; its file system uses the space from the next boot on. */
export function growDisk(id: string, sizeGb: number): void {
  growDiskImage(join(hostDirectory(id), DISK_IMAGE), sizeGb);
}

/** Enlarges the file system of a host that is off to all of its disk. */
async function fillDisk(directory: string): Promise<void> {
  const file = join(directory, DISK_IMAGE);
  if (!(await hasRoomToGrow(file))) return;
  await unmountBelow(directory);
  await growFileSystem(file);
}

/** Switches a host on; resolves when its init runs. */
export async function boot(spec: ServerSpec, lower: string, devices: readonly Device[]): Promise<void> {
  const directory = hostDirectory(spec.id);
  const root = join(directory, "root");
  if (hostInit(spec.id) !== undefined) return;
  await fillDisk(directory);
  const { upper, work } = await mountDisk(directory);
  await mountOverlay(root, [lower], upper, work);
  writeAtomically(join(root, HARDWARE_DIR, "meminfo"), renderMeminfo(spec.memoryGb));
  writeAtomically(join(root, HARDWARE_DIR, "cpus"), renderCpus(spec.cores));
  writeOptions(spec, devices);
  const console = logFile(hostProcess(spec.id));
  const record = startProcess(hostProcess(spec.id), [join(__dirname, "boot.sh"), directory, `h${spec.id}`], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", SYSTEMD_LOG_LEVEL: "warning" },
  });
  const up = await waitUntil(() => hostInit(spec.id) !== undefined || !isAlive(record), BOOT_MS);
  if (!up || !isAlive(record))
    throw new Error(
      `host ${spec.name} does not boot: ${lastWords(readFileSync(console, "utf8"))} (its console: ${console})`,
    );
}

/** Writes the options of the next boot or reboot. */
export function writeOptions(spec: ServerSpec, devices: readonly Device[]): void {
  const directory = hostDirectory(spec.id);
  writeAtomically(join(directory, "options"), `${renderOptions(directory, spec, devices).join("\n")}\n`);
}

/** Switches a host off, by its own shutdown or at once; resolves when nothing of it runs. */
export async function halt(id: string, graceful: boolean): Promise<void> {
  const record = readProcess(hostProcess(id));
  const init = hostInit(id);
  if (init !== undefined) {
    if (graceful) {
      signal(init, SIGPOWEROFF);
      await waitUntil(() => !isAlive(record), SHUTDOWN_MS);
    }
    // Its init's end is the end of every process in the host; killing systemd-nspawn would not be.
    const left = hostInit(id);
    if (left !== undefined) signal(left, "SIGKILL");
    await waitUntil(() => !isAlive(record), 5000);
  }
  await stopProcess(hostProcess(id));
  await removeGroups(`h${id}`);
}

function signal(pid: number, number: NodeJS.Signals | number): void {
  try {
    process.kill(pid, number);
  } catch {
    // It ended in the meantime.
  }
}

/** Removes a host's disk. The host must be off. */
export async function deleteDisk(id: string): Promise<void> {
  const directory = hostDirectory(id);
  if (!existsSync(directory)) return;
  await unmountBelow(directory);
  rmSync(directory, { recursive: true, force: true });
}

/** Removes the control groups that boot.sh made for a host; without a name those of all hosts. */
export async function removeGroups(name = ""): Promise<void> {
  for (const hierarchy of ["systemd", "unified", ""]) {
    const group = join("/sys/fs/cgroup", hierarchy, "bbb-sandbox", name);
    if (existsSync(group)) await tryRun("find", [group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
  }
}

/** Makes a block device appear in a running host. */
export async function plug(id: string, device: Device): Promise<void> {
  const init = hostInit(id);
  if (init === undefined) return;
  const numbers = (await run("stat", ["-c", "%t %T", device.source])).trim().split(" ");
  const [major, minor] = numbers.map((hex) => String(parseInt(hex, 16)));
  const script = 'mkdir -p "${1%/*}" && { [ -b "$1" ] || (umask 0117; mknod "$1" b "$2" "$3"); }';
  await insideMounts(init, ["sh", "-euc", script, "sh", device.path, major!, minor!]);
}

/** Script that removes a device. One that existed at the host's boot is mounted at its path. */
const UNPLUG = 'if findmnt --mountpoint "$1" >/dev/null; then umount "$1"; fi; rm -f "$1"';

/** Takes a block device away from a running host. Its file system stays mounted, as on a server of a cloud. */
export async function unplug(id: string, path: string): Promise<void> {
  const init = hostInit(id);
  if (init === undefined) return;
  try {
    await insideMounts(init, ["sh", "-euc", UNPLUG, "sh", path]);
  } catch (error) {
    if (hostInit(id) === init) throw error;
  }
}

async function insideMounts(init: number, command: readonly string[]): Promise<void> {
  await run("nsenter", ["--target", String(init), "--mount", "--pid", "--root", "--", ...command]);
}
