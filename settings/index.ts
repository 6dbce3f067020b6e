import { readFileSync } from "node:fs";
import { homedir } from "node:os";

import * as pulumi from "@pulumi/pulumi";

import { releases, turnUbuntu, type Release } from "../bigbluebutton/releases";
import { defaultLocations, defaultServerTypes, type CloudName } from "../bigbluebutton/capacity";
import { conflicts } from "./conflicts";
import { environments, protectionOf, type EnvironmentName } from "./environments";
import type { FieldValues } from "./fields";
import type { OwnChain } from "./formats/chain";
import { qualifyHostname } from "./formats/names";
import { readOwnCertificates, type OwnChains } from "./ownCertificates";
import { SettingsError, type Problem, type Source } from "./problems";
import { readFields, unknownKeys } from "./read";

/** Settings of one deployment, checked, with every default filled in. */
export interface Settings extends Source {
  /**
   * Labels of all resources that can have any: project, stack, the name of a component, and the expiry if there is one.
   */
  readonly labels: Readonly<Record<string, string>>;
  readonly environment: EnvironmentName;
  /** DNS zone, e.g. "example.org". */
  readonly domain: string;
  readonly email: string;
  readonly release: Release;
  readonly bbb: HostSettings;
  readonly turn: OwnTurn | SharedTurn;
  /** Network of hosts at AWS. @default a public subnet of the default VPC */
  readonly network: { readonly vpcId?: string; readonly subnetId?: string };
  /** Networks in CIDR form, canonical, at least one. */
  readonly sshNetworks: readonly string[];
  readonly sshPublicKeys: readonly string[];
  readonly dns: CloudDns | "manual";
  readonly acme: AcmeSettings;
  readonly greenlight: boolean;
  /** Volume for recordings. @default they stay on the server's own disk */
  readonly recordings?: Volume;
  /** Number of daily snapshots of its volumes that are kept, if the cloud can make them; 0 for none. */
  readonly snapshotDays: number;
  readonly installer: InstallerSettings;
  /** Free text; a new value runs the installer again. */
  readonly upgrade: string;
  /** Confirms one change that would end meetings: the new value of that change's setting; "" confirms none. */
  readonly duringMeetings: string;
  /** Free text; a new value makes a new secret. */
  readonly rotateSharedSecret: string;
  /** Protects servers and addresses from deletion. */
  readonly protected: boolean;
  /** Makes the cloud back up the BigBlueButton server every day. */
  readonly backups: boolean;
}

/** Settings of a host; cloud, location, type and image in its cloud's own names. */
export interface HostSettings {
  /** Full name, e.g. "bbb.example.org"; always below the DNS zone. */
  readonly fqdn: string;
  readonly cloud: CloudName;
  /** Location at Hetzner, or region of AWS. */
  readonly location: string;
  readonly serverType: string;
  /** Name or id of the image; on AWS also a pattern of Canonical's names. The TURN host's is Ubuntu 24.04's. */
  readonly image: string;
  readonly certificate: Certificate;
}

/** TURN server that is made with the deployment. */
export interface OwnTurn extends HostSettings {
  readonly kind: "own";
  /** Addresses of other stacks' BigBlueButton servers that it also serves. */
  readonly peers: readonly string[];
  /** Free text; a new value makes a new secret. */
  readonly rotateSecret: string;
}

/** TURN server of another stack of this project. */
export interface SharedTurn {
  readonly kind: "shared";
  readonly stack: string;
}

/** Certificate of a host. */
export type Certificate = AuthorityCertificate | OwnCertificate;

/** Certificate that the host gets from the certificate authority. */
export interface AuthorityCertificate {
  readonly kind: "authority";
  readonly trustedByBrowsers: boolean;
}

/** Certificate of the operator's own, checked. */
export interface OwnCertificate {
  readonly kind: "own";
  /** Chain, leaf first, in PEM form. */
  readonly chain: string;
  /** Private key in PEM form; secret. */
  readonly key: pulumi.Output<string>;
  readonly validUntil: Date;
  readonly issuedBy: string;
  readonly trustedByBrowsers: boolean;
}

/** Volume that outlives the server. */
export type Volume = NewVolume | AdoptedVolume;

/** Volume that is made with the deployment. */
export interface NewVolume {
  readonly kind: "new";
  /** Size in GB; can grow, never shrink. */
  readonly sizeGb: number;
  /** Refuses to delete it, in Pulumi and at the cloud. */
  readonly protected: boolean;
}

/** Existing volume. It is attached without a change and stays outside the stack: nothing resizes, labels or deletes it. */
export interface AdoptedVolume {
  readonly kind: "adopted";
  /** Id at the cloud. */
  readonly id: string;
}

/** DNS service of each cloud. */
type CloudDns = "hetzner" | "route53";

/** Certificate authority. */
export interface AcmeSettings {
  /** URL of the ACME directory. */
  readonly server: string;
  /** Roots of a private authority, in PEM form, for the hosts' trust stores. */
  readonly ca?: string;
  /** URLs from which the hosts themselves fetch the roots of Let's Encrypt's staging authority. */
  readonly caUrls: readonly string[];
  readonly trustedByBrowsers: boolean;
}

/** Source of bbb-install, and the argument of its -v. */
export interface InstallerSettings {
  readonly url: string;
  /** Digest in hex; undefined for a release without one that could be verified. */
  readonly sha256?: string;
  readonly version: string;
}

const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";
const LETS_ENCRYPT_STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory";

/** Roots of the staging authority, from https://letsencrypt.org/docs/staging-environment/ (2026). */
const STAGING_ROOTS = [
  "letsencrypt-stg-root-x1",
  "letsencrypt-stg-root-x2",
  "gen-y/root-ye",
  "gen-y/root-yr",
].map((name) => `https://letsencrypt.org/certs/staging/${name}.pem`);

/** DNS service of a cloud, by default. */
const ownDns: Readonly<Record<CloudName, CloudDns>> = { hetzner: "hetzner", aws: "route53" };

/** Origin of the settings to check. */
export interface SettingsContext extends Source {
  /** Problems outside of the settings, to report with them. @default none */
  readonly elsewhere?: readonly Problem[];
}

/**
 * Checks raw values and fills in every default. Reads no configuration: values are text in the CLI's form, or of the
 * right type already. Empty texts, empty lists, null and undefined are "not set".
 *
 * @throws SettingsError listing every mistake, in the words of the configuration or, with `component`, of arguments
 */
export function parseSettings(
  raw: Readonly<Record<string, unknown>>,
  { elsewhere = [], ...source }: SettingsContext,
): Settings {
  const now = new Date();
  const { values, problems } = readFields(raw);
  const { own, problems: ofFiles } = readOwnCertificates(values, readPem, now);
  const all = [...elsewhere, ...unknownKeys(raw), ...problems, ...conflicts(values, now), ...ofFiles];
  if (all.length > 0) throw new SettingsError(all, source);
  return settingsFrom(values as FieldValues, own, source);
}

/** Reads a file. A relative path begins at the project's folder, where the program runs. */
function readPem(path: string): string {
  return readFileSync(path.replace(/^~(?=\/)/, homedir()), "utf8");
}

function settingsFrom(values: FieldValues, chains: OwnChains, source: Source): Settings {
  const { cloud, domain, environment } = values;
  const release = releases[values.release];
  const { protect, protectRecordings, backups } = protectionOf(values);
  const acme = acmeFrom(values);
  return {
    ...source,
    labels: labelsOf(source, values),
    environment,
    domain,
    email: values.email,
    release,
    bbb: bbbFrom(values, release, certificateFrom(chains.bbb, acme)),
    turn: turnFrom(values, certificateFrom(chains.turn, acme)),
    network: { vpcId: values.vpcId, subnetId: values.subnetId },
    sshNetworks: values.sshNetworks,
    sshPublicKeys: values.sshPublicKeys,
    dns: values.dns ?? ownDns[cloud],
    acme,
    greenlight: values.greenlight,
    recordings: recordingsFrom(values, protectRecordings),
    snapshotDays: values.snapshotDays,
    installer: installerFrom(values, release),
    upgrade: values.upgrade ?? "",
    duringMeetings: values.duringMeetings ?? "",
    rotateSharedSecret: values.rotateSharedSecret ?? "",
    protected: protect,
    backups,
  };
}

function labelsOf({ project, stack, component }: Source, { tags, expires }: FieldValues): Settings["labels"] {
  return {
    ...tags,
    project,
    stack,
    ...(component && { deployment: component.name }),
    ...(expires && { expires }),
  };
}

function bbbFrom(values: FieldValues, release: Release, certificate: Certificate): HostSettings {
  const { cloud, environment, hostname, domain } = values;
  return {
    fqdn: fqdn(hostname, domain),
    cloud,
    location: values.location ?? defaultLocations[cloud],
    serverType: values.serverType ?? defaultServerTypes[cloud][environments[environment].size].bbb,
    image: values.image ?? release.images[cloud],
    certificate,
  };
}

function turnFrom(values: FieldValues, certificate: Certificate): Settings["turn"] {
  if (values.turnStack !== undefined) return { kind: "shared", stack: values.turnStack };
  const { cloud: bbbCloud, turnCloud: cloud = bbbCloud, environment, turnHostname, domain } = values;
  const beside = cloud === bbbCloud ? values.location : undefined;
  return {
    kind: "own",
    fqdn: fqdn(turnHostname, domain),
    cloud,
    location: values.turnLocation ?? beside ?? defaultLocations[cloud],
    serverType: values.turnServerType ?? defaultServerTypes[cloud][environments[environment].size].turn,
    image: turnUbuntu.images[cloud],
    certificate,
    peers: values.turnPeers,
    rotateSecret: values.rotateTurnSecret ?? "",
  };
}

/** The private key of an own certificate is a secret from here on. */
function certificateFrom(own: OwnChain | undefined, { trustedByBrowsers }: AcmeSettings): Certificate {
  if (own === undefined) return { kind: "authority", trustedByBrowsers };
  const { chain, key, validUntil, issuedBy } = own;
  return {
    kind: "own",
    chain,
    key: pulumi.secret(key),
    validUntil,
    issuedBy,
    trustedByBrowsers: own.trustedByBrowsers,
  };
}

function recordingsFrom(
  { recordingsGb, recordingsVolumeId }: FieldValues,
  isProtected: boolean,
): Volume | undefined {
  if (recordingsVolumeId !== undefined) return { kind: "adopted", id: recordingsVolumeId };
  return recordingsGb > 0 ? { kind: "new", sizeGb: recordingsGb, protected: isProtected } : undefined;
}

function fqdn(hostname: string, domain: string): string {
  const result = qualifyHostname(hostname, domain);
  if ("reason" in result) throw new Error(`${hostname} ${result.reason}`);
  return result.fqdn;
}

function acmeFrom({ acmeServer, acmeCa }: FieldValues): AcmeSettings {
  const ca = acmeCa && `${acmeCa}\n`;
  switch (acmeServer) {
    case "production":
      return { server: LETS_ENCRYPT, ca, caUrls: [], trustedByBrowsers: true };
    case "staging":
      return { server: LETS_ENCRYPT_STAGING, ca, caUrls: STAGING_ROOTS, trustedByBrowsers: false };
    default:
      return { server: acmeServer, ca, caUrls: [], trustedByBrowsers: false };
  }
}

function installerFrom({ installerUrl, installerSha256 }: FieldValues, release: Release): InstallerSettings {
  const { installer } = release;
  const url = installerUrl ?? installer?.url;
  if (url === undefined) throw new Error(`${release.name} has no installer`);
  return {
    url,
    sha256: installerSha256 ?? (installerUrl ? undefined : installer?.sha256),
    // The scheme of every later release; 2.0's packages were published under it too (bbb-install, upgrades from 2.0).
    version: release.installVersion ?? `${release.codename}-${release.version.replace(".", "")}0`,
  };
}
