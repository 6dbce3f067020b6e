import type { CommandTable } from "./actions";
import { find, serverTypes } from "./catalogue";
import type { Cloud } from "./cloud";
import { notFound } from "./errors";
import { findImage } from "./images";
import type { Action, Server, ServerStatus, State } from "./model";
import { addressesOf, inboundRulesOf } from "./published";
import { removePrimaryIp } from "./resources/primaryIps";
import { remove } from "./store";

/** Effects of the actions of servers. */
export const serverCommands: CommandTable = {
  create_server: {
    locks: true,
    perform: (cloud, action) =>
      whileStatus(cloud, action, { during: "initializing", after: "off", onError: "unknown" }, async (id) => {
        await createHost(cloud, id);
        if (action.params["start"] === false) await cloud.runtime.powerOff(String(id), false);
      }),
  },
  start_server: {
    locks: true,
    perform: (cloud, action) =>
      whileStatus(cloud, action, { during: "starting", after: "running", onError: "off" }, async (id) => {
        if (!serverOf(cloud.store.state, action).hostExists) await createHost(cloud, id);
        await cloud.runtime.powerOn(String(id));
      }),
  },
  stop_server: {
    locks: true,
    perform: (cloud, action) =>
      whileStatus(cloud, action, { during: "stopping", after: "off", onError: "running" }, (id) =>
        cloud.runtime.powerOff(String(id), false),
      ),
  },
  shutdown_server: {
    locks: true,
    perform: (cloud, action) =>
      whileStatus(cloud, action, { during: "stopping", after: "off", onError: "running" }, (id) =>
        cloud.runtime.powerOff(String(id), true),
      ),
  },
  reboot_server: {
    locks: true,
    perform: (cloud, action) =>
      whileStatus(cloud, action, { during: "starting", after: "running", onError: "unknown" }, async (id) => {
        await cloud.runtime.powerOff(String(id), true);
        await cloud.runtime.powerOn(String(id));
      }),
  },
  change_server_type: {
    locks: true,
    perform: (cloud, action) =>
      whileStatus(cloud, action, { during: "migrating", after: "running", onError: "off" }, async (id) => {
        const type = find(serverTypes, action.params["type"] as string);
        if (!type) throw notFound("server type", String(action.params["type"]));
        await cloud.runtime.resizeServer(String(id), type.cores, type.memory);
        if (action.params["upgradeDisk"] === true) await cloud.runtime.resizeDisk(String(id), type.disk);
        cloud.store.change((state) => {
          const server = serverOf(state, action);
          server.serverType = type.name;
          if (action.params["upgradeDisk"] === true) server.primaryDiskSize = type.disk;
        });
        await cloud.runtime.powerOn(String(id));
      }),
  },
  enable_backup: setting((server) => (server.backups = true), true),
  disable_backup: setting((server) => (server.backups = false), true),
  add_to_placement_group: setting(
    (server, action) => (server.placementGroup = action.params["placementGroup"] as number),
    true,
  ),
  "server:change_protection": setting(
    (server, action) => (server.protected = action.params["protected"] === true),
  ),
  delete_server: {
    locks: true,
    async perform(cloud, action) {
      const id = action.resources[0]?.id ?? 0;
      await removeServer(cloud, id);
    },
  },
};

/** Removes a server, its host and its dependent parts; detaches the others. Nothing is checked. */
export async function removeServer(cloud: Cloud, id: number): Promise<void> {
  const { store, runtime } = cloud;
  const volumes = Object.values(store.state.volumes).filter((volume) => volume.server === id);
  for (const volume of volumes) await runtime.detachVolume(String(volume.id));
  await runtime.deleteServer(String(id));
  const orphans = store.change((state) => {
    for (const volume of Object.values(state.volumes)) if (volume.server === id) volume.server = null;
    for (const firewall of Object.values(state.firewalls)) {
      firewall.targets = firewall.targets.filter(({ server }) => server !== id);
    }
    const held = Object.values(state.primaryIps).filter((ip) => ip.assignee === id);
    for (const ip of held) ip.assignee = null;
    remove(state.servers, id);
    return held.filter((ip) => ip.autoDelete).map((ip) => ip.id);
  });
  for (const ip of orphans) await removePrimaryIp(cloud, ip);
}

async function createHost(cloud: Cloud, id: number): Promise<void> {
  const server = cloud.store.state.servers[id];
  if (!server) throw notFound("server", id);
  const type = find(serverTypes, server.serverType);
  const image = findImage(cloud.store.state, server.image);
  if (!type || !image) throw new Error(`server ${id} has a type or an image that the catalogue lacks`);
  await cloud.runtime.createServer({
    id: String(id),
    name: server.name,
    ubuntu: image.version,
    ...("flavor" in image ? {} : { snapshot: String(image.id) }),
    cores: type.cores,
    memoryGb: type.memory,
    diskGb: server.primaryDiskSize,
    userData: server.userData,
    sshPublicKeys: server.sshPublicKeys,
    addresses: addressesOf(cloud.store.state, id),
    rules: inboundRulesOf(cloud.store.state, id),
  });
  cloud.store.change((state) => {
    const made = state.servers[id];
    if (made) made.hostExists = true;
  });
  await cloud.publish.firewall(id);
}

/**
 * Makes hosts again of servers whose host could not be made. At its next update the provider takes such a server for an
 * existing one without changes; the cause on this machine may be mended by now.
 *
 * @returns the servers that failed again, with the reasons
 */
export async function recreateHosts({ store, actions }: Cloud): Promise<{ server: string; error: string }[]> {
  const isBusy = (id: number): boolean => actions.isLocked(store.state, { type: "server", id });
  const begun = store.change((state) =>
    Object.values(state.servers)
      .filter(({ id, hostExists }) => !hostExists && !isBusy(id))
      .map(({ id, name }) => {
        const resources = [{ type: "server", id }] as const;
        const create = actions.begin(state, "create_server", resources);
        return {
          name,
          ids: [create.id, actions.begin(state, "start_server", resources, { after: create }).id],
        };
      }),
  );
  const failed: { server: string; error: string }[] = [];
  for (const { name, ids } of begun) {
    const ended = await actions.ended(ids);
    const error = ended.find(({ status }) => status === "error")?.error?.message;
    if (error !== undefined) failed.push({ server: name, error });
  }
  return failed;
}

interface StatusChange {
  readonly during: ServerStatus;
  readonly after: ServerStatus;
  readonly onError: ServerStatus;
}

async function whileStatus(
  { store }: Cloud,
  action: Action,
  { during, after, onError }: StatusChange,
  work: (id: number) => Promise<void>,
): Promise<void> {
  const set = (status: ServerStatus): void =>
    store.change((state) => {
      serverOf(state, action).status = status;
    });
  const { id } = serverOf(store.state, action);
  set(during);
  try {
    await work(id);
    set(after);
  } catch (error) {
    set(onError);
    throw error;
  }
}

function setting(change: (server: Server, action: Action) => unknown, locks = false): CommandTable[string] {
  return {
    locks,
    async perform({ store }, action) {
      store.change((state) => void change(serverOf(state, action), action));
    },
  };
}

function serverOf(state: State, { resources: [resource] }: Action): Server {
  const server = state.servers[resource?.id ?? 0];
  if (!server) throw notFound("server", resource?.id ?? 0);
  return server;
}
