/** What follows from settings beside resources, steps and hosts. */
import { hostRoles } from "../../clouds/hostArgs";
import type { Settings } from "../../settings";
import { environments } from "../../settings/environments";
import type { PlannedResource } from "./program";

/** What `environment` and the settings that can say otherwise amount to. */
export interface EnvironmentFacts {
  readonly name: string;
  /** Servers and static addresses can't be deleted. */
  readonly protect: boolean;
  readonly protectRecordings: boolean;
  /** Refuses whatever is good for trying out only. */
  readonly strict: boolean;
  /** When it may be removed; null: never. */
  readonly expires: string | null;
}

export function environmentFacts(settings: Settings): EnvironmentFacts {
  const { environment, labels, recordings } = settings;
  return {
    name: environment,
    protect: settings.protected,
    protectRecordings: recordings?.protected ?? false,
    strict: environments[environment].strict,
    expires: labels.expires ? new Date(Number(labels.expires) * 1000).toISOString() : null,
  };
}

/** Whose certificates both hosts get. */
export interface CertificateFacts {
  readonly names: readonly string[];
  /** URL of the ACME directory. */
  readonly authority: string;
  readonly trustedByBrowsers: boolean;
  /** The names whose certificate is the operator's own. */
  readonly own: readonly string[];
}

export function certificateFacts({
  acme,
  ownCertificates,
  bbbFqdn,
  turnFqdn,
  turnStack,
}: Settings): CertificateFacts {
  const { bbb, turn } = ownCertificates ?? {};
  return {
    names: turnStack ? [bbbFqdn] : [bbbFqdn, turnFqdn],
    authority: acme.server,
    trustedByBrowsers: (bbb ?? acme).trustedByBrowsers && (turn ?? acme).trustedByBrowsers,
    own: [...(bbb ? [bbbFqdn] : []), ...(turn ? [turnFqdn] : [])],
  };
}

/** Where recordings are, and what is kept of them. */
export interface RecordingsFacts {
  /** new: made with the deployment; adopted: exists already; none: on the server's own disk, and gone with it. */
  readonly volume: "new" | "adopted" | "none";
  /** Null where the settings don't know. */
  readonly sizeGb: number | null;
  readonly id: string | null;
  readonly protected: boolean;
  /** How many daily snapshots of the volume are kept; 0 where none are made. */
  readonly snapshotDays: number;
}

/** How many daily copies of the BigBlueButton server's disk are kept, 0 for none; the volume is not on it. */
export function backupDays(
  { backups, snapshotDays, placement }: Settings,
  resources: readonly PlannedResource[],
): number {
  if (!backups) return 0;
  if (placement.bbb.cloud === "hetzner") return HETZNER_BACKUPS;
  return hasSnapshots(resources) ? snapshotDays : 0;
}

/** https://docs.hetzner.com/cloud/servers/backups-snapshots/overview/ */
const HETZNER_BACKUPS = 7;

function hasSnapshots(resources: readonly PlannedResource[]): boolean {
  return resources.some(({ type }) => type === "aws:dlm/lifecyclePolicy:LifecyclePolicy");
}

export function recordingsFacts(
  { recordings, snapshotDays }: Settings,
  resources: readonly PlannedResource[],
): RecordingsFacts {
  const snapshots = hasSnapshots(resources);
  const adopted = recordings?.adoptId;
  return {
    volume: adopted ? "adopted" : recordings ? "new" : "none",
    sizeGb: recordings && !adopted ? recordings.sizeGb : null,
    id: adopted ?? null,
    protected: recordings && !adopted ? recordings.protected : false,
    // A volume that is adopted stays as it is, without the label that snapshots go by.
    snapshotDays: snapshots && recordings && !adopted ? snapshotDays : 0,
  };
}

/** What a choice makes a machine fetch. */
export interface Download {
  readonly to: "this machine" | "bbb" | "turn";
  readonly what: string;
  readonly from: string;
}

/** Of AWS's plugin, by its makers. */
const AWS_SIZE =
  " (aws: 137 MB, unpacked 640 MB, measured at 6.60: https://github.com/pulumi/pulumi-aws/issues/4383)";

/** Everything that is fetched because of the settings, the operating systems' own updates aside. */
export function downloads(settings: Settings, resources: readonly PlannedResource[]): Download[] {
  const { installer, greenlight, acme, release } = settings;
  const digest = installer.sha256
    ? `sha256 ${installer.sha256.slice(0, 12)}… is checked`
    : "no sha256 to check it by";
  const plugins = pluginsOf(resources);
  return [
    {
      to: "this machine",
      what: `Pulumi's plugins ${plugins.join(", ")}${plugins.includes("aws") ? AWS_SIZE : ""}, at the first update`,
      from: "Pulumi's releases",
    },
    { to: "bbb", what: `bbb-install (${digest})`, from: installer.url },
    {
      to: "bbb",
      what: `BigBlueButton ${release.version} and what it needs`,
      from: "the package servers that bbb-install names",
    },
    ...(greenlight
      ? [
          {
            to: "bbb" as const,
            what: "Greenlight, as container images",
            from: "the registry that bbb-install names",
          },
        ]
      : []),
    ...(settings.turnStack
      ? []
      : [{ to: "turn" as const, what: "coturn and certbot", from: "Ubuntu 24.04's package servers" }]),
    ...hostRoles(settings).flatMap((to) =>
      acme.caUrls.map((from) => ({ to, what: "a root of the staging authority", from })),
    ),
  ];
}

/** The providers that carry the resources out. */
function pluginsOf(resources: readonly PlannedResource[]): string[] {
  const packages = resources.map(({ type }) => type.split(":")[0]!);
  return [...new Set(packages)].filter((name) => name !== "bbb" && name !== "pulumi").sort();
}
