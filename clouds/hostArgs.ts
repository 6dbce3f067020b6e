import type { Settings } from "../settings";
import type { HostArgs, Role } from "./host";

/** The hosts that the settings ask for. */
export function hostRoles({ turnStack }: Settings): readonly Role[] {
  return turnStack === undefined ? ["bbb", "turn"] : ["bbb"];
}

/**
 * What the settings ask of the host of a role, on whichever cloud.
 *
 * A TURN host holds nothing worth a backup.
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
