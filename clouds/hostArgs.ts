import { dialInPorts } from "../bigbluebutton/dialIn";
import { metricsPort } from "../bigbluebutton/ports";
import type { HostSettings, Settings } from "../settings";
import { bakedLabels } from "./bakedImages";
import type { BakedWish, HostArgs, Role } from "./host";

type Hosts = Pick<Settings, "bbb" | "turn">;

/** Hosts that the settings ask for. */
export function hostRoles({ turn }: Hosts): readonly Role[] {
  return turn.kind === "own" ? ["bbb", "turn"] : ["bbb"];
}

/**
 * Settings of the host of a role.
 *
 * @throws Error for a TURN server that another stack makes.
 */
export function hostSettings({ bbb, turn }: Hosts, role: Role): HostSettings {
  if (role === "bbb") return bbb;
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
    ...(role === "bbb" ? { backups: settings.backups, volume: settings.recordings } : { backups: false }),
  };
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
  const ports = release.ports[role];
  if (role === "bbb") return dialIn ? [...ports, ...dialInPorts(dialIn.networks)] : ports;
  return metrics ? [...ports, metricsPort(metrics.networks)] : ports;
}
