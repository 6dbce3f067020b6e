import type { Minimum, Release } from "./releases";

/** The clouds that there are defaults for. */
export type CloudName = "hetzner" | "aws";

/** What a host must have before anything is installed; preflight refuses to go on without. */
export interface HostMinimum extends Minimum {
  /** GB free on the root file system. */
  readonly diskGb: number;
}

/** coturn itself is content with less than any cloud sells. */
const turnMinimum: HostMinimum = { memoryKb: 450_000, cores: 1, ipv6: false, diskGb: 2 };

/**
 * The least that a host of a role must have: for BigBlueButton what the release's installer enforces, and room for
 * its packages and container images (some 15 GB; recordings are on a volume of their own).
 */
export function hostMinimum(role: "bbb" | "turn", release: Release): HostMinimum {
  return role === "bbb" ? { ...release.minimum, diskGb: 20 } : turnMinimum;
}

/**
 * The server's disk in GB, where a cloud's server types have none of their own (EC2): for BigBlueButton the packages,
 * container images, logs, swap and a day's raw recordings. It may grow later, never shrink.
 */
export const diskGb = { bbb: 100, turn: 16 } as const;

/** Swap of a host without any, in MB: BigBlueButton's docs ask for 16 GB of memory "with swap enabled". */
export const swapMb = { bbb: 4096, turn: 1024 } as const;

/** Server types of one cloud for one purpose. */
export interface ServerTypes {
  readonly bbb: string;
  readonly turn: string;
}

/**
 * Server types where the settings name none. BigBlueButton's docs ask for 8 dedicated cores and 16 GB in production;
 * 4 cores and 8 GB do for trying out. Never a burstable type, never ARM; shared cores only for a TURN server to try out.
 */
export const defaultServerTypes: Readonly<Record<CloudName, { test: ServerTypes; prod: ServerTypes }>> = {
  hetzner: {
    test: { bbb: "ccx23", turn: "cpx22" },
    prod: { bbb: "ccx33", turn: "ccx13" },
  },
  aws: {
    test: { bbb: "c7a.xlarge", turn: "c7a.large" },
    prod: { bbb: "c7a.2xlarge", turn: "c7a.large" },
  },
};

/** Where a deployment goes if the settings don't say. */
export const defaultLocations: Readonly<Record<CloudName, string>> = { hetzner: "fsn1", aws: "eu-central-1" };

/** What a size of server carries. */
export interface Capacity {
  readonly cores: number;
  /** Server type on each cloud, with its memory in GB. */
  readonly types: Readonly<Record<CloudName, { readonly name: string; readonly memoryGb: number }>>;
  /** People in all meetings of the server together. */
  readonly users: string;
  /** The same as a number; 0 where nothing but tests is published. */
  readonly maxUsers: number;
  readonly sources: readonly string[];
}

/**
 * Published figures only. Those from before BigBlueButton 2.5 are left out, since its media server is another one.
 * Cameras decide, not heads: streams grow with the square of the people who show theirs.
 */
export const capacities: readonly Capacity[] = [
  {
    cores: 4,
    types: { hetzner: { name: "ccx23", memoryGb: 16 }, aws: { name: "c7a.xlarge", memoryGb: 8 } },
    users: "development and tests only",
    maxUsers: 0,
    sources: ["https://docs.bigbluebutton.org/administration/install/#minimum-server-requirements"],
  },
  {
    cores: 8,
    types: { hetzner: { name: "ccx33", memoryGb: 32 }, aws: { name: "c7a.2xlarge", memoryGb: 16 } },
    users: "about 200, no meeting over 200; 107 people in 7 meetings were measured at half the CPU",
    maxUsers: 200,
    sources: [
      "https://docs.bigbluebutton.org/support/faq/",
      "https://sachachua.com/blog/2025/01/scaling-a-bigbluebutton-server-down-to-a-1-gb-node-between-uses",
    ],
  },
];

/**
 * Hetzner's ARM types are cax…; EC2's Graviton families have a "g" after their generation (t4g, c7gn), but for the
 * first, a1.
 */
const ARM_TYPE = /^(cax\d+$|a1(\.|$)|[a-z]+\d+g[a-z]*(\.|$))/i;

/** Whether a server type, of whichever cloud, has ARM processors, for which BigBlueButton has no packages. */
export function isArmServerType(serverType: string): boolean {
  return ARM_TYPE.test(serverType);
}

/**
 * EC2's burstable families (t1 to t4g) and the flex ones, which promise all of a core for part of the time only, and
 * Hetzner's shared ones (cx…, cpx…).
 */
const PART_TIME_TYPE = /^((t\d[a-z]*|[a-z]+\d[a-z]*-flex)(\.|$)|cp?x\d+$)/i;

/** Whether a server type, of whichever cloud, is named as one whose cores are not its own all the time. */
export function isPartTimeServerType(serverType: string): boolean {
  return PART_TIME_TYPE.test(serverType);
}
