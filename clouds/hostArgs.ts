import { dialInPorts } from "../bigbluebutton/dialIn";
import { nodeFqdn, nodeName, nodeNumbers } from "../bigbluebutton/pool";
import { balancerPorts, metricsPort } from "../bigbluebutton/ports";
import type { HostSettings, Settings } from "../settings";
import { bakedLabels } from "./bakedImages";
import type { BakedWish, HostArgs, PairRole, Role } from "./host";

type Hosts = Pick<Settings, "bbb" | "turn" | "pool">;

/** Hosts that the settings ask for. */
export function hostRoles({ turn }: Pick<Hosts, "turn">): readonly PairRole[] {
  return turn.kind === "own" ? ["bbb", "turn"] : ["bbb"];
}

/**
 * Settings of the host of a role.
 *
 * @throws Error for a TURN server that another stack makes, and for the balancer of a single server.
 */
export function hostSettings({ bbb, turn, pool }: Hosts, role: Role): HostSettings {
  if (role === "bbb") return bbb;
  if (role === "balancer") {
    if (!pool) throw new Error("a single server has no balancer");
    return pool.balancer;
  }
  if (turn.kind === "own") return turn;
  throw new Error(`the TURN server is that of stack ${turn.stack}`);
}

type HostsSettings = Hosts &
  Pick<
    Settings,
    | "release"
    | "recordings"
    | "dialIn"
    | "labels"
    | "sshNetworks"
    | "sshPublicKeys"
    | "protected"
    | "snapshotDays"
    | "backups"
    | "metrics"
  >;

/**
 * Arguments of the host of a role, by the settings.
 *
 * A TURN host has nothing to back up.
 */
export function hostArgs(settings: HostsSettings, role: Role): HostArgs {
  const { fqdn, cloud, location, serverType, image } = hostSettings(settings, role);
  return {
    role,
    name: role,
    fqdn,
    cloud,
    location,
    serverType,
    image,
    baked: bakedWish(settings, role),
    ports: hostPorts(settings, role),
    sshNetworks: settings.sshNetworks,
    sshPublicKeys: settings.sshPublicKeys,
    protected: settings.protected,
    snapshotDays: settings.snapshotDays,
    labels: { ...settings.labels, role },
    // Those of a pool are its balancer's; its servers have none.
    ...(role !== "turn" && { volume: settings.recordings }),
    backups: role === "bbb" && settings.backups,
  };
}

/** Arguments of the hosts of a single server. */
export function pairHostArgs(settings: HostsSettings, roles: readonly PairRole[]): readonly HostArgs[] {
  return roles.map((role) => hostArgs(settings, role));
}

/** Arguments of all hosts of a pool: balancer, TURN server if it is the deployment's own, then the nodes. */
export function poolHostArgs(settings: HostsSettings, nodes: number): readonly HostArgs[] {
  const node = hostArgs(settings, "bbb");
  return [
    ...[...hostRoles(settings), "balancer" as const]
      .filter((role) => role !== "bbb")
      .map((role) => hostArgs(settings, role)),
    ...nodeNumbers(nodes).map((number) => ({
      ...node,
      name: nodeName(number),
      fqdn: nodeFqdn(node.fqdn, number),
      labels: { ...node.labels, node: String(number) },
      spread: number,
      // The drain guards nodes: a pool that may not lose one could not shrink.
      protected: false,
      backups: false,
      volume: undefined,
    })),
  ];
}

function bakedWish(settings: HostsSettings, role: Role): BakedWish | undefined {
  const { baked, cloud } = hostSettings(settings, role);
  if (!baked) return undefined;
  const { release, labels } = settings;
  return {
    required: baked === "required",
    labels: bakedLabels(role, labels.project ?? "", release),
    bakeArguments: [
      ...(role === "bbb" ? ["--release", release.name] : ["--role", "turn"]),
      ...(cloud === "aws" ? ["--cloud", "aws"] : []),
    ].join(" "),
  };
}

/** Inbound ports of the host of a role: the release's, and those that settings add. */
function hostPorts(
  { release, metrics, dialIn }: Pick<HostsSettings, "release" | "metrics" | "dialIn">,
  role: Role,
): HostArgs["ports"] {
  if (role === "balancer") return balancerPorts;
  const ports = release.ports[role];
  if (role === "bbb") return dialIn ? [...ports, ...dialInPorts(dialIn.networks)] : ports;
  return metrics ? [...ports, metricsPort(metrics.networks)] : ports;
}
