/**
 * Hetzner's offers, as data: locations, server types and images of November 2026. Prices are net euros a month for new
 * orders after 2026-06-15, listed for the EU and repeated for the other locations. Types and ids marked "made up" test
 * a program's handling of them.
 */
export interface Location {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly country: string;
  readonly city: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly networkZone: string;
}

const location = (
  id: number,
  name: string,
  description: string,
  country: string,
  city: string,
  latitude: number,
  longitude: number,
  networkZone: string,
): Location => ({ id, name, description, country, city, latitude, longitude, networkZone });

export const locations: readonly Location[] = [
  location(1, "fsn1", "Falkenstein DC Park 1", "DE", "Falkenstein", 50.47612, 12.370071, "eu-central"),
  location(2, "nbg1", "Nuremberg DC Park 1", "DE", "Nuremberg", 49.452102, 11.076665, "eu-central"),
  location(3, "hel1", "Helsinki DC Park 1", "FI", "Helsinki", 60.169855, 24.938379, "eu-central"),
  location(4, "ash", "Ashburn, VA", "US", "Ashburn, VA", 39.045821, -77.487073, "us-east"),
  location(5, "hil", "Hillsboro, OR", "US", "Hillsboro, OR", 45.54222, -122.951924, "us-west"),
  location(6, "sin", "Singapore", "SG", "Singapore", 1.283333, 103.833333, "ap-southeast"),
];

export interface Deprecation {
  readonly announced: string;
  readonly unavailable_after: string;
}

export interface TypeLocation {
  readonly name: string;
  /** False for a type that is sold out. */
  readonly available: boolean;
  readonly deprecation: Deprecation | null;
}

export interface ServerType {
  readonly id: number;
  readonly name: string;
  readonly category: string;
  readonly cpuType: "shared" | "dedicated";
  readonly architecture: "x86" | "arm";
  readonly cores: number;
  /** Size in gigabytes, like the disk's. */
  readonly memory: number;
  readonly disk: number;
  readonly locations: readonly TypeLocation[];
  /** Price in net euros a month. */
  readonly price: number;
}

const eu = ["fsn1", "nbg1", "hel1"];
const us = ["ash", "hil"];
const retired: Deprecation = {
  announced: "2025-10-16T06:00:00Z",
  unavailable_after: "2025-12-31T23:59:59Z",
};
const sold = (names: readonly string[], available = true): TypeLocation[] =>
  names.map((name) => ({ name, available, deprecation: null }));
const gone = (names: readonly string[]): TypeLocation[] =>
  names.map((name) => ({ name, available: false, deprecation: retired }));

type Row = readonly [id: number, name: string, cores: number, memory: number, disk: number, price: number];

const family = (
  category: string,
  cpuType: ServerType["cpuType"],
  architecture: ServerType["architecture"],
  where: readonly TypeLocation[],
  rows: readonly Row[],
): ServerType[] =>
  rows.map(([id, name, cores, memory, disk, price]) => ({
    id,
    name,
    category,
    cpuType,
    architecture,
    cores,
    memory,
    disk,
    locations: where,
    price,
  }));

export const serverTypes: readonly ServerType[] = [
  ...family("Cost-Optimized", "shared", "x86", gone(eu), [
    [104, "cx22", 2, 4, 40, 3.79],
    [105, "cx32", 4, 8, 80, 6.8],
    [106, "cx42", 8, 16, 160, 16.4],
    [107, "cx52", 16, 32, 320, 32.4],
  ]),
  ...family("Cost-Optimized", "shared", "x86", sold(eu), [
    [114, "cx23", 2, 4, 40, 5.99],
    [115, "cx33", 4, 8, 80, 8.99],
    [116, "cx43", 8, 16, 160, 16.49],
    [117, "cx53", 16, 32, 320, 29.99],
  ]),
  // Often sold out, and here always: the sandbox has no arm hosts.
  ...family("Cost-Optimized", "shared", "arm", sold(eu, false), [
    [45, "cax11", 2, 4, 40, 6.49],
    [93, "cax21", 4, 8, 80, 10.99],
    [94, "cax31", 8, 16, 160, 21.49],
    [95, "cax41", 16, 32, 320, 41.49],
  ]),
  ...family(
    "Regular Performance",
    "shared",
    "x86",
    [...gone(eu), ...sold(us)],
    [
      [22, "cpx11", 2, 2, 40, 17.99],
      [23, "cpx21", 3, 4, 80, 34.99],
      [24, "cpx31", 4, 8, 160, 64.99],
      [25, "cpx41", 8, 16, 240, 119.99],
      [26, "cpx51", 16, 32, 360, 238.49],
    ],
  ),
  ...family("Regular Performance", "shared", "x86", sold([...eu, "sin"]), [
    [108, "cpx02", 1, 1, 20, 6.49],
    [109, "cpx12", 1, 2, 40, 11.99],
    [110, "cpx22", 2, 4, 80, 19.99],
    [111, "cpx32", 4, 8, 160, 35.99],
    [112, "cpx42", 8, 16, 320, 69.99],
    [113, "cpx52", 12, 24, 480, 100.99],
    [118, "cpx62", 16, 32, 640, 130.49],
  ]),
  ...family("General Purpose", "dedicated", "x86", sold([...eu, ...us, "sin"]), [
    [96, "ccx13", 2, 8, 80, 43.49],
    [97, "ccx23", 4, 16, 160, 86.49],
    [98, "ccx33", 8, 32, 240, 138.99],
    [99, "ccx43", 16, 64, 360, 276.49],
    [100, "ccx53", 32, 128, 600, 533.99],
    [101, "ccx63", 48, 192, 960, 853.99],
  ]),
];

export interface Image {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly flavor: string;
  readonly version: string;
  readonly architecture: "x86" | "arm";
  readonly created: string;
  /** Date of deprecation; orders end three months later. */
  readonly deprecated: string | null;
}

const image = (
  flavor: string,
  version: string,
  ids: { readonly x86: number; readonly arm: number },
  created: string,
  deprecated: string | null = null,
): Image[] =>
  (["x86", "arm"] as const).map((architecture) => ({
    id: ids[architecture],
    name: `${flavor}-${version}`,
    description: `${flavor === "ubuntu" ? "Ubuntu" : "Debian"} ${version}`,
    flavor,
    version,
    architecture,
    created,
    deprecated,
  }));

export const images: readonly Image[] = [
  ...image(
    "ubuntu",
    "20.04",
    { x86: 15512617, arm: 103908130 },
    "2020-04-23T17:55:14Z",
    "2025-05-31T00:00:00Z",
  ),
  ...image("ubuntu", "22.04", { x86: 67794396, arm: 103907373 }, "2022-04-21T13:32:38Z"),
  ...image("ubuntu", "24.04", { x86: 161547269, arm: 161547270 }, "2024-04-25T13:26:27Z"),
  // Ids made up from here on.
  ...image("ubuntu", "26.04", { x86: 361547269, arm: 361547270 }, "2026-04-23T13:00:00Z"),
  ...image("debian", "12", { x86: 114690387, arm: 114690389 }, "2023-06-13T06:00:02Z"),
  ...image("debian", "13", { x86: 310557660, arm: 310557661 }, "2025-08-11T06:00:00Z"),
];

/** Zone of the names of Storage Boxes. */
export const BOX_ZONE = "your-storagebox.de";

export interface StorageBoxType {
  readonly id: number;
  readonly name: string;
  /** Number of snapshots, also of those of a plan. */
  readonly snapshots: number;
  readonly terabytes: number;
  readonly locations: readonly string[];
  /** Price in net euros a month. */
  readonly price: number;
}

/** Storage Boxes. The prices of those above 1 TB, and all ids, are made up. */
export const storageBoxTypes: readonly StorageBoxType[] = (
  [
    [1333, "bx11", 10, 1, 3.2],
    [1334, "bx21", 20, 5, 10.9],
    [1335, "bx31", 30, 10, 20.8],
    [1336, "bx41", 40, 20, 40.6],
  ] as const
).map(([id, name, snapshots, terabytes, price]) => ({
  ...{ id, name, snapshots, terabytes, price },
  locations: ["fsn1", "hel1"],
}));

/** Sizes of volumes, in gigabytes. */
export const volumeSizes = { least: 10, most: 10240 } as const;
/** Prices in net euros. */
export const prices = {
  ipv4Month: 0.5,
  volumeGbMonth: 0.0572,
  imageGbMonth: 0.0143,
  backupPercent: 20,
} as const;
export const vatPercent = 19;

/** End of an image's orders: three months after its deprecation. */
export function unavailableAfter(deprecated: string): Date {
  const end = new Date(deprecated);
  end.setUTCMonth(end.getUTCMonth() + 3);
  return end;
}

type NamedById = { readonly id: number; readonly name: string };

/** Finds a row by id or by name; a number in text is an id. */
export function find<T extends NamedById>(rows: readonly T[], idOrName: number | string): T | undefined {
  return rows.find((row) => row.id === Number(idOrName) || row.name === idOrName);
}
