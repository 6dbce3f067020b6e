/** Monthly price at Hetzner Cloud, from the API's own price list (GET /pricing). */
import { HetznerApi, type HetznerAccess } from "../inventory/hetznerApi";
import { estimate, type Billable } from "./estimate";
import type { Amount, Position, Price } from "./price";
import type { PlannedResource } from "./program";
import { publishedPrices } from "./publishedPrices";
import { purposeNames, purposeOf } from "./resources";

interface Net {
  readonly net: string;
  readonly gross: string;
}

interface Located {
  readonly location: string;
  readonly price_monthly: Net;
}

/** Part of the answer to GET /pricing that is used; amounts are decimal text. */
export interface PriceList {
  readonly currency: string;
  readonly vat_rate: string;
  readonly primary_ips: readonly { readonly type: string; readonly prices: readonly Located[] }[];
  readonly server_backup: { readonly percentage: string };
  readonly server_types: readonly { readonly name: string; readonly prices: readonly Located[] }[];
  readonly volume: { readonly price_per_gb_month: Net };
}

/** Part of the answer to GET /storage_box_types, of Hetzner's other API, that is used. */
export interface BoxOffer {
  readonly name: string;
  readonly prices: readonly Located[];
}

/** Part of the answer to GET /server_types that is used. */
export interface Offer {
  readonly name: string;
  readonly locations?: readonly { readonly name: string; readonly available: boolean }[];
}

/** Item with a price at Hetzner Cloud. */
export type Item = { readonly of: string } & (
  | { readonly kind: "server"; readonly type: string; readonly location: string; readonly backups: boolean }
  | { readonly kind: "address"; readonly type: string; readonly location: string }
  | { readonly kind: "volume"; readonly gb: number }
  | { readonly kind: "box"; readonly type: string; readonly location: string }
);

/** All items with a price, in the order of a bill. Firewalls, records, keys and reverse DNS have none. */
export function itemsOf(resources: readonly PlannedResource[]): Item[] {
  const items = resources.flatMap((resource): Item[] => {
    const { type, inputs } = resource;
    const of = purposeNames[purposeOf(resource)];
    const location = String(inputs.location);
    switch (type) {
      case "hcloud:index/server:Server": {
        const backups = inputs.backups === true;
        return [{ of, kind: "server", type: String(inputs.serverType), location, backups }];
      }
      case "hcloud:index/primaryIp:PrimaryIp":
        return [{ of, kind: "address", type: String(inputs.type), location }];
      case "hcloud:index/volume:Volume":
        return [{ of, kind: "volume", gb: Number(inputs.size) }];
      case "hcloud:index/storageBox:StorageBox":
        return [{ of, kind: "box", type: String(inputs.storageBoxType), location }];
      default:
        return [];
    }
  });
  const order: readonly Item["kind"][] = ["server", "address", "volume", "box"];
  const rank = ({ kind }: Item) => order.indexOf(kind);
  return items.sort((a, b) => rank(a) - rank(b) || titleOf(a).localeCompare(titleOf(b)));
}

/** Name of an item in a bill. */
function titleOf(item: Item): string {
  switch (item.kind) {
    case "server":
      return `${item.of} server, ${item.type} in ${item.location}`;
    case "address":
      return `${item.of} ${item.type === "ipv4" ? "IPv4" : "IPv6"} address`;
    case "volume":
      return `${item.of} volume, ${item.gb} GB`;
    case "box":
      return `${item.of} backups, storage box ${item.type} in ${item.location}`;
  }
}

function billable(item: Item): Billable {
  const what = titleOf(item);
  switch (item.kind) {
    case "server": {
      const { type, location, backups } = item;
      return { what, server: type, place: location, ...(backups && { backups: backupsOf(item) }) };
    }
    case "address":
      return { what, addresses: item.type === "ipv4" ? 1 : 0 };
    case "volume":
      return { what, gigabytes: item.gb };
    case "box":
      return { what, storageBox: item.type };
  }
}

/** Name of a server's backups in a bill. */
function backupsOf({ of }: Item, percent = publishedPrices.hetzner.backupPercent): string {
  return `${of} backups, ${percent} % of its server`;
}

/** Amounts in cents, so that the sum is that of the positions as shown. */
interface Cents {
  readonly what: string;
  readonly net: number;
  readonly gross: number;
}

/** Bill of a month. */
export function bill(
  items: readonly Item[],
  list: PriceList,
  offers: readonly Offer[],
  boxes: readonly BoxOffer[] = [],
): { readonly positions: readonly Position[]; readonly sum: Amount; readonly remarks: readonly string[] } {
  const remarks: string[] = [];
  const positions = items.flatMap((item): Cents[] => {
    const what = titleOf(item);
    const found = monthly(item, list, boxes);
    if (!found) {
      remarks.push(`${what}: not in the price list, so not offered there`);
      return [];
    }
    const offer = item.kind === "server" && offers.find(({ name }) => name === item.type);
    const place = offer && offer.locations?.find(({ name }) => name === item.location);
    if (place && !place.available) remarks.push(`${what}: sold out there at this moment`);
    const one = { what, ...inCents(found, item.kind === "volume" ? item.gb : 1) };
    if (item.kind !== "server" || !item.backups) return one.net === 0 ? [] : [one];
    const { percentage } = list.server_backup;
    const share = Number(percentage) / 100;
    return [one, { what: backupsOf(item, Number(percentage)), ...inCents(found, share) }];
  });
  const total = (key: "net" | "gross") => positions.reduce((sum, one) => sum + one[key], 0);
  return {
    positions: positions.map(({ what, net, gross }) => ({ what, net: text(net), gross: text(gross) })),
    sum: { net: text(total("net")), gross: text(total("gross")) },
    remarks,
  };
}

function monthly(item: Item, list: PriceList, boxes: readonly BoxOffer[]): Net | undefined {
  switch (item.kind) {
    case "server":
      return at(
        list.server_types.find(({ name }) => name === item.type),
        item.location,
      );
    case "address":
      return at(
        list.primary_ips.find(({ type }) => type === item.type),
        item.location,
      );
    case "volume":
      return list.volume.price_per_gb_month;
    case "box":
      return at(
        boxes.find(({ name }) => name === item.type),
        item.location,
      );
  }
}

function at(priced: { readonly prices: readonly Located[] } | undefined, location: string): Net | undefined {
  return priced?.prices.find((price) => price.location === location)?.price_monthly;
}

function inCents({ net, gross }: Net, times: number): { readonly net: number; readonly gross: number } {
  return { net: Math.round(Number(net) * times * 100), gross: Math.round(Number(gross) * times * 100) };
}

function text(cents: number): string {
  return (cents / 100).toFixed(2);
}

/** Resources to price, and access to the price list. */
export interface HetznerPriceRequest {
  readonly resources: readonly PlannedResource[];
  /** Id of an existing volume that is to be used. */
  readonly adoptedVolume?: string;
  /** Access to the price list; undefined when it is not asked. */
  readonly access?: HetznerAccess;
  readonly now: Date;
}

/** Price of everything at Hetzner Cloud; undefined when nothing there costs anything. */
export async function hetznerPrice(request: HetznerPriceRequest): Promise<Price | undefined> {
  const { resources, adoptedVolume, access, now } = request;
  const items = itemsOf(resources);
  if (items.length === 0) return undefined;
  const existing = adoptedVolume ? [`the volume ${adoptedVolume}, which exists`] : [];
  const notAsked = (why: string, failed: boolean): Price => ({
    ...{ cloud: "hetzner", asked: false, why, failed },
    positions: [
      ...items.map(
        (item) => titleOf(item) + (item.kind === "server" && item.backups ? ", with backups" : ""),
      ),
      ...existing,
    ],
    estimate: estimate("hetzner", items.map(billable), existing),
  });
  if (!access) return notAsked("not asked (no HCLOUD_TOKEN)", false);
  const api = new HetznerApi(access);
  try {
    const [{ pricing }, offers, adopted, boxes] = await Promise.all([
      api.find<{ pricing: PriceList }>("/pricing"),
      api.list<Offer>("/server_types", "server_types"),
      adoptedVolume ? api.find<{ volume: { size: number } }>(`/volumes/${adoptedVolume}`) : undefined,
      items.some(({ kind }) => kind === "box") ? boxOffers(access) : [],
    ]);
    if (!pricing) return notAsked("Hetzner Cloud has no price list there", true);
    const { positions, sum, remarks } = bill([...items, ...volumeItem(adopted)], pricing, offers, boxes);
    const missing =
      adopted && !adopted.volume ? [`volume ${adoptedVolume}: the project has none of that id`] : [];
    return {
      ...{ cloud: "hetzner", asked: true, at: now.toISOString() },
      ...{ currency: pricing.currency, vatPercent: pricing.vat_rate },
      ...{ positions, sum, remarks: [...remarks, ...missing] },
    };
  } catch (error) {
    return notAsked(error instanceof Error ? error.message : String(error), true);
  }
}

function boxOffers(access: HetznerAccess): Promise<readonly BoxOffer[]> {
  return new HetznerApi(access, 1, "boxes").list<BoxOffer>("/storage_box_types", "storage_box_types");
}

function volumeItem(found?: { readonly volume?: { readonly size: number } }): Item[] {
  return found?.volume ? [{ of: "existing", kind: "volume", gb: found.volume.size }] : [];
}
