import { setTimeout as sleep } from "node:timers/promises";

import { selectorOf } from "../../clouds/hetzner/labels";
import { Failure } from "../../cli/mistake";
import { HetznerApi, type HetznerAccess } from "../inventory/hetznerApi";
import type { Labels, Server, Snapshot, Servers } from ".";

interface ApiServer {
  readonly id: number;
  readonly name: string;
  readonly status: string;
  readonly image: { readonly id: number } | null;
  readonly primary_disk_size: number;
  readonly volumes: readonly number[];
}

interface ApiServerType {
  readonly locations?: readonly { readonly name: string; readonly available: boolean }[];
}

interface ApiImage {
  readonly id: number;
  readonly created: string;
  readonly labels: Labels;
  readonly status: "available" | "creating" | "unavailable";
  readonly image_size: number | null;
}

export interface Patience {
  /** Pause between two looks, in seconds. @default 2 */
  readonly pauseSeconds?: number;
  /** Number of looks until a server that was asked to shut down is switched off. @default 150 */
  readonly shutdownLooks?: number;
  /** Number of looks until a snapshot must be there. @default 1800 */
  readonly snapshotLooks?: number;
}

/** Servers and snapshots of the token's Hetzner Cloud project. */
export function hetznerServers(
  access: HetznerAccess,
  { pauseSeconds = 2, shutdownLooks = 150, snapshotLooks = 1800 }: Patience = {},
): Servers {
  const api = new HetznerApi(access, pauseSeconds);
  const pause = () => sleep(pauseSeconds * 1000);

  return {
    cloud: "hetzner",
    parksBy: "snapshot",
    async find(labels) {
      const found = await api.list<ApiServer>("/servers", "servers", selecting(labels));
      return found.map(serverOf);
    },
    async stop(id) {
      if ((await statusOf(id)) === "off") return;
      await api.post(`/servers/${id}/actions/shutdown`);
      for (let look = 0; look < shutdownLooks; look++) {
        if ((await statusOf(id)) === "off") return;
        await pause();
      }
      await api.post(`/servers/${id}/actions/poweroff`);
    },
    start: async (id) => void (await api.post(`/servers/${id}/actions/poweron`)),
    restart: async (id) => void (await api.post(`/servers/${id}/actions/reboot`)),
    async isOffered(type, location) {
      const [found] = await api.list<ApiServerType>("/server_types", "server_types", { name: type });
      const places = found?.locations?.filter(({ name }) => name === location);
      return found !== undefined && (places === undefined || places.some(({ available }) => available));
    },
    async snapshots(labels) {
      const query = { ...selecting(labels), type: "snapshot", sort: "created:desc" };
      return (await api.list<ApiImage>("/images", "images", query)).map(snapshotOf);
    },
    async take(id, labels, description) {
      const { image } = await api.post<{ readonly image: ApiImage }>(`/servers/${id}/actions/create_image`, {
        type: "snapshot",
        description,
        labels,
      });
      return available(String(image.id));
    },
    available,
    relabel: (id, labels) => api.put(`/images/${id}`, { labels }),
    remove,
    async letGo(id) {
      const { server } = await api.find<{ server: ApiServer }>(`/servers/${id}`);
      if (server === undefined) return;
      await api.post(`/servers/${id}/actions/change_protection`, { delete: false, rebuild: false });
      for (const volume of server.volumes) await api.post(`/volumes/${volume}/actions/detach`);
      await api.delete(`/servers/${id}`);
    },
  };

  async function statusOf(id: string): Promise<string> {
    const { server } = await api.find<{ server: ApiServer }>(`/servers/${id}`);
    if (server === undefined) throw new Failure(`server ${id} does not exist at Hetzner Cloud any more`);
    return server.status;
  }

  async function available(id: string): Promise<Snapshot> {
    for (let look = 0; look < snapshotLooks; look++) {
      const { image } = await api.find<{ image: ApiImage }>(`/images/${id}`);
      if (image === undefined || image.status === "unavailable") {
        // One that failed would be found in place of the next one.
        if (image !== undefined) await remove(id);
        throw new Failure(`Hetzner Cloud did not make the snapshot ${id}: run this again`);
      }
      if (image.status === "available") return snapshotOf(image);
      await pause();
    }
    throw new Failure(`Hetzner Cloud is still making the snapshot ${id}: run this again later`);
  }

  async function remove(id: string): Promise<void> {
    const { image } = await api.find<{ image: { protection?: { delete: boolean } } }>(`/images/${id}`);
    if (image?.protection?.delete) {
      await api.post(`/images/${id}/actions/change_protection`, { delete: false });
    }
    await api.delete(`/images/${id}`);
  }
}

function selecting(labels: Labels): Readonly<Record<string, string>> {
  return { label_selector: selectorOf(labels) };
}

function serverOf({ id, name, status, image, primary_disk_size: diskGb }: ApiServer): Server {
  return { id: String(id), name, status, ...(image && { image: String(image.id) }), diskGb };
}

function snapshotOf({ id, created, labels, status, image_size }: ApiImage): Snapshot {
  return {
    id: String(id),
    created: new Date(created),
    labels,
    available: status === "available",
    ...(image_size !== null && { gb: image_size }),
  };
}
