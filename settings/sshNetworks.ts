import { turnPorts } from "../bigbluebutton/ports";
import { releases } from "../bigbluebutton/releases";
import { type FieldValues } from "./fields";
import { setCommand } from "./remedies";
import type { Problem } from "./problems";

/** Number of CIDRs in one rule of a firewall at Hetzner Cloud (https://docs.hetzner.com/cloud/firewalls/faq/). */
const HETZNER_NETWORKS = 100;

/**
 * Number of inbound rules of a security group, for IPv4 and for IPv6 each, under the account's usual quota
 * (https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html).
 */
const AWS_RULES = 60;

/** Problems of all networks of SSH together, each of which is valid by itself. */
export function sshNetworkProblems(values: Partial<FieldValues>): Problem[] {
  const { sshNetworks: networks = [] } = values;
  if (networks.length === 0) return [];
  const problem = (reason: string, remedy: string): Problem => ({ key: "sshNetworks", reason, remedy });
  const ipv4 = networks.filter((network) => !network.includes(":"));
  if (ipv4.length === 0) {
    return [
      problem(
        "has IPv6 networks only, but the deployment connects to the servers' IPv4 addresses",
        `${setCommand(`--path 'sshNetworks[${networks.length}]'`, "YOUR-ADDRESS/32")}, with what curl -4 https://ifconfig.me prints`,
      ),
    ];
  }
  const fewer = "name fewer and larger ones, or the one address of a VPN or jump host that all come from";
  return cloudsOf(values).flatMap((cloud) => {
    if (cloud === "hetzner") {
      if (networks.length <= HETZNER_NETWORKS) return [];
      return [
        problem(
          `has ${networks.length}; a firewall's rule at Hetzner Cloud takes ${HETZNER_NETWORKS}`,
          fewer,
        ),
      ];
    }
    const most = AWS_RULES - otherRules(values);
    return [
      { networks: ipv4, family: "IPv4" },
      { networks: networks.filter((network) => network.includes(":")), family: "IPv6" },
    ].flatMap(({ networks, family }) =>
      networks.length <= most
        ? []
        : [
            problem(
              `has ${networks.length} of ${family}; a security group at AWS has room for ${most} beside the other rules`,
              fewer,
            ),
          ],
    );
  });
}

function cloudsOf({ cloud, turnCloud, turnStack }: Partial<FieldValues>) {
  if (!cloud) return [];
  return [...new Set([cloud, ...(turnStack ? [] : [turnCloud ?? cloud])])];
}

/** Number of rules of one address family beside those of SSH: the port table's, ICMP's, and those of other settings. */
function otherRules({ release, metrics, dialIn }: Partial<FieldValues>): number {
  const ports = (release ? releases[release].ports.bbb.length : 0) + (dialIn?.networks.length ?? 0);
  const ofMetrics = metrics ? Math.max(1, metrics.networks.length) : 0;
  return Math.max(ports, turnPorts.length + ofMetrics) + 1;
}
