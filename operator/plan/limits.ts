/** Limits of an account, which new ones often lack. */
import type { CloudName } from "../../bigbluebutton/capacity";
import type { Settings } from "../../settings";
import type { PlannedHost } from "./hosts";
import type { PlannedResource } from "./program";

const WHERE: Readonly<Record<CloudName, string>> = {
  hetzner: "console: Limits",
  aws: "Service Quotas: EC2, Running On-Demand Standard instances and Elastic IPs",
};

/** Limit of the certificate authority, which a pool may meet. */
export function certificateLimits(
  { pool, bbb, acme }: Pick<Settings, "pool" | "bbb" | "acme">,
  hosts: readonly PlannedHost[],
): readonly string[] {
  if (!pool || bbb.certificate.kind === "own" || !acme.server.includes("letsencrypt.org")) return [];
  return [
    `Let's Encrypt: ${hosts.length} certificates at first, of 50 a week for a domain; 5 a week for a server that is made anew`,
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
      `${own.length} ${own.length === 1 ? "server" : "servers"} (${own.map(({ serverType }) => serverType).join(", ")})`,
      ...(cpus(true) > 0 ? [`${cpus(true)} dedicated virtual CPUs`] : []),
      ...(cpus(false) > 0 ? [`${cpus(false)} shared ones`] : []),
      `${addresses} ${cloud === "hetzner" ? "primary IPs" : "Elastic IPs"}`,
      ...(groups > 0 ? [`${groups} ${groups === 1 ? "placement group" : "placement groups"}`] : []),
      ...(volumes > 0 ? [`${volumes} ${volumes === 1 ? "volume" : "volumes"}`] : []),
    ];
    const title = cloud === "hetzner" ? "Hetzner Cloud" : "AWS";
    return `${title}: ${what.join(", ")} (${WHERE[cloud]})`;
  });
}
