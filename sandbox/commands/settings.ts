import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { defaultRelease } from "../../bigbluebutton/releases";
import { parseStackText, type StackText } from "../../settings/stackFile";
import { CLIENTS, ROUTE53_ZONE, SERVICE_ZONE, USER_ZONE } from "../network/addresses";
import { CA_BUNDLE, MIRROR_DIR, PROJECT_DIR } from "../paths";
import { ACME_DIRECTORY } from "../services/authority";
import { Mistake } from "../../cli/mistake";
import type { Cloud } from "./stacks";

/** Settings of the program, by their plain keys. */
export type Settings = Readonly<Record<string, unknown>>;

/**
 * All settings of a stack. Later ones win: the stack's file, the cloud if given, the sandbox's own, the command line.
 * Writes no file.
 */
export function readSettings(stack: string, set: readonly string[], cloud?: Cloud): Settings {
  const file = join(PROJECT_DIR, `Pulumi.${stack}.yaml`);
  const fromFile = existsSync(file)
    ? parseStackFile(readFileSync(file, "utf8"), `Pulumi.${stack}.yaml`)
    : { environment: "test" };
  const project = readFileSync(join(PROJECT_DIR, "Pulumi.yaml"), "utf8");
  const fromUser = Object.fromEntries(set.map((assignment) => parseSet(assignment, settingTypes(project))));
  const base = { recordingsGb: 10, ...fromFile, ...labels(fromFile), ...(cloud && { cloud }) };
  const asked: Settings = { ...base, ...fromUser };
  return {
    ...base,
    ...sandboxSettings(String(asked.release ?? defaultRelease), zoneFor(asked)),
    ...fromUser,
  };
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

/** Zone at the service that makes the DNS records. */
export function zoneFor(settings: Settings): string {
  return parts(settings).dns === "route53" ? ROUTE53_ZONE : USER_ZONE;
}

/** The project's own settings in a Pulumi.<stack>.yaml. */
export function parseStackFile(text: string, file: string): Settings {
  const { config, environments } = parsed(text, file);
  const prefix = "bigbluebutton:";
  const own = Object.entries(config).filter(([key]) => key.startsWith(prefix));
  const secret = own.find(([, value]) => typeof value === "object" && value !== null && "secure" in value);
  if (secret)
    throw new Mistake(`${file}: ${secret[0]} is encrypted for its own stack: give it here by --set`);
  if (environments.length > 0) {
    process.stderr.write(
      `note: ${file} takes settings from an environment of Pulumi ESC (${environments.join(", ")}), which the sandbox ` +
        "does not open: give them by --set\n",
    );
  }
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

function parsed(text: string, file: string): StackText {
  try {
    return parseStackText(text, file);
  } catch (error) {
    throw new Mistake((error as Error).message, { cause: error });
  }
}

/** Types of the settings, as Pulumi.yaml declares them. */
export function settingTypes(projectFile: string): Readonly<Record<string, string>> {
  const { config } = parse(projectFile) as { config?: Record<string, { type?: string }> };
  return Object.fromEntries(Object.entries(config ?? {}).map(([key, { type }]) => [key, type ?? "string"]));
}

/** Parses a KEY=VALUE of the command line. A value whose declared type is not text is read as JSON, if it is JSON. */
export function parseSet(assignment: string, types: Readonly<Record<string, string>>): [string, unknown] {
  const at = assignment.indexOf("=");
  if (at < 1) throw new Mistake(`--set ${assignment}: give KEY=VALUE, with a key of Pulumi.yaml`);
  const [key, value] = [assignment.slice(0, at), assignment.slice(at + 1)];
  if ((types[key] ?? "string") === "string") return [key, value];
  try {
    return [key, JSON.parse(value) as unknown];
  } catch {
    return [key, value];
  }
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

function installer(release: string): Settings {
  const path = `bbb-install/${release}/bbb-install.sh`;
  const hash = join(MIRROR_DIR, `${path}.sha256`);
  if (!existsSync(hash)) return {};
  const installerSha256 = readFileSync(hash, "utf8").trim().split(/\s+/)[0];
  return { installerUrl: `http://mirror.${SERVICE_ZONE}/${path}`, installerSha256 };
}
