import type { Settings } from "../settings";
import type { HostArgs, Role } from "./host";

/** Hosts that the settings ask for. */
export function hostRoles({ turnStack }: Settings): readonly Role[] {
  return turnStack === undefined ? ["bbb", "turn"] : ["bbb"];
}

/**
 * Arguments of the host of a role, by the settings.
 *
 * A TURN host has nothing to back up.
 */
export function hostArgs(settings: Settings, role: Role): HostArgs {
  const { release, recordings, labels } = settings;
  const { location, serverType, image } = settings.placement[role];
  const common = {
    role,
    location,
    serverType,
    image,
    ports: release.ports[role],
    sshNetworks: settings.sshNetworks,
    sshPublicKeys: settings.sshPublicKeys,
    protected: settings.protected,
    snapshotDays: settings.snapshotDays,
    labels: { ...labels, role },
  };
  if (role === "turn") {
    return {
      ...common,
      fqdn: settings.turnFqdn,
      backups: false,
    };
  }
  return {
    ...common,
    fqdn: settings.bbbFqdn,
    backups: settings.backups,
    volume: recordings,
  };
}
