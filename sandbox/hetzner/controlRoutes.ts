import type { FastifyInstance } from "fastify";

import type { Cloud } from "./cloud";
import { notFound } from "./errors";
import { type Fault, type Faults, faultSchema } from "./faults";
import type { State } from "./model";
import type { RequestLog } from "./requestLog";
import { removeSnapshot } from "./resources/images";
import { removePrimaryIp } from "./resources/primaryIps";
import { recreateHosts, removeServer } from "./serverCommands";
import { remove } from "./store";

type Kind = Exclude<keyof State, "version" | "nextId" | "pools" | "actions">;
const kinds: Readonly<Record<string, Kind>> = {
  ssh_keys: "sshKeys",
  primary_ips: "primaryIps",
  firewalls: "firewalls",
  placement_groups: "placementGroups",
  volumes: "volumes",
  servers: "servers",
  zones: "zones",
  images: "snapshots",
  storage_boxes: "storageBoxes",
};

/**
 * The sandbox's own switches, outside /v1 and not in the request log, with the same token: POST, GET, DELETE /_faults
 * (see faults.ts; DELETE returns those that did not happen); DELETE /_objects/{collection}/{id} removes an object
 * behind the program's back, protected or in use; GET /_requests returns the counters; POST /_hosts makes hosts anew of
 * servers whose creation failed, and answers with those that failed again.
 */
export function controlRoutes(app: FastifyInstance, cloud: Cloud, faults: Faults, log: RequestLog): void {
  app.get("/_requests", () => log.counters);
  app.post("/_hosts", async () => ({ failed: await recreateHosts(cloud) }));

  app.get("/_faults", () => ({ faults: faults.list() }));
  app.post<{ Body: Fault }>("/_faults", { schema: { body: faultSchema } }, (request, reply) => {
    faults.arm(request.body);
    return reply.code(201).send({ faults: faults.list() });
  });
  app.delete("/_faults", () => ({ unused: faults.clear() }));

  app.delete<{ Params: { collection: string; id: string } }>(
    "/_objects/:collection/:id",
    async (request, reply) => {
      const { collection, id } = request.params;
      const kind = kinds[collection];
      if (!kind || !Object.hasOwn(cloud.store.state[kind], id)) throw notFound(collection, id);
      await drop(cloud, kind, Number(id));
      return reply.code(204).send();
    },
  );
}

async function drop(cloud: Cloud, kind: Kind, id: number): Promise<void> {
  const { store, runtime, publish } = cloud;
  if (kind === "servers") return removeServer(cloud, id);
  if (kind === "snapshots") return removeSnapshot(cloud, id);
  if (kind === "primaryIps") {
    const holder = store.state.primaryIps[id]?.assignee;
    await removePrimaryIp(cloud, id);
    if (holder) await publish.addresses(holder);
    return;
  }
  if (kind === "volumes") {
    if (store.state.volumes[id]?.server) await runtime.detachVolume(String(id));
    await runtime.deleteVolume(String(id));
  }
  const account = store.state.storageBoxes[id]?.username;
  if (kind === "storageBoxes" && account) await runtime.deleteStorageBox(account);
  const zone = store.state.zones[id]?.name;
  store.change((state) => remove(state[kind], id));
  if (kind === "zones" && zone) await publish.zone(zone);
  if (kind === "firewalls")
    await publish.firewalls(Object.values(store.state.servers).map((server) => server.id));
}
