/** Settings in their written forms: in Pulumi.<stack>.yaml, and as KEY=VALUE on a command line. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { parseStackText, type StackText } from "../settings/stackFile";
import { emptyValue } from "../settings/fields";
import { nearest } from "../settings/nearest";
import { Mistake } from "./mistake";

/**
 * Settings of a stack by their plain keys ("domain"), with the values of a Pulumi.<stack>.yaml. A key with a colon
 * ("hcloud:token") configures a provider.
 */
export type StackSettings = Readonly<Record<string, unknown>>;

/** Text of a setting; undefined for one that is not set, is empty, or is no text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Settings that belong to the cloud of the servers: of use at no other. */
const OF_CLOUD = [
  ...["location", "serverType", "turnServerType", "turnCloud", "turnLocation", "vpcId", "subnetId", "dns"],
  ...["image", "turnImage"],
];

/** Settings at a cloud: where that is another than theirs, without what belongs to theirs. */
export function atCloud(settings: StackSettings, cloud: string | undefined): StackSettings {
  if (cloud === undefined) return settings;
  const own = textOf(settings.cloud) ?? "hetzner";
  const kept = Object.entries(settings).filter(([key]) => cloud === own || !OF_CLOUD.includes(key));
  return { ...Object.fromEntries(kept), cloud };
}

/** Part of Pulumi.yaml that the commands need. */
export interface ProjectFile {
  readonly name: string;
  /** Types of the settings by key. */
  readonly types: Readonly<Record<string, string>>;
  /** Base settings of all stacks: what has a `value` in place of a `default`. A stack's own go before them. */
  readonly base: StackSettings;
}

export function readProjectFile(projectDir: string): ProjectFile {
  const { name, config = {} } = parse(readFileSync(join(projectDir, "Pulumi.yaml"), "utf8")) as {
    name: string;
    config?: Record<string, { type?: string; value?: unknown }>;
  };
  const declared = Object.entries(config);
  return {
    name,
    types: Object.fromEntries(declared.map(([key, { type = "string" }]) => [key, type])),
    base: Object.fromEntries(
      declared.flatMap(([key, { value }]) => (value === undefined ? [] : [[key, value]])),
    ),
  };
}

/** Settings that hold as they are: what only the base settings would add is set to nothing. */
export function withoutBase(settings: StackSettings, { base }: ProjectFile): StackSettings {
  return { ...Object.fromEntries(Object.keys(base).map((key) => [key, emptyValue(key)])), ...settings };
}

/** Content of a Pulumi.<stack>.yaml. */
export interface StackFile {
  readonly settings: StackSettings;
  /** Keys whose values are encrypted for the stack, and therefore not among the settings. */
  readonly encrypted: readonly string[];
  /** Settings that are encrypted in part, with {@link ENCRYPTED_ENTRY} in place of each such part. */
  readonly partly: StackSettings;
  /** Environments of Pulumi ESC with further settings, which only the CLI can open. */
  readonly environments: readonly string[];
  /** Encryption of the stack's secrets, if the file names one. */
  readonly secretsProvider?: string;
}

/** Text in place of an encrypted entry of a setting. It is a URL, as some of these entries are. */
export const ENCRYPTED_ENTRY = "https://encrypted.placeholder/";

/** Path of a stack's file in the project's folder. */
export function stackFilePath(projectDir: string, stack: string): string {
  return join(projectDir, `Pulumi.${stack}.yaml`);
}

/**
 * True when a stack has settings in the project's folder. A file with only the salt of its secrets doesn't count:
 * `pulumi preview`, `refresh` or `destroy` leaves one.
 */
export function hasStackFile(projectDir: string, stack: string): boolean {
  const file = stackFilePath(projectDir, stack);
  if (!existsSync(file)) return false;
  const { config, environments } = parsed(readFileSync(file, "utf8"), `Pulumi.${stack}.yaml`);
  return Object.keys(config).length + environments.length > 0;
}

/** Reads a stack's file in the project's folder; undefined without one. */
export function readStackFile(projectDir: string, project: string, stack: string): StackFile | undefined {
  const file = stackFilePath(projectDir, stack);
  if (!existsSync(file)) return undefined;
  return parseStackFile(readFileSync(file, "utf8"), project, `Pulumi.${stack}.yaml`);
}

/**
 * Parses a stack's file.
 * @param file Name of the file, for errors.
 * @throws Mistake
 */
export function parseStackFile(text: string, project: string, file: string): StackFile {
  const { config, environments, secretsProvider } = parsed(text, file);
  const prefix = `${project}:`;
  const entries = Object.entries(config).map(
    ([key, value]) => [key.startsWith(prefix) ? key.slice(prefix.length) : key, value] as const,
  );
  const encrypted = entries.filter(([, value]) => isEncrypted(value));
  const partly = encrypted.map(([key, value]) => [key, withoutEncrypted(value)] as const);
  return {
    settings: Object.fromEntries(entries.filter(([, value]) => !isEncrypted(value))),
    encrypted: encrypted.map(([key]) => key),
    partly: Object.fromEntries(partly.filter(([, value]) => value !== ENCRYPTED_ENTRY)),
    environments,
    secretsProvider,
  };
}

function parsed(text: string, file: string): StackText {
  try {
    return parseStackText(text, file);
  } catch (error) {
    throw new Mistake((error as Error).message, { cause: error });
  }
}

/** True for a value that is encrypted, as a whole or in an entry of it. */
function isEncrypted(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return "secure" in value || Object.values(value).some(isEncrypted);
}

function withoutEncrypted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("secure" in value) return ENCRYPTED_ENTRY;
  if (Array.isArray(value)) return value.map(withoutEncrypted);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withoutEncrypted(entry)]));
}

/**
 * Parses a KEY=VALUE of the command line. A value whose declared type is not text is read as JSON, if it is JSON.
 *
 * @throws Mistake for a key that is no setting
 */
function parseSet(assignment: string, types: ProjectFile["types"]): [key: string, value: unknown] {
  const at = assignment.indexOf("=");
  const [key, value] = [assignment.slice(0, at), assignment.slice(at + 1)];
  if (at < 1) throw new Mistake(`--set ${assignment}: give KEY=VALUE, with a key of Pulumi.yaml`);
  const type = types[key];
  if (type === undefined) {
    const near = nearest(key, Object.keys(types));
    throw new Mistake(
      `--set ${key}: no such setting${near ? `; did you mean ${near}?` : ", see Pulumi.yaml"}`,
    );
  }
  if (type === "string") return [key, value];
  try {
    return [key, JSON.parse(value) as unknown];
  } catch {
    return [key, value];
  }
}

/** Parses several; the last one of a key counts. */
export function parseSets(assignments: readonly string[], types: ProjectFile["types"]): StackSettings {
  return Object.fromEntries(assignments.map((assignment) => parseSet(assignment, types)));
}
