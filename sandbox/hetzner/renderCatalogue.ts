import {
  type Location,
  locations,
  prices,
  type ServerType,
  type StorageBoxType,
  vatPercent,
} from "./catalogue";

type Json = Record<string, unknown>;

/** Hetzner's JSON of a location, given by name or as an object. */
export function renderLocation(location: Location | string): Json {
  const found = typeof location === "string" ? locations.find(({ name }) => name === location) : location;
  if (!found) throw new Error(`no location ${String(location)} in the catalogue`);
  const { networkZone, ...rest } = found;
  return { ...rest, network_zone: networkZone };
}

/** Amount in euros in the API's form: decimal strings, net and with value added tax. */
function amount(net: number): { net: string; gross: string } {
  return { net: net.toFixed(10), gross: (net * (1 + vatPercent / 100)).toFixed(10) };
}

const hoursPerMonth = 624; // a month is capped at 26 days' worth of hours

/** Prices of a server type in each location. */
function renderPrices(type: ServerType): Json[] {
  return type.locations.map(({ name }) => ({
    location: name,
    price_hourly: amount(type.price / hoursPerMonth),
    price_monthly: amount(type.price),
    included_traffic: includedTraffic(name),
    price_per_tb_traffic: amount(name === "sin" ? 7.4 : 1),
  }));
}

/** Included traffic in bytes a month. */
export function includedTraffic(location: string): number {
  const terabytes = ["fsn1", "nbg1", "hel1"].includes(location) ? 20 : 1;
  return terabytes * 1024 ** 4;
}

export function renderServerType(type: ServerType): Json {
  const deprecations = type.locations.map((location) => location.deprecation);
  const everywhere = deprecations.every(Boolean) ? (deprecations[0] ?? null) : null;
  return {
    id: type.id,
    name: type.name,
    description: type.name.toUpperCase(),
    category: type.category,
    cores: type.cores,
    memory: type.memory,
    disk: type.disk,
    storage_type: "local",
    cpu_type: type.cpuType,
    architecture: type.architecture,
    prices: renderPrices(type),
    deprecated: everywhere !== null,
    deprecation: everywhere,
    locations: type.locations.map(({ name, available, deprecation }) => ({
      id: locations.find((location) => location.name === name)?.id,
      name,
      deprecation,
      available,
      recommended: available,
    })),
  };
}

export function renderStorageBoxType(type: StorageBoxType): Json {
  return {
    id: type.id,
    name: type.name,
    description: type.name.toUpperCase(),
    snapshot_limit: type.snapshots,
    automatic_snapshot_limit: type.snapshots,
    subaccounts_limit: 100,
    size: type.terabytes * 1024 ** 4,
    prices: type.locations.map((location) => ({
      location,
      price_hourly: amount(type.price / hoursPerMonth),
      price_monthly: amount(type.price),
      setup_fee: amount(0),
    })),
    deprecation: null,
  };
}

/** Body of GET /pricing for these server types. */
export function renderPricing(types: readonly ServerType[]): Json {
  const everywhere = (net: number): Json[] =>
    locations.map(({ name }) => ({
      location: name,
      price_hourly: amount(net / hoursPerMonth),
      price_monthly: amount(net),
    }));
  return {
    currency: "EUR",
    vat_rate: vatPercent.toFixed(2),
    image: { price_per_gb_month: amount(prices.imageGbMonth) },
    floating_ips: [],
    primary_ips: [
      { type: "ipv4", prices: everywhere(prices.ipv4Month) },
      { type: "ipv6", prices: everywhere(0) },
    ],
    server_backup: { percentage: prices.backupPercent.toFixed(2) },
    server_types: types.map((type) => ({ id: type.id, name: type.name, prices: renderPrices(type) })),
    load_balancer_types: [],
    volume: { price_per_gb_month: amount(prices.volumeGbMonth) },
  };
}
