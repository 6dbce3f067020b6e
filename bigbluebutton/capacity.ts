import type { Minimum, Release } from "./releases";

/** Clouds with defaults. */
export type CloudName = "hetzner" | "aws";

/** Minimum of a host before anything is installed; preflight refuses a smaller one. */
export interface HostMinimum extends Minimum {
  /** Free space of the root file system, in GB. */
  readonly diskGb: number;
}

/** Minimum of the TURN host; coturn itself needs less than any cloud sells. */
const turnMinimum: HostMinimum = { memoryKb: 450_000, cores: 1, ipv6: false, diskGb: 2 };

/** Minimum of a balancer: Scalelite, PostgreSQL and Redis take some 600 MB together, their packages and images some 3 GB. */
const balancerMinimum: HostMinimum = { memoryKb: 1_800_000, cores: 2, ipv6: false, diskGb: 8 };

/**
 * Minimum of a host of a role. For BigBlueButton: the installer's own limits, and space for its packages and container
 * images (some 15 GB; recordings are on a volume of their own).
 */
export function hostMinimum(role: keyof ServerTypes, release: Release): HostMinimum {
  if (role === "bbb") return { ...release.minimum, diskGb: 20 };
  return role === "turn" ? turnMinimum : balancerMinimum;
}

/**
 * Size of the server's disk in GB, for a cloud whose server types have none of their own (EC2). For BigBlueButton:
 * packages, container images, logs, swap and a day's raw recordings. It may grow later, never shrink.
 */
export const diskGb = { bbb: 100, turn: 16, balancer: 40 } as const;

/** Swap in MB for a host without any: BigBlueButton's docs ask for 16 GB of memory "with swap enabled". */
export const swapMb = { bbb: 4096, turn: 1024, balancer: 1024 } as const;

/** Server types of one cloud for one purpose. */
export interface ServerTypes {
  readonly bbb: string;
  readonly turn: string;
  readonly balancer: string;
}

/**
 * Default server types. BigBlueButton's docs ask for 8 dedicated cores and 16 GB in production; 4 cores and 8 GB
 * suffice for trials. Never a burstable type, never ARM; shared cores only for a TURN server for trials, and for a
 * balancer, through which no sound goes.
 */
export const defaultServerTypes: Readonly<Record<CloudName, { test: ServerTypes; prod: ServerTypes }>> = {
  hetzner: {
    test: { bbb: "ccx23", turn: "cpx22", balancer: "cx33" },
    prod: { bbb: "ccx33", turn: "ccx13", balancer: "cpx32" },
  },
  aws: {
    test: { bbb: "c7a.xlarge", turn: "c7a.large", balancer: "c7a.large" },
    prod: { bbb: "c7a.2xlarge", turn: "c7a.large", balancer: "c7a.large" },
  },
};

/** Default location of a deployment, by cloud. */
export const defaultLocations: Readonly<Record<CloudName, string>> = { hetzner: "fsn1", aws: "eu-central-1" };

/** Capacity of a size of server. */
export interface Capacity {
  readonly cores: number;
  /** Server type on each cloud, with its memory in GB. */
  readonly types: Readonly<Record<CloudName, { readonly name: string; readonly memoryGb: number }>>;
  /** Number of people in all meetings of the server together, in words. */
  readonly users: string;
  /** Number of people; 0 where only figures for tests are published. */
  readonly maxUsers: number;
  readonly sources: readonly string[];
}

/**
 * Published figures. Those from before BigBlueButton 2.5 are left out, since its media server was another one. The
 * number of cameras decides: streams grow with the square of the people who show theirs.
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
 * Names of ARM types: Hetzner's cax…; EC2's Graviton families, with a "g" after their generation (t4g, c7gn), and a1.
 */
const ARM_TYPE = /^(cax\d+$|a1(\.|$)|[a-z]+\d+g[a-z]*(\.|$))/i;

/** True for a server type of any cloud with ARM processors, for which BigBlueButton has no packages. */
export function isArmServerType(serverType: string): boolean {
  return ARM_TYPE.test(serverType);
}

/**
 * Names of types with shared time: EC2's burstable families (t1 to t4g) and flex ones, which promise a whole core for
 * part of the time only, and Hetzner's shared ones (cx…, cpx…).
 */
const PART_TIME_TYPE = /^((t\d[a-z]*|[a-z]+\d[a-z]*-flex)(\.|$)|cp?x\d+$)/i;

/** True for a server type of any cloud whose name says that its cores are shared. */
export function isPartTimeServerType(serverType: string): boolean {
  return PART_TIME_TYPE.test(serverType);
}
