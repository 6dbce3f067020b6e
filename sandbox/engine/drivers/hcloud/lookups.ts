/** The provider's data sources, called anew at every preview and update: what the program reads of them. */
import type { Context } from "../../driver";
import type { Value, Values } from "../../wire";
import { api, boxApi, type Named } from "./common";

export interface ServerType {
  readonly id: number;
  readonly name: string;
  readonly architecture: string;
  readonly disk: number;
  readonly locations?: readonly {
    readonly name: string;
    readonly available: boolean;
    readonly deprecation: object | null;
  }[];
}

export interface Image {
  readonly id: number;
  readonly created: string | null;
  readonly deprecated: string | null;
  readonly labels: Record<string, string>;
}

interface Zone extends Named {
  readonly authoritative_nameservers?: { readonly assigned?: string[] };
}

/** Gets the first object of a name. */
async function one<T>(
  context: Context,
  collection: string,
  singular: string,
  name: Value | undefined,
  filter = "",
  hcloud = api(context),
): Promise<T> {
  const query = `${filter}name=${encodeURIComponent(String(name))}`;
  const found = (await hcloud.get<Record<string, T[]>>(`/${collection}?${query}`))[collection]?.[0];
  if (found === undefined) throw new Error(`no ${singular} "${String(name)}" exists`);
  return found;
}

export function serverTypeByName(context: Context, name: Value | undefined): Promise<ServerType> {
  return one(context, "server_types", "server type", name);
}

/** Gets an image by name, deprecated ones included: the caller sees their age. */
export function imageByName(context: Context, name: Value | undefined, architecture: string): Promise<Image> {
  const filter = `architecture=${architecture}&include_deprecated=true&`;
  return one(context, "images", "image", name, filter);
}

/** Gets all pages of a label selector's objects. @param filter More of the query, with `&` at its end. */
async function labelled<T>(
  context: Context,
  path: string,
  key: string,
  args: Values,
  filter = "",
  hcloud = api(context),
): Promise<T[]> {
  const selector = encodeURIComponent(String(args.withSelector ?? ""));
  const all: T[] = [];
  for (let page: number | null = 1; page !== null;) {
    const query: string = `${filter}label_selector=${selector}&page=${page}&per_page=50`;
    const answer: Meta & Record<string, unknown> = await hcloud.get(`${path}?${query}`);
    all.push(...((answer[key] ?? []) as T[]));
    page = answer.meta?.pagination?.next_page ?? null;
  }
  return all;
}

const newestFirst = (a: Image, b: Image) => Date.parse(b.created ?? "") - Date.parse(a.created ?? "");

interface Meta {
  readonly meta?: { readonly pagination?: { readonly next_page: number | null } };
}

interface Listed extends Named {
  readonly server_type?: { readonly name: string };
  readonly status?: string;
  readonly location?: { readonly name: string };
  /** Address of a primary IP; that of IPv6 is a network, "2001:db8:0:4::/64". */
  readonly ip?: string;
  readonly type?: string;
}

interface RecordSet extends Named {
  readonly type: string;
  readonly ttl: number | null;
  readonly records: readonly { readonly value: string; readonly comment?: string }[];
}

/**
 * Data source that lists by labels. Each object has id, name and labels; a server also has type, status and location, a primary
 * IP its address.
 */
function listed(name: string, collection: string, result: string, of = api) {
  return {
    [`hcloud:index/${name}:${name}`]: async (args: Values, context: Context): Promise<Values> => {
      const found = await labelled<Listed>(context, `/${collection}`, collection, args, "", of(context));
      const seen = found.map(({ id, name, labels, server_type, status = "", location, ip, type }) => ({
        ...{ id, name, labels: { ...labels } },
        ...(server_type && location ? { serverType: server_type.name, status, location: location.name } : {}),
        ...(ip !== undefined && type !== undefined ? { ipAddress: ip.split("/")[0] ?? "", type } : {}),
      }));
      return { ...args, id: "0", [result]: seen };
    },
  };
}

export const lookups = {
  "hcloud:index/getZone:getZone": async (args: Values, context: Context): Promise<Values> => {
    const { zone } = await api(context).get<{ zone: Zone }>(
      `/zones/${encodeURIComponent(String(args.name))}`,
    );
    const assigneds = zone.authoritative_nameservers?.assigned ?? [];
    return { id: zone.id, name: zone.name, authoritativeNameservers: { assigneds } };
  },
  "hcloud:index/getServerType:getServerType": async (args: Values, context: Context): Promise<Values> => {
    const { id, name, disk, locations = [] } = await serverTypeByName(context, args.name);
    return {
      ...{ id, name, disk },
      locations: locations.map(({ name, available, deprecation }) => ({
        ...{ name, available },
        isDeprecated: deprecation !== null,
      })),
    };
  },
  ...listed("getServers", "servers", "servers"),
  "hcloud:index/getImages:getImages": async (args: Values, context: Context): Promise<Values> => {
    const filter = [
      ...((args.withArchitectures ?? []) as Value[]).map((one) => `architecture=${String(one)}&`),
      ...((args.withStatuses ?? []) as Value[]).map((status) => `status=${String(status)}&`),
    ].join("");
    const found = await labelled<Image>(context, "/images", "images", args, filter);
    if (args.mostRecent === true) found.sort(newestFirst);
    return { ...args, id: "0", images: found.map(({ id, labels }) => ({ id, labels })) };
  },
  ...listed("getPrimaryIps", "primary_ips", "primaryIps"),
  ...listed("getFirewalls", "firewalls", "firewalls"),
  ...listed("getPlacementGroups", "placement_groups", "placementGroups"),
  ...listed("getVolumes", "volumes", "volumes"),
  ...listed("getStorageBoxes", "storage_boxes", "storageBoxes", boxApi),
  "hcloud:index/getStorageBoxType:getStorageBoxType": async (
    args: Values,
    context: Context,
  ): Promise<Values> => {
    const { id, name } = await one<Named>(
      ...([context, "storage_box_types", "storage box type", args.name, "", boxApi(context)] as const),
    );
    return { id, name };
  },
  ...listed("getSshKeys", "ssh_keys", "sshKeys"),
  "hcloud:index/getZoneRrsets:getZoneRrsets": async (args: Values, context: Context): Promise<Values> => {
    const path = `/zones/${encodeURIComponent(String(args.zone))}/rrsets`;
    const rrsets = await labelled<RecordSet>(context, path, "rrsets", args);
    const seen = rrsets.map(({ id, name, type, ttl, labels, records }) => ({
      ...{ id, name, type, ttl: ttl ?? 0, labels: { ...labels } },
      records: records.map(({ value, comment = "" }) => ({ value, comment })),
    }));
    return { ...args, id: "0", rrsets: seen };
  },
  "hcloud:index/getLocation:getLocation": async (args: Values, context: Context): Promise<Values> => {
    const { id, name } = await one<Named>(context, "locations", "location", args.name);
    return { id, name };
  },
};
