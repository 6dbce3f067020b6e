import { isPartTimeServerType, type CloudName } from "../bigbluebutton/capacity";

/** Settings of the server types of hosts. */
export const serverTypeKeys = {
  bbb: "serverType",
  turn: "turnServerType",
  balancer: "balancerServerType",
} as const;

/** Size of a server type. */
export interface ServerTypeSize {
  /** Number of virtual CPUs, which the machine and BigBlueButton's installer count. */
  readonly cpus: number;
  /** Number of cores: at EC2 most families have two virtual CPUs on each. */
  readonly cores: number;
  /** Memory in GB, if known. */
  readonly memoryGb?: number;
  /** True when its cores are its own all the time. */
  readonly dedicated: boolean;
}

/** CPUs and GB of Hetzner's x86 types (https://www.hetzner.com/cloud/, mid-2026). */
const hetznerTypes: Readonly<Record<string, readonly [cpus: number, memoryGb: number]>> = {
  cx23: [2, 4],
  cx33: [4, 8],
  cx43: [8, 16],
  cx53: [16, 32],
  cpx12: [1, 2],
  cpx22: [2, 4],
  cpx32: [4, 8],
  cpx42: [8, 16],
  cpx52: [12, 24],
  cpx62: [16, 32],
  ccx13: [2, 8],
  ccx23: [4, 16],
  ccx33: [8, 32],
  ccx43: [16, 64],
  ccx53: [32, 128],
  ccx63: [48, 192],
};

/** GB for each virtual CPU of EC2's families c, m and r (https://aws.amazon.com/ec2/instance-types/). */
const ec2Memory: Readonly<Record<string, number>> = { c: 2, m: 4, r: 8 };

const ec2Cpus: Readonly<Record<string, number>> = { medium: 1, large: 2, xlarge: 4 };

/**
 * Families whose virtual CPU is a core: AMD's of the seventh generation on
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/cpu-options-supported-instances-values.html).
 */
const WHOLE_CORES = /^[cmr][78]a$/;

/** Size of a type that is known without asking its cloud; undefined for an unknown type. */
export function sizeOf(cloud: CloudName, serverType: string): ServerTypeSize | undefined {
  const size = cloud === "hetzner" ? hetznerSize(serverType.toLowerCase()) : ec2Size(serverType);
  return size && { ...size, dedicated: !isPartTimeServerType(serverType) };
}

type Size = Omit<ServerTypeSize, "dedicated">;

function hetznerSize(serverType: string): Size | undefined {
  const known = hetznerTypes[serverType];
  return known && { cpus: known[0], cores: known[0], memoryGb: known[1] };
}

/** Size of an EC2 type: sizes double from large to xlarge to 2xlarge, and 4xlarge is twice that. */
function ec2Size(serverType: string): Size | undefined {
  const [, family = "", series, size = ""] = /^(([a-z])[a-z0-9-]*)\.([a-z0-9]+)$/.exec(serverType) ?? [];
  const [, times] = /^(\d+)xlarge$/.exec(size) ?? [];
  const cpus = times ? Number(times) * 4 : ec2Cpus[size];
  if (cpus === undefined) return undefined;
  const perCpu = ec2Memory[series ?? ""];
  return {
    cpus,
    cores: WHOLE_CORES.test(family) ? cpus : Math.max(1, cpus / 2),
    memoryGb: perCpu && cpus * perCpu,
  };
}
