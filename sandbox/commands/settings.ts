import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { STORAGE_BOX } from "../../bigbluebutton/backup";
import { defaultRelease } from "../../bigbluebutton/releases";
import { CLIENTS, ROUTE53_ZONE, SERVICE_ZONE, USER_ZONE } from "../network/addresses";
import { CA_BUNDLE, MIRROR_DIR, PROJECT_DIR } from "../paths";
import { ACME_DIRECTORY } from "../services/authority";
import { STORAGE_NAME } from "../services/storage";
import { boxHostKey } from "../services/storageBoxes";
import { Mistake } from "../../cli/mistake";
import { atCloud, parseSets, readProjectFile, readStackFile, type StackFile } from "../../cli/stackFiles";
import type { Cloud } from "./stacks";

/** Settings of the program, by their plain keys. */
export type Settings = Readonly<Record<string, unknown>>;

/**
 * All settings of a stack. Later ones win: the stack's file, the cloud if given, the sandbox's own, the command line.
 * Writes no file.
 */
export function readSettings(stack: string, set: readonly string[], cloud?: Cloud): Settings {
  const project = readProjectFile(PROJECT_DIR);
  const file = readStackFile(PROJECT_DIR, project.name, stack);
  const fromFile = { ...project.base, ...(file ? ownSettings(file, stack) : { environment: "test" }) };
  const fromUser = parseSets(set, project.types);
  const base = { recordingsGb: 10, ...atCloud({ ...fromFile, ...labels(fromFile) }, cloud) };
  const asked: Settings = { ...base, ...fromUser };
  return withBoxKey(
    withExporter({
      ...base,
      ...sandboxSettings(String(asked.release ?? defaultRelease), zoneFor(asked)),
      ...fromUser,
    }),
  );
}

/**
 * The settings of another program: what was set on the command line, and what the sandbox itself needs as `common`, the
 * arguments that its deployments have in common.
 *
 * @throws Mistake where the folder has no program.
 */
export function readProgramSettings(folder: string, set: readonly string[]): Settings {
  const file = join(folder, "Pulumi.yaml");
  if (!existsSync(file)) throw new Mistake(`--program ${folder}: there is no Pulumi.yaml in it`);
  const fromUser = parseSets(set, readProjectFile(folder).types);
  const own = { environment: "test", ...sandboxSettings(defaultRelease, USER_ZONE) };
  return { ...fromUser, common: { ...own, ...(fromUser.common as Settings | undefined) } };
}

/** Settings for the host names of a stack, as labels of the sandbox's zone. */
export function labels({ domain, hostname, turnHostname }: Settings): Settings {
  const ending = typeof domain === "string" ? `.${domain}` : "";
  const label = (name: unknown): unknown =>
    typeof name === "string" && ending !== "" && name.endsWith(ending) ? name.slice(0, -ending.length) : name;
  return {
    ...(hostname !== undefined && { hostname: label(hostname) }),
    ...(turnHostname !== undefined && { turnHostname: label(turnHostname) }),
  };
}

const orDefault = (value: unknown, preset: string): unknown =>
  value === undefined || value === "" ? preset : value;

/** Clouds of both hosts, and the service for DNS records. */
function parts(settings: Settings): { cloud: unknown; turnCloud: unknown; dns: unknown } {
  const cloud = orDefault(settings.cloud, "hetzner");
  return {
    cloud,
    turnCloud: orDefault(settings.turnCloud, String(cloud)),
    dns: orDefault(settings.dns, cloud === "aws" ? "route53" : "hetzner"),
  };
}

/** True when any part of a deployment is at AWS. */
export function usesAws(settings: Settings): boolean {
  const { cloud, turnCloud, dns } = parts(settings);
  return cloud === "aws" || turnCloud === "aws" || dns === "route53";
}

/** True when backups go to the S3 storage in the sandbox. */
export function usesStorage({ backup }: Settings): boolean {
  return JSON.stringify(backup ?? "").includes(STORAGE_NAME);
}

/** Zone at the service that makes the DNS records. */
export function zoneFor(settings: Settings): string {
  return parts(settings).dns === "route53" ? ROUTE53_ZONE : USER_ZONE;
}

/**
 * The project's own settings in a stack's file.
 *
 * @throws Mistake for one that is encrypted, which the sandbox can't open
 */
export function ownSettings({ settings, encrypted, environments }: StackFile, stack: string): Settings {
  const [secret] = encrypted.filter((key) => !key.includes(":"));
  if (secret !== undefined) {
    throw new Mistake(
      `Pulumi.${stack}.yaml: ${secret} is encrypted for its own stack: give it here by --set`,
    );
  }
  if (environments.length > 0) {
    process.stderr.write(
      `note: Pulumi.${stack}.yaml takes settings from an environment of Pulumi ESC (${environments.join(", ")}), which the ` +
        "sandbox does not open: give them by --set\n",
    );
  }
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !key.includes(":")));
}

/** Settings that make the sandbox the cloud, the certificate authority and the source of the installer. */
function sandboxSettings(release: string, zone: string): Settings {
  const { operator } = CLIENTS;
  return {
    domain: zone,
    email: `admin@${zone}`,
    sshNetworks: [`${operator.ipv4}/32`, `${operator.ipv6}/128`],
    acmeServer: ACME_DIRECTORY,
    acmeCa: readFileSync(CA_BUNDLE, "utf8"),
    ...installer(release),
  };
}

/** Lets the metrics of some settings come from the stand-in's exporter, unless they name another. */
export function withExporter(settings: Settings, mirror = MIRROR_DIR): Settings {
  const asked = asObject(settings.metrics);
  const hash = join(mirror, "exporter/bigbluebutton-exporter.sha256");
  if (asked === undefined || asked.exporterUrl !== undefined || !existsSync(hash)) return settings;
  const exporterUrl = `http://mirror.${SERVICE_ZONE}/exporter/bigbluebutton-exporter.tar.gz`;
  const exporterSha256 = readFileSync(hash, "utf8").trim();
  return { ...settings, metrics: { ...asked, exporterUrl, exporterSha256 } };
}

/** Has backups to a Storage Box trust the sandbox's own, unless they are told which. */
function withBoxKey(settings: Settings): Settings {
  const asked = asObject(settings.backup);
  const hostKey = boxHostKey();
  return asked?.to === STORAGE_BOX && asked.hostKey === undefined && hostKey !== undefined
    ? { ...settings, backup: { ...asked, hostKey } }
    : settings;
}

/**
 * Value of a setting that is true or an object, or the JSON text of one, as an object; undefined for any other, which is
 * the program's to refuse.
 */
function asObject(value: unknown): Settings | undefined {
  if (value === true || value === "true") return {};
  if (typeof value === "string" && value.trim().startsWith("{")) {
    try {
      return JSON.parse(value) as Settings;
    } catch {
      return undefined;
    }
  }
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Settings)
    : undefined;
}

function installer(release: string): Settings {
  const path = `bbb-install/${release}/bbb-install.sh`;
  const hash = join(MIRROR_DIR, `${path}.sha256`);
  if (!existsSync(hash)) return {};
  const installerSha256 = readFileSync(hash, "utf8").trim().split(/\s+/)[0];
  return { installerUrl: `http://mirror.${SERVICE_ZONE}/${path}`, installerSha256 };
}
