/** Consequences of settings other than resources, steps and hosts. */
import { exporter, metricsUrls } from "../../bigbluebutton/metrics";
import { nodeFqdn, nodeNumbers } from "../../bigbluebutton/pool";
import { optionGroups, type GroupName } from "../../bigbluebutton/optionGroups";
import { overrideFiles } from "../../bigbluebutton/overrideFiles";
import { overrideKeys } from "../../bigbluebutton/overrides";
import type { OptionValue } from "../../bigbluebutton/options";
import type { Role } from "../../clouds/host";
import { hostRoles, hostSettings } from "../../clouds/hostArgs";
import type { Settings } from "../../settings";
import { environments } from "../../settings/environments";
import type { PlannedResource } from "./program";

/** Effects of `environment` and of the settings that override it. */
export interface EnvironmentFacts {
  readonly name: string;
  /** True when servers and static addresses can't be deleted. */
  readonly protect: boolean;
  readonly protectRecordings: boolean;
  /** True when settings for trials are refused. */
  readonly strict: boolean;
  /** Time from which it may be removed; null for never. */
  readonly expires: string | null;
}

export function environmentFacts(settings: Settings): EnvironmentFacts {
  const { environment, labels, recordings } = settings;
  return {
    name: environment,
    protect: settings.protected,
    protectRecordings: recordings?.kind === "new" && recordings.protected,
    strict: environments[environment].strict,
    expires: labels.expires ? new Date(Number(labels.expires) * 1000).toISOString() : null,
  };
}

/** Certificates of both hosts. */
export interface CertificateFacts {
  readonly names: readonly string[];
  /** URL of the ACME directory. */
  readonly authority: string;
  readonly trustedByBrowsers: boolean;
  /** Names with a certificate of the operator's own. */
  readonly own: readonly string[];
}

export function certificateFacts(settings: Settings): CertificateFacts {
  const { pool, bbb } = settings;
  // A pool's servers have their own of the same kind as its balancer, or all have the operator's.
  const nodes = nodeNumbers(pool?.nodes ?? 0).map((number) => ({ ...bbb, fqdn: nodeFqdn(bbb.fqdn, number) }));
  const hosts = [...hostRoles(settings).map((role) => hostSettings(settings, role)), ...nodes];
  return {
    names: hosts.map(({ fqdn }) => fqdn),
    authority: settings.acme.server,
    trustedByBrowsers: hosts.every(({ certificate }) => certificate.trustedByBrowsers),
    own: hosts.filter(({ certificate }) => certificate.kind === "own").map(({ fqdn }) => fqdn),
  };
}

/** Place of the recordings, and their copies. */
export interface RecordingsFacts {
  /**
   * Volume. new: made with the deployment; adopted: exists already; none: recordings are on the server's own disk, and
   * are lost with it.
   */
  readonly volume: "new" | "adopted" | "none";
  /** Size in GB; null when the settings don't tell it. */
  readonly sizeGb: number | null;
  readonly id: string | null;
  readonly protected: boolean;
  /** Number of daily snapshots of the volume that are kept; 0 for none. */
  readonly snapshotDays: number;
}

/** Number of daily copies of the BigBlueButton server's disk that are kept, 0 for none; the volume is not on it. */
export function backupDays(
  { backups, snapshotDays, bbb, pool }: Settings,
  resources: readonly PlannedResource[],
): number {
  if (!backups || pool) return 0;
  if (bbb.cloud === "hetzner") return HETZNER_BACKUPS;
  return hasSnapshots(resources) ? snapshotDays : 0;
}

/** Number of backups that Hetzner keeps: https://docs.hetzner.com/cloud/servers/backups-snapshots/overview/ */
const HETZNER_BACKUPS = 7;

function hasSnapshots(resources: readonly PlannedResource[]): boolean {
  return resources.some(({ type }) => type === "aws:dlm/lifecyclePolicy:LifecyclePolicy");
}

export function recordingsFacts(
  { recordings, snapshotDays }: Settings,
  resources: readonly PlannedResource[],
): RecordingsFacts {
  const snapshots = hasSnapshots(resources);
  const made = recordings?.kind === "new" ? recordings : undefined;
  return {
    volume: recordings?.kind ?? "none",
    sizeGb: made?.sizeGb ?? null,
    id: recordings?.kind === "adopted" ? recordings.id : null,
    protected: made?.protected ?? false,
    // A volume that is adopted stays as it is, without the label that snapshots go by.
    snapshotDays: snapshots && made ? snapshotDays : 0,
  };
}

/** Option of BigBlueButton's own configuration that the settings decide about. */
export interface OptionFacts {
  /** Setting, e.g. "meetings.muteOnStart". */
  readonly setting: string;
  readonly value: OptionValue;
  /** Words for what it does. */
  readonly what: string;
  /** Value of BigBlueButton's own, without the setting. */
  readonly default: string;
}

export function optionFacts({ groups }: Settings): OptionFacts[] {
  const { overrides = {} } = groups;
  const names = Object.keys(optionGroups) as GroupName[];
  const options = names.flatMap((group) =>
    Object.entries(groups[group] ?? {}).map(([name, value]) => {
      const { description, default: preset } = optionGroups[group][name]!;
      return { setting: `${group}.${name}`, value, what: description, default: preset };
    }),
  );
  const own = overrideKeys(overrides).map(({ setting, file, value }) => ({
    setting,
    value: typeof value === "string" ? value : JSON.stringify(value),
    what: `A key of ${overrideFiles[file].path}.`,
    default: "BigBlueButton's own",
  }));
  const files = (overrides.extraFiles ?? []).map(({ setting, base64, path }) => ({
    setting,
    value: `${Buffer.from(base64, "base64").length} bytes`,
    what: `The file ${path}.`,
    default: "none of yours",
  }));
  return [...options, ...own, ...files];
}

/** Greenlight by the settings, without any secret; null for what they leave as it is. */
export interface GreenlightFacts {
  /** E-mail address of the administrator to make. */
  readonly admin: string | null;
  /** Mail server, "mail.example.org:587". */
  readonly mail: string | null;
  /** Issuer at which people sign in. */
  readonly signInAt: string | null;
  readonly registration: "open" | "invite" | "approval" | null;
  readonly defaultRole: string | null;
  readonly roomLimit: number | null;
}

/** Returns null where Greenlight is not installed. */
export function greenlightFacts({ greenlight }: Settings): GreenlightFacts | null {
  if (greenlight === undefined) return null;
  const { admin, smtp, openidConnect, registration, defaultRole, roomLimit } = greenlight;
  return {
    admin: admin?.email ?? null,
    mail: smtp ? `${smtp.server}:${smtp.port}` : null,
    signInAt: openidConnect?.issuer ?? null,
    registration: registration ?? null,
    defaultRole: defaultRole ?? null,
    roomLimit: roomLimit ?? null,
  };
}

/** Offer to Prometheus. */
export interface MetricsFacts {
  readonly urls: readonly string[];
  /** Networks that alone may ask; none stands for everybody with the token. */
  readonly networks: readonly string[];
}

export function metricsFacts({ metrics, bbb, turn, pool }: Settings): MetricsFacts | null {
  if (metrics === undefined) return null;
  const turnHost = turn.kind === "own" ? turn.fqdn : undefined;
  const hosts = pool
    ? {
        bbbHosts: nodeNumbers(pool.nodes).map((number) => nodeFqdn(bbb.fqdn, number)),
        balancerHost: bbb.fqdn,
      }
    : { bbbHosts: [bbb.fqdn] };
  return { urls: metricsUrls({ ...hosts, turnHost }), networks: metrics.networks };
}

/** Dial-in by the settings, without any secret. */
export interface DialInFacts {
  readonly number: string;
  /** Networks from which calls come. */
  readonly networks: readonly string[];
  /** SIP server, "sip.provider.example:5060". */
  readonly gateway: string;
  /** Account with which it registers there; null for a trunk by address. */
  readonly registersAs: string | null;
  /** Digits of the numbers of meetings; null for BigBlueButton's own. */
  readonly pinDigits: number | null;
  /** Words about it in the welcome text; null where they come from elsewhere. */
  readonly greeting: string | null;
}

/** Returns null without dial-in. */
export function dialInFacts({ dialIn, groups: { dialIn: words } }: Settings): DialInFacts | null {
  if (dialIn === undefined || words === undefined) return null;
  const { host, port, user } = dialIn.gateway;
  return {
    number: words.number,
    networks: dialIn.networks,
    gateway: `${host}:${port}`,
    registersAs: user ?? null,
    pinDigits: words.pinDigits ?? null,
    greeting: words.greeting ?? null,
  };
}

/** Download that a choice causes. */
export interface Download {
  readonly to: "this machine" | Role;
  readonly what: string;
  readonly from: string;
}

/** Size of AWS's plugin, by its makers. */
const AWS_SIZE =
  " (aws: 137 MB, unpacked 640 MB, measured at 6.60: https://github.com/pulumi/pulumi-aws/issues/4383)";

/** All downloads that the settings cause, without the operating systems' own updates. */
export function downloads(settings: Settings, resources: readonly PlannedResource[]): Download[] {
  const { installer, greenlight, acme, release, branding, metrics } = settings;
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
    ...(metrics
      ? [
          {
            to: "bbb" as const,
            what: "bigbluebutton-exporter (its sha256 is checked)",
            from: metrics.exporterUrl ?? exporter.url,
          },
        ]
      : []),
    ...(branding?.files ?? []).flatMap((file) =>
      file.kind === "url"
        ? [{ to: "bbb" as const, what: `the file of branding.${file.option}`, from: file.url }]
        : [],
    ),
    ...(settings.turn.kind === "shared"
      ? []
      : [{ to: "turn" as const, what: "coturn and certbot", from: "Ubuntu 24.04's package servers" }]),
    ...(settings.pool
      ? [
          {
            to: "balancer" as const,
            what: "PostgreSQL, Redis, nginx, docker and certbot",
            from: "Ubuntu 24.04's package servers",
          },
          { to: "balancer" as const, what: "Scalelite, as container images", from: "Docker Hub" },
        ]
      : []),
    ...[...hostRoles(settings), ...(settings.pool ? (["balancer"] as const) : [])].flatMap((to) =>
      acme.caUrls.map((from) => ({ to, what: "a root of the staging authority", from })),
    ),
  ];
}

/** Providers of the resources. */
function pluginsOf(resources: readonly PlannedResource[]): string[] {
  const packages = resources.map(({ type }) => type.split(":")[0]!);
  return [...new Set(packages)].filter((name) => name !== "bbb" && name !== "pulumi").sort();
}
