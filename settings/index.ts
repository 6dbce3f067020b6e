import { readFileSync } from "node:fs";
import { homedir } from "node:os";

import * as pulumi from "@pulumi/pulumi";

import { releases, type Release } from "../bigbluebutton/releases";
import { defaultLocations, defaultServerTypes, type CloudName } from "../bigbluebutton/capacity";
import { conflicts } from "./conflicts";
import { environments, protectionOf, type EnvironmentName } from "./environments";
import type { FieldValues } from "./fields";
import { qualifyHostname } from "./formats/names";
import { readOwnCertificates, type OwnChains } from "./ownCertificates";
import { SettingsError, type Problem, type Source } from "./problems";
import { readFields, unknownKeys } from "./read";

/** A stack's settings, checked, with every default filled in. */
export interface Settings extends Source {
  /** Put on everything that can bear labels: project, stack, the name of a component, and the expiry where there is one. */
  readonly labels: Readonly<Record<string, string>>;
  readonly environment: EnvironmentName;
  /** The DNS zone, e.g. "example.org". */
  readonly domain: string;
  /** e.g. "bbb.example.org"; always below {@link domain}. */
  readonly bbbFqdn: string;
  /** e.g. "turn.example.org"; always below {@link domain}. Says nothing with {@link turnStack}. */
  readonly turnFqdn: string;
  /** The stack of this project whose TURN server is used; without it, there is one of the stack's own. */
  readonly turnStack?: string;
  /** Addresses of other stacks' BigBlueButton servers that the TURN server serves, too. */
  readonly turnPeers: readonly string[];
  readonly email: string;
  readonly release: Release;
  /** Where each host is made, and of what; `turn` says nothing with {@link turnStack}. */
  readonly placement: Readonly<Record<"bbb" | "turn", Placement>>;
  /** Where hosts at AWS are put: the default VPC where none is given, a public subnet of it. */
  readonly network: { readonly vpcId?: string; readonly subnetId?: string };
  /** Networks in CIDR form, canonical, at least one. */
  readonly sshNetworks: readonly string[];
  readonly sshPublicKeys: readonly string[];
  readonly dns: CloudDns | "manual";
  readonly acme: AcmeSettings;
  /** Of a host whose certificate is not the authority's. */
  readonly ownCertificates?: { readonly [role in "bbb" | "turn"]?: OwnCertificate };
  readonly greenlight: boolean;
  /** The volume for recordings; `sizeGb` says nothing where one is adopted. */
  readonly recordings?: { readonly sizeGb: number; readonly adoptId?: string; readonly protected: boolean };
  /** How many daily snapshots of its volumes are kept where the cloud can make them; 0 for none. */
  readonly snapshotDays: number;
  readonly installer: InstallerSettings;
  /** Free text; a new value runs the installer again. */
  readonly upgrade: string;
  /** The new value of what may be done though meetings run. */
  readonly duringMeetings: string;
  /** Free text; a new value makes a new secret. */
  readonly rotateTurnSecret: string;
  /** Free text; a new value makes a new secret. */
  readonly rotateSharedSecret: string;
  /** Whether servers and addresses are protected from deletion. */
  readonly protected: boolean;
  /** Whether the cloud backs up the BigBlueButton server every day. */
  readonly backups: boolean;
}

/** Where a host is made, and of what, in its cloud's own names. */
export interface Placement {
  readonly cloud: CloudName;
  /** A location of Hetzner's, a region of AWS. */
  readonly location: string;
  readonly serverType: string;
  /** Name or id; on AWS the pattern of a name of Canonical's, too. The TURN host's is Ubuntu 24.04's. */
  readonly image: string;
}

/** The DNS service of each cloud. */
type CloudDns = "hetzner" | "route53";

/** The certificate authority. */
export interface AcmeSettings {
  /** URL of the ACME directory. */
  readonly server: string;
  /** Roots of a private authority, in PEM form, for the hosts' trust stores. */
  readonly ca?: string;
  /** Where the hosts fetch the roots of Let's Encrypt's staging authority themselves. */
  readonly caUrls: readonly string[];
  readonly trustedByBrowsers: boolean;
}

/** A certificate of the operator's own, checked. */
export interface OwnCertificate {
  /** Leaf first, in PEM form. */
  readonly chain: string;
  /** In PEM form; secret. */
  readonly key: pulumi.Output<string>;
  readonly validUntil: Date;
  readonly issuedBy: string;
  readonly trustedByBrowsers: boolean;
}

/** Where bbb-install comes from, and the literal argument of its -v. */
export interface InstallerSettings {
  readonly url: string;
  /** Hex digest; undefined where the release has none that could be verified. */
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

/** The DNS of a cloud, where the settings name none. */
const ownDns: Readonly<Record<CloudName, CloudDns>> = { hetzner: "hetzner", aws: "route53" };

/** The TURN host's Ubuntu release is this row's, whatever BigBlueButton's is. */
const TURN_UBUNTU = releases["noble-40"];

/** Whose settings are checked. */
export interface SettingsContext extends Source {
  /** What is wrong beside the settings, to be told with them. @default nothing */
  readonly elsewhere?: readonly Problem[];
}

/**
 * Checks raw values and fills in every default. Reads no configuration: values are text as the CLI hands it over, or of the
 * right type already. Empty texts, empty lists, null and undefined are "not set".
 *
 * @throws SettingsError listing every mistake, in the words of the configuration or, with `component`, of arguments.
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

/** A path as people write it; one without a beginning is from the project's folder, where the program runs. */
function readPem(path: string): string {
  return readFileSync(path.replace(/^~(?=\/)/, homedir()), "utf8");
}

/** The key is a secret from here on. */
function secretly(own: OwnChains): Settings["ownCertificates"] {
  const found = Object.entries(own).filter(([, certificate]) => certificate !== undefined);
  if (found.length === 0) return undefined;
  return Object.fromEntries(
    found.map(([role, { chain, key, validUntil, issuedBy, trustedByBrowsers }]) => [
      role,
      { chain, key: pulumi.secret(key), validUntil, issuedBy, trustedByBrowsers },
    ]),
  );
}

function settingsFrom(values: FieldValues, own: OwnChains, source: Source): Settings {
  const { cloud, domain, environment, recordingsGb, recordingsVolumeId } = values;
  const release = releases[values.release];
  const { protect, protectRecordings, backups } = protectionOf(values);
  return {
    ...source,
    labels: labelsOf(source, values),
    environment,
    domain,
    bbbFqdn: fqdn(values.hostname, domain),
    turnFqdn: fqdn(values.turnHostname, domain),
    turnStack: values.turnStack,
    turnPeers: values.turnPeers,
    email: values.email,
    release,
    placement: placementFrom(values, release),
    network: { vpcId: values.vpcId, subnetId: values.subnetId },
    sshNetworks: values.sshNetworks,
    sshPublicKeys: values.sshPublicKeys,
    dns: values.dns ?? ownDns[cloud],
    acme: acmeFrom(values),
    ownCertificates: secretly(own),
    greenlight: values.greenlight,
    recordings:
      recordingsGb > 0 || recordingsVolumeId
        ? { sizeGb: recordingsGb, adoptId: recordingsVolumeId, protected: protectRecordings }
        : undefined,
    snapshotDays: values.snapshotDays,
    installer: installerFrom(values, release),
    upgrade: values.upgrade ?? "",
    duringMeetings: values.duringMeetings ?? "",
    rotateTurnSecret: values.rotateTurnSecret ?? "",
    rotateSharedSecret: values.rotateSharedSecret ?? "",
    protected: protect,
    backups,
  };
}

function labelsOf({ project, stack, component }: Source, { expires }: FieldValues): Settings["labels"] {
  return { project, stack, ...(component && { deployment: component.name }), ...(expires && { expires }) };
}

function placementFrom(values: FieldValues, release: Release): Settings["placement"] {
  const { cloud, turnCloud = cloud, environment } = values;
  const types = (name: CloudName) => defaultServerTypes[name][environments[environment].size];
  const location = values.location ?? defaultLocations[cloud];
  return {
    bbb: {
      cloud,
      location,
      serverType: values.serverType ?? types(cloud).bbb,
      image: values.image ?? release.images[cloud],
    },
    turn: {
      cloud: turnCloud,
      location: values.turnLocation ?? (turnCloud === cloud ? location : defaultLocations[turnCloud]),
      serverType: values.turnServerType ?? types(turnCloud).turn,
      image: TURN_UBUNTU.images[turnCloud],
    },
  };
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
