import { setTimeout as sleep } from "node:timers/promises";

import { HetznerApi, type HetznerAccess } from "./hetznerApi";
import { removeInOrder } from "./removal";
import type { CloudObject, InboundRule, Inventory, ObjectType } from ".";

type Labels = Readonly<Record<string, string>>;

interface Listed {
  readonly id: number;
  readonly name: string;
  readonly labels: Labels;
  readonly created?: string;
  readonly protection?: { readonly delete: boolean };
}

interface Rule {
  readonly direction: "in" | "out";
  readonly protocol: string;
  readonly port: string | null;
  readonly source_ips: readonly string[];
}

interface Server extends Listed {
  readonly status: string;
}
interface PrimaryIp extends Listed {
  readonly assignee_id: number | null;
}
interface Volume extends Listed {
  readonly server: number | null;
}
interface Firewall extends Listed {
  readonly rules: readonly Rule[];
  readonly applied_to: readonly { readonly server?: { readonly id: number } }[];
}
interface RecordSet {
  readonly name: string;
  readonly type: string;
  readonly labels: Labels;
  readonly protection?: { readonly change: boolean };
}

/** Order of deletion: a server holds addresses, firewall and volume; nothing else depends on another. */
const ORDER: readonly (readonly ObjectType[])[] = [
  ["record-set", "server"],
  ["address", "volume"],
  ["firewall", "placement-group", "ssh-key", "storage-box"],
];

const PATHS: Partial<Record<ObjectType, string>> = {
  server: "/servers",
  address: "/primary_ips",
  volume: "/volumes",
  firewall: "/firewalls",
  "placement-group": "/placement_groups",
  "ssh-key": "/ssh_keys",
  "storage-box": "/storage_boxes",
};

/** Number of looks until a removed server no longer holds its parts. */
const TRIES = 60;

/** Objects with our labels in the token's Hetzner Cloud project. */
export function hetznerInventory(access: HetznerAccess, pauseSeconds = 1): Inventory {
  const api = new HetznerApi(access, pauseSeconds);
  const boxApi = new HetznerApi(access, pauseSeconds, "boxes");

  return {
    cloud: "hetzner",
    list: async (project) => {
      const query = { label_selector: `project==${project}` };
      const [servers, addresses, volumes, firewalls, groups, keys, boxes, recordSets] = await Promise.all([
        api.list<Server>("/servers", "servers", query),
        api.list<PrimaryIp>("/primary_ips", "primary_ips", query),
        api.list<Volume>("/volumes", "volumes", query),
        api.list<Firewall>("/firewalls", "firewalls", query),
        api.list<Listed>("/placement_groups", "placement_groups", query),
        api.list<Listed>("/ssh_keys", "ssh_keys", query),
        boxApi.list<Listed>("/storage_boxes", "storage_boxes", query),
        listRecordSets(query),
      ]);
      const all = [
        ...servers.map((one) => ({ ...common("server", one), status: one.status, server: String(one.id) })),
        ...addresses.map((one) => ({ ...common("address", one), server: text(one.assignee_id) })),
        ...volumes.map((one) => ({ ...common("volume", one), server: text(one.server) })),
        ...firewalls.map((one) => ({
          ...common("firewall", one),
          appliedTo: one.applied_to.flatMap(({ server }) => (server ? [String(server.id)] : [])),
          inbound: inboundRules(one.rules),
        })),
        ...groups.map((one) => common("placement-group", one)),
        ...keys.map((one) => common("ssh-key", one)),
        ...boxes.map((one) => common("storage-box", one)),
        ...recordSets,
      ];
      // A selector that the API should come to read in another way must not make others' things ours.
      return all.filter(({ labels }) => labels.project === project);
    },
    remove: (objects) => {
      const going = objects.filter(({ type }) => type === "server").map(({ id }) => id);
      return removeInOrder(objects, ORDER, (object) => remove(object, going));
    },
  };

  async function listRecordSets(query: Readonly<Record<string, string>>): Promise<CloudObject[]> {
    const zones = await api.list<Listed>("/zones", "zones");
    const sets = zones.map(async (zone) =>
      (await api.list<RecordSet>(`/zones/${zone.id}/rrsets`, "rrsets", query)).map(
        ({ name, type, labels, protection }): CloudObject => ({
          cloud: "hetzner",
          type: "record-set",
          id: `${zone.name}/${name}/${type}`,
          name: `${name === "@" ? zone.name : `${name}.${zone.name}`} ${type}`,
          labels,
          protected: protection?.change ?? false,
        }),
      ),
    );
    return (await Promise.all(sets)).flat();
  }

  async function remove({ type, id }: CloudObject, going: readonly string[]): Promise<void> {
    if (type === "record-set") {
      const [zone = "", name = "", kind = ""] = id.split("/").map(encodeURIComponent);
      return api.delete(`/zones/${zone}/rrsets/${name}/${kind}`);
    }
    const path = PATHS[type];
    if (path === undefined) throw new Error(`a ${type} at Hetzner Cloud can't be removed from here`);
    if (type === "volume" || type === "address") await free(`${path}/${id}`, going);
    return (type === "storage-box" ? boxApi : api).delete(`${path}/${id}`);
  }

  /** Waits until servers that are being deleted release an object. One that stays keeps it. */
  async function free(path: string, going: readonly string[]): Promise<void> {
    for (let tried = 1; ; tried++) {
      const { volume, primary_ip: address } = await api.find<Holdable>(path);
      const holder = volume?.server ?? address?.assignee_id ?? null;
      if (holder === null) return;
      if (!going.includes(String(holder))) throw new Error(`server ${holder} has it, which stays`);
      if (tried >= TRIES) throw new Error(`server ${holder} still has it`);
      await sleep(pauseSeconds * 1000);
    }
  }
}

interface Holdable {
  readonly volume?: Volume;
  readonly primary_ip?: PrimaryIp;
}

function common(type: ObjectType, { id, name, labels, created, protection }: Listed): CloudObject {
  return {
    cloud: "hetzner",
    type,
    id: String(id),
    name,
    labels,
    created: created === undefined ? undefined : new Date(created),
    protected: protection?.delete ?? false,
  };
}

function text(id: number | null): string | undefined {
  return id === null ? undefined : String(id);
}

function inboundRules(rules: readonly Rule[]): InboundRule[] {
  return rules
    .filter(({ direction }) => direction === "in")
    .map(({ protocol, port, source_ips }) => ({
      protocol: protocol as InboundRule["protocol"],
      ...(port === null ? {} : { port }),
      sources: source_ips,
    }));
}
