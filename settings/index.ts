import { readFileSync } from "node:fs";
import { homedir } from "node:os";

import * as pulumi from "@pulumi/pulumi";

import type { BrandingSite } from "../bigbluebutton/brandingFiles";
import { STORAGE_BOX } from "../bigbluebutton/backup";
import { releases, type Release } from "../bigbluebutton/releases";
import type { CloudName } from "../bigbluebutton/capacity";
import { acmeFrom } from "./acme";
import { readBranding } from "./branding";
import { conflicts } from "./conflicts";
import { dialInFrom, dialInProblems } from "./dialIn";
import { protectionOf } from "./environments";
import type { FieldValues } from "./fields";
import { readExtraFiles } from "./extraFiles";
import { groupProblems, groupsOf, overrideProblems, setTwiceProblems } from "./groups";
import { bbbFrom, certificateFrom, turnFrom } from "./hosts";
import { poolFrom } from "./pool";
import { readOwnCertificates, type CertificateBundles } from "./ownCertificates";
import { SettingsError, type Problem, type Source } from "./problems";
import { readFields, unknownKeys } from "./read";
import type {
  CloudDns,
  HostSettings,
  InstallerSettings,
  Settings,
  StorageBoxSettings,
  Volume,
} from "./types";

export type * from "./types";

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
  const branding = readBranding(raw, values);
  const extra = readExtraFiles(values.overrides);
  const all = [
    ...elsewhere,
    ...unknownKeys(raw),
    ...problems,
    ...conflicts(values, now),
    ...groupProblems(raw, values),
    ...branding.problems,
    ...overrideProblems(values),
    ...extra.problems,
    ...dialInProblems(values),
    ...setTwiceProblems(values),
    ...ofFiles,
  ];
  if (all.length > 0) throw new SettingsError(all, source);
  const read = { branding: branding.values, overrides: extra.overrides };
  return settingsFrom({ ...(values as FieldValues), ...read }, own, branding.site, source);
}

/** Reads a file. A relative path begins at the project's folder, where the program runs. */
function readPem(path: string): string {
  return readFileSync(path.replace(/^~(?=\/)/, homedir()), "utf8");
}

function settingsFrom(
  values: FieldValues,
  chains: CertificateBundles,
  branding: BrandingSite | undefined,
  source: Source,
): Settings {
  const { cloud, domain, environment } = values;
  const release = releases[values.release];
  const { protect, protectRecordings, backups } = protectionOf(values);
  const acme = acmeFrom(values);
  const bbb = bbbFrom(values, release, certificateFrom(chains.bbb, acme));
  return {
    ...source,
    labels: labelsOf(source, values),
    environment,
    domain,
    email: values.email,
    release,
    bbb,
    pool: poolFrom(values, bbb),
    turn: turnFrom(values, certificateFrom(chains.turn, acme)),
    network: { vpcId: values.vpcId, subnetId: values.subnetId },
    sshNetworks: values.sshNetworks,
    sshPublicKeys: values.sshPublicKeys,
    dns: values.dns ?? ownDns[cloud],
    acme,
    greenlight: values.greenlight,
    groups: groupsOf(values),
    branding,
    recordings: recordingsFrom(values, protectRecordings),
    dialIn: dialInFrom(values),
    alerts: values.alerts && pulumi.secret(values.alerts),
    metrics: values.metrics,
    backup: values.backup && backupFrom(values.backup, bbb, protectRecordings),
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

function recordingsFrom(
  { recordingsGb, recordingsVolumeId }: FieldValues,
  isProtected: boolean,
): Volume | undefined {
  if (recordingsVolumeId !== undefined) return { kind: "adopted", id: recordingsVolumeId };
  return recordingsGb > 0 ? { kind: "new", sizeGb: recordingsGb, protected: isProtected } : undefined;
}

function backupFrom(
  { at, restoreFrom, boxType, boxLocation, ...settings }: NonNullable<FieldValues["backup"]>,
  { cloud, location }: HostSettings,
  isProtected: boolean,
): Settings["backup"] {
  const box: StorageBoxSettings | undefined =
    settings.to === STORAGE_BOX
      ? {
          type: boxType ?? "bx11",
          // Not where the server is: one fire would take both.
          location: boxLocation ?? (location === "hel1" ? "fsn1" : "hel1"),
          reachableExternally: cloud !== "hetzner",
          protected: isProtected,
        }
      : undefined;
  return { at, restoreFrom, ...(box && { box }), settings: pulumi.secret(settings) };
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
