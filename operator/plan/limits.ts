/** Limits of an account, which new ones often lack. */
import type { CloudName } from "../../bigbluebutton/capacity";
import type { Settings } from "../../settings";
import type { PlannedHost } from "./hosts";
import type { PlannedResource } from "./program";

const WHERE: Readonly<Record<CloudName, string>> = {
  hetzner: "console: Limits",
  aws: "Service Quotas: EC2, Running On-Demand Standard instances and Elastic IPs",
};

/** Number of certificates at once from which on another way is better. */
const MANY_CERTIFICATES = 40;

/** Elastic IPs of a region that a new account has: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const ELASTIC_IPS = 5;

/** Most servers of a placement group of the type spread; at AWS for each availability zone. */
const IN_GROUP: Readonly<Record<CloudName, number>> = { hetzner: 10, aws: 7 };

/** Limit of the certificate authority, which a pool may meet. */
export function certificateLimits(
  { pool, bbb, acme }: Pick<Settings, "pool" | "bbb" | "acme">,
  hosts: readonly PlannedHost[],
): readonly string[] {
  if (!pool || bbb.certificate.kind === "own" || !acme.server.includes("letsencrypt.org")) return [];
  const many =
    hosts.length >= MANY_CERTIFICATES
      ? ". That leaves little for others of the domain: a wildcard certificate (certificateFile) has no such limit"
      : "";
  return [
    `Let's Encrypt: ${hosts.length} certificates at first, of 50 a week for a domain; 5 a week for a server that is made anew${many}`,
  ];
}

/** Makes a sentence for each cloud that has servers. */
export function limitsOf(
  hosts: readonly PlannedHost[],
  resources: readonly PlannedResource[],
): readonly string[] {
  const clouds = [...new Set(hosts.map(({ cloud }) => cloud))];
  return clouds.map((cloud) => {
    const own = hosts.filter((host) => host.cloud === cloud);
    const cpus = (dedicated: boolean) =>
      own.reduce((sum, { size }) => sum + (size && size.dedicated === dedicated ? size.cpus : 0), 0);
    const count = (type: RegExp) => resources.filter((resource) => type.test(resource.type)).length;
    const [addresses, volumes] =
      cloud === "hetzner"
        ? [count(/^hcloud:index\/primaryIp:/), count(/^hcloud:index\/volume:/)]
        : [count(/^aws:ec2\/eip:/), count(/^aws:ebs\/volume:/)];
    const groups = count(/:PlacementGroup$/);
    const what = [
      `${own.length} ${own.length === 1 ? "server" : "servers"} (${counted(own.map(({ serverType }) => serverType))})`,
      ...(cpus(true) > 0 ? [`${cpus(true)} dedicated virtual CPUs`] : []),
      ...(cpus(false) > 0 ? [`${cpus(false)} shared ones`] : []),
      cloud === "hetzner"
        ? `${addresses} primary IPs`
        : `${addresses} Elastic IPs${addresses > ELASTIC_IPS ? `, where a new account has ${ELASTIC_IPS} in a region` : ""}`,
      ...(groups > 0
        ? [
            `${groups} ${groups === 1 ? "placement group" : "placement groups"} of at most ${IN_GROUP[cloud]} servers`,
          ]
        : []),
      ...(volumes > 0 ? [`${volumes} ${volumes === 1 ? "volume" : "volumes"}`] : []),
    ];
    const title = cloud === "hetzner" ? "Hetzner Cloud" : "AWS";
    return `${title}: ${what.join(", ")} (${WHERE[cloud]})`;
  });
}

/** Names with their numbers: "ccx13, 20 × ccx33". */
function counted(names: readonly string[]): string {
  const unique = [...new Set(names)];
  const number = (name: string) => names.filter((one) => one === name).length;
  return unique.map((name) => (number(name) > 1 ? `${number(name)} × ${name}` : name)).join(", ");
}
