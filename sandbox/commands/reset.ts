import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { hostProcess, hostInit, removeGroups } from "../hosts/container";
import { empty, mountsBelow, unmountBelow } from "../hosts/mounts";
import { endAll, listProcesses, processesIn, signal, stopProcess, waitUntil } from "../hosts/processes";
import { listDevices } from "../hosts/volumes";
import { listNamespaces, removeNamespace } from "../network/namespaces";
import { run } from "../network/run";
import { HOSTS_DIR, SANDBOX_CACHE, SANDBOX_STATE, SERVICES_DIR } from "../paths";

/**
 * Removes the sandbox. Missing parts are no error. A part that can't be removed stops it, before anything is deleted.
 */
export async function reset({ cache }: { readonly cache?: boolean }): Promise<void> {
  // First who would start others.
  await stopProcess("daemon");
  await Promise.all(listProcesses().map(({ name }) => end(name)));
  await endInNamespaces();
  const ours = ownDirectories();
  for (const directory of ours) await unmountBelow(directory);
  for (const { name, leaving } of await listDevices()) if (!leaving) await run("losetup", ["--detach", name]);
  await waitUntil(async () => (await listDevices()).length === 0, 5000);
  for (const namespace of await listNamespaces()) await removeNamespace(namespace);
  await removeGroups();
  const left = ours.flatMap((directory) => mountsBelow(directory));
  if (left.length > 0) throw new Error(`${left.join(", ")}: still mounted; nothing was deleted`);
  for (const directory of [SANDBOX_STATE, ...(cache ? [SANDBOX_CACHE] : [])]) empty(directory);
}

/**
 * Directories below which the sandbox itself mounts anything. A volume that an operator mounted for its state is above
 * them, and stays mounted.
 */
function ownDirectories(): string[] {
  return [HOSTS_DIR, SERVICES_DIR].flatMap((directory) =>
    existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [],
  );
}

async function end(name: string): Promise<void> {
  const id = /^host-(.+)$/.exec(name)?.[1];
  const init = id !== undefined && hostProcess(id) === name ? hostInit(id) : undefined;
  if (init !== undefined) signal(init, "SIGKILL");
  await stopProcess(name);
}

/** Ends everything else that runs in the sandbox's network namespaces, regardless of who started it. */
async function endInNamespaces(): Promise<void> {
  const inodes = new Set((await listNamespaces()).map((name) => statSync(`/run/netns/${name}`).ino));
  if (await endAll(() => processesIn(inodes))) return;
  throw new Error(`processes ${processesIn(inodes).join(", ")} in the sandbox's network do not end`);
}
