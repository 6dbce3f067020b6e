/** The provider's data sources, called anew at every preview and update. */
import type { Context } from "../../driver";
import type { Value, Values } from "../../wire";
import { api, type Named } from "./common";

interface Deprecation {
  readonly announced: string;
  readonly unavailable_after: string;
}

export interface ServerType {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly category?: string;
  readonly cores: number;
  readonly memory: number;
  readonly disk: number;
  readonly storage_type: string;
  readonly cpu_type: string;
  readonly architecture: string;
  readonly deprecation?: Deprecation | null;
  readonly locations?: readonly {
    readonly id: number;
    readonly name: string;
    readonly available: boolean;
    readonly recommended: boolean;
    readonly deprecation: Deprecation | null;
  }[];
}

export interface Image {
  readonly id: number;
  readonly name: string | null;
  readonly type: string;
  readonly description: string;
  readonly created: string | null;
  readonly deprecated: string | null;
  readonly os_flavor: string;
  readonly os_version: string | null;
  readonly architecture: string;
  readonly rapid_deploy: boolean;
  readonly labels: Record<string, string>;
}

interface Location {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly city: string;
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly network_zone: string;
}

interface Zone extends Named {
  readonly mode: string;
  readonly ttl: number;
  readonly registrar?: string;
  readonly protection: { readonly delete: boolean };
  readonly authoritative_nameservers?: { readonly assigned?: string[] };
  readonly primary_nameservers?: readonly { readonly address: string; readonly port: number }[];
}

/** Gets one object: by id in the path, or by name the first of the matching list. */
async function one<T>(
  context: Context,
  collection: string,
  singular: string,
  args: Values,
  filter = "",
): Promise<T> {
  if (typeof args.id === "number") {
    const answer = await api(context).get<Record<string, T>>(`/${collection}/${args.id}`);
    return answer[singular] as T;
  }
  const query = `${filter}name=${encodeURIComponent(String(args.name))}`;
  const found = (await api(context).get<Record<string, T[]>>(`/${collection}?${query}`))[collection]?.[0];
  if (found === undefined) throw new Error(`no ${singular.replace("_", " ")} "${String(args.name)}" exists`);
  return found;
}

function deprecation(of: Deprecation | null | undefined): { [key: string]: Value } {
  return {
    isDeprecated: Boolean(of),
    deprecationAnnounced: of?.announced ?? "",
    unavailableAfter: of?.unavailable_after ?? "",
  };
}

export function serverTypeByName(context: Context, name: Value | undefined): Promise<ServerType> {
  return one(context, "server_types", "server_type", { name: name ?? null });
}

/** Gets an image by name, deprecated ones included: the caller sees their age. */
export function imageByName(context: Context, name: Value | undefined, architecture: string): Promise<Image> {
  const filter = `architecture=${architecture}&include_deprecated=true&`;
  return one(context, "images", "image", { name: name ?? null }, filter);
}

/** Gets all pages of a label selector's objects. @param filter More of the query, with `&` at its end. */
async function labelled<T>(
  context: Context,
  path: string,
  key: string,
  args: Values,
  filter = "",
): Promise<T[]> {
  const selector = encodeURIComponent(String(args.withSelector ?? ""));
  const all: T[] = [];
  for (let page: number | null = 1; page !== null;) {
    const query: string = `${filter}label_selector=${selector}&page=${page}&per_page=50`;
    const answer: Meta & Record<string, unknown> = await api(context).get(`${path}?${query}`);
    all.push(...((answer[key] ?? []) as T[]));
    page = answer.meta?.pagination?.next_page ?? null;
  }
  return all;
}

/** Gets the image by id, by name, or by labels. Of several with the labels it is the newest, if that is asked for. */
async function imageOf(args: Values, context: Context): Promise<Image> {
  const filter = [
    `architecture=${String(args.withArchitecture ?? "x86")}&`,
    args.includeDeprecated === true ? "include_deprecated=true&" : "",
    ...((args.withStatuses ?? []) as Value[]).map((status) => `status=${String(status)}&`),
  ].join("");
  if (args.withSelector === undefined) return one<Image>(context, "images", "image", args, filter);
  const found = await labelled<Image>(context, "/images", "images", args, filter);
  const [newest] = found.sort(newestFirst);
  if (newest === undefined) throw new Error(`no image found for selector "${String(args.withSelector)}"`);
  if (found.length > 1 && args.mostRecent !== true)
    throw new Error(`more than one image found for selector "${String(args.withSelector)}"`);
  return newest;
}

const newestFirst = (a: Image, b: Image) => Date.parse(b.created ?? "") - Date.parse(a.created ?? "");

function imageValues(image: Image): Values {
  return {
    id: image.id,
    name: image.name ?? "",
    type: image.type,
    description: image.description,
    created: image.created ?? "",
    deprecated: image.deprecated ?? "",
    osFlavor: image.os_flavor,
    osVersion: image.os_version ?? "",
    architecture: image.architecture,
    rapidDeploy: image.rapid_deploy,
    labels: image.labels,
  };
}

interface Meta {
  readonly meta?: { readonly pagination?: { readonly next_page: number | null } };
}

interface Listed extends Named {
  readonly server_type?: { readonly name: string };
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
 * Data source that lists by labels. Each object has id, name and labels; a server also has type and location, a primary
 * IP its address.
 */
function listed(name: string, collection: string, result: string) {
  return {
    [`hcloud:index/${name}:${name}`]: async (args: Values, context: Context): Promise<Values> => {
      const found = await labelled<Listed>(context, `/${collection}`, collection, args);
      const seen = found.map(({ id, name, labels, server_type, location, ip, type }) => ({
        ...{ id, name, labels: { ...labels } },
        ...(server_type && location ? { serverType: server_type.name, location: location.name } : {}),
        ...(ip !== undefined && type !== undefined ? { ipAddress: ip.split("/")[0] ?? "", type } : {}),
      }));
      return { ...args, id: "0", [result]: seen };
    },
  };
}

export const lookups = {
  "hcloud:index/getZone:getZone": async (args: Values, context: Context): Promise<Values> => {
    const reference = encodeURIComponent(String(args.id ?? args.name));
    const { zone } = await api(context).get<{ zone: Zone }>(`/zones/${reference}`);
    return {
      id: zone.id,
      name: zone.name,
      mode: zone.mode,
      ttl: zone.ttl,
      labels: { ...zone.labels },
      registrar: zone.registrar ?? "",
      deleteProtection: zone.protection.delete,
      authoritativeNameservers: { assigneds: zone.authoritative_nameservers?.assigned ?? [] },
      primaryNameservers: (zone.primary_nameservers ?? []).map(({ address, port }) => ({ address, port })),
    };
  },
  "hcloud:index/getServerType:getServerType": async (args: Values, context: Context): Promise<Values> => {
    const type = await one<ServerType>(context, "server_types", "server_type", args);
    return {
      id: type.id,
      name: type.name,
      description: type.description,
      category: type.category ?? "",
      cores: type.cores,
      memory: type.memory,
      disk: type.disk,
      storageType: type.storage_type,
      cpuType: type.cpu_type,
      architecture: type.architecture,
      includedTraffic: 0,
      ...deprecation(type.deprecation),
      locations: (type.locations ?? []).map(({ id, name, available, recommended, deprecation: old }) => ({
        ...{ id, name, available, recommended },
        ...deprecation(old),
      })),
    };
  },
  "hcloud:index/getImage:getImage": async (args: Values, context: Context): Promise<Values> => {
    return { ...args, ...imageValues(await imageOf(args, context)) };
  },
  ...listed("getServers", "servers", "servers"),
  "hcloud:index/getImages:getImages": async (args: Values, context: Context): Promise<Values> => {
    const filter = [
      ...((args.withArchitectures ?? []) as Value[]).map((one) => `architecture=${String(one)}&`),
      ...((args.withStatuses ?? []) as Value[]).map((status) => `status=${String(status)}&`),
    ].join("");
    const found = await labelled<Image>(context, "/images", "images", args, filter);
    if (args.mostRecent === true) found.sort(newestFirst);
    return { ...args, id: "0", images: found.map(imageValues) };
  },
  ...listed("getPrimaryIps", "primary_ips", "primaryIps"),
  ...listed("getFirewalls", "firewalls", "firewalls"),
  ...listed("getVolumes", "volumes", "volumes"),
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
    const location = await one<Location>(context, "locations", "location", args);
    const { id, name, description, city, country, latitude, longitude, network_zone } = location;
    return { id, name, description, city, country, latitude, longitude, networkZone: network_zone };
  },
};
