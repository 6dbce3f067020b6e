import { portRange } from "../../bigbluebutton/ports";
import { serverTypeKeys, sizeOf, type ServerTypeSize } from "../../clouds/serverTypes";
import { capacities, hostMinimum, type CloudName } from "../../bigbluebutton/capacity";
import type { HostArgs, Role } from "../../clouds/host";
import { hostArgs, hostRoles, hostSettings, poolHostArgs } from "../../clouds/hostArgs";
import type { Settings } from "../../settings";
import { serversFor } from "./pool";

/** Host, its name, its open ports, and its fitness for the number of users. */
export interface PlannedHost {
  readonly role: Role;
  readonly fqdn: string;
  /** Types of the records of its name. */
  readonly records: readonly ("A" | "AAAA")[];
  readonly cloud: CloudName;
  readonly location: string;
  readonly serverType: string;
  readonly image: string;
  /** Use of a baked image in place of `image`: refuses a server without one, or prefers it; null for none. */
  readonly baked: "required" | "preferred" | null;
  /** Size; null for a type that only its cloud knows. */
  readonly size: ServerTypeSize | null;
  readonly fit: Fit;
  readonly ports: readonly OpenPort[];
}

/** Traffic that the firewall allows; it drops everything else. */
export interface OpenPort {
  readonly protocol: "tcp" | "udp" | "icmp";
  /** Port or range, "443" or "16384-32768"; null for ICMP. */
  readonly port: string | null;
  /** Networks in CIDR form. */
  readonly from: readonly string[];
  readonly what: string;
}

/** Fitness of a host's size. */
export interface Fit {
  readonly verdict: "fits" | "too small" | "not known";
  /** Published figure, or the reason why there is none. */
  readonly says: string;
  /** Advice for a size that does not suffice. */
  readonly remedy?: string;
  readonly sources: readonly string[];
}

const ANYWHERE = ["0.0.0.0/0", "::/0"];

/** Hosts of the settings, in the order of a table. @param users Number of people in all meetings together. */
export function plannedHosts(
  settings: Settings,
  { ipv6, users }: { readonly ipv6: boolean; readonly users?: number },
): readonly PlannedHost[] {
  const { pool } = settings;
  const hosts = pool
    ? poolHostArgs(settings, pool.nodes)
    : hostRoles(settings).map((role) => hostArgs(settings, role));
  const share = users === undefined ? undefined : Math.ceil(users / (pool?.nodes ?? 1));
  return hosts.map((host) => {
    const planned = plannedHost(settings, host, { ipv6, users: share });
    return pool && users !== undefined && host.role === "bbb" ? inPool(planned, settings, users) : planned;
  });
}

/** Server of a pool, whose remedy for too many people is a larger pool. */
function inPool(host: PlannedHost, { bbb }: Settings, users: number): PlannedHost {
  const servers = serversFor(users, bbb);
  if (host.fit.verdict !== "too small" || servers === undefined) return host;
  return { ...host, fit: { ...host.fit, remedy: `pulumi config set servers ${servers}, one more included` } };
}

function plannedHost(
  settings: Settings,
  host: HostArgs,
  { ipv6, users }: { readonly ipv6: boolean; readonly users?: number },
): PlannedHost {
  const { role, fqdn, ports, cloud, location, serverType, image, baked } = host;
  const size = sizeOf(cloud, serverType);
  return {
    role,
    fqdn,
    // BigBlueButton has no AAAA record: its media servers have no IPv6.
    records: role === "turn" && ipv6 ? ["A", "AAAA"] : ["A"],
    cloud,
    location,
    serverType,
    image,
    baked: baked === undefined ? null : baked.required ? "required" : "preferred",
    size: size ?? null,
    fit: fitOf(settings, role, size, users),
    ports: [
      {
        protocol: "tcp",
        port: "22",
        from: settings.sshNetworks,
        what: "SSH: the operator's networks only",
      },
      { protocol: "icmp", port: null, from: ANYWHERE, what: "ICMP: path MTU discovery, ping" },
      ...ports.map((rule) => ({
        protocol: rule.protocol,
        port: portRange(rule),
        from: rule.sources ?? ANYWHERE,
        what: rule.role,
      })),
    ],
  };
}

function fitOf(settings: Settings, role: Role, size: ServerTypeSize | undefined, users?: number): Fit {
  const { cloud, serverType } = hostSettings(settings, role);
  if (!size) {
    const says = `nothing is known here of ${serverType}; the deployment checks the host before it installs anything`;
    return { verdict: "not known", says, sources: [] };
  }
  const minimum = hostMinimum(role, settings.release);
  // A machine has a little less memory than its type's name promises, as the kernel keeps some.
  const memoryKb = (size.memoryGb ?? Infinity) * 1_000_000;
  if (size.cpus < minimum.cores || memoryKb < minimum.memoryKb) {
    return {
      verdict: "too small",
      says: `${minimum.cores} CPUs and ${(minimum.memoryKb / 1_000_000).toFixed(1)} GB are the least that the installer takes`,
      remedy: remedy(role, cloud, 0),
      sources: settings.release.sources.slice(0, 1),
    };
  }
  if (role === "balancer") return balancerFit;
  return role === "bbb" ? capacityFit(cloud, size, users) : turnFit;
}

const turnFit: Fit = {
  verdict: "fits",
  says: "coturn needs little; what is relayed is limited by the network. No figures are published",
  sources: [],
};

const balancerFit: Fit = {
  verdict: "fits",
  says: "no sound or picture goes through a balancer, and it takes less than 1 GB of memory",
  sources: [],
};

function capacityFit(cloud: CloudName, size: ServerTypeSize, users?: number): Fit {
  const published = capacities.filter(({ cores }) => cores <= size.cores).at(-1);
  const { maxUsers, users: says, sources } = published ?? { maxUsers: 0, users: "no figure", sources: [] };
  const whose = size.dedicated ? "" : ", for cores of its own, which this type has not";
  const carries = `${size.cores} cores carry: ${says}${whose}`;
  if (users === undefined) return { verdict: "fits", says: carries, sources };
  if (users <= maxUsers && size.dedicated) return { verdict: "fits", says: carries, sources };
  const most = Math.max(...capacities.map(({ maxUsers }) => maxUsers));
  const enough = maxUsers >= most && size.dedicated;
  return {
    verdict: "too small",
    says: `${users} people are expected. ${carries}${enough ? "; no figure is published for more on one server" : ""}`,
    remedy: remedy("bbb", cloud, users),
    sources: capacities.flatMap(({ maxUsers, sources }) => (maxUsers === most ? sources : [])),
  };
}

/** Size for that number of users; several servers above the largest published figure. */
function remedy(role: Role, cloud: CloudName, users: number): string {
  if (role !== "bbb") return `pulumi config rm ${serverTypeKeys[role]}`;
  const enough = capacities.find(({ maxUsers }) => maxUsers >= users) ?? capacities.at(-1)!;
  const { name } = enough.types[cloud];
  const count = Math.ceil(users / Math.max(1, enough.maxUsers));
  return count <= 1
    ? `pulumi config set serverType ${name}`
    : `a pool of ${count} servers and one more (docs/pool.md), each with serverType ${name}`;
}
