/** Pulumi.yaml in the CLI's reading: its typed `config` block, defaults and required keys (pkg/workspace/config.go). */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse as parseArguments } from "shell-quote";
import { parse } from "yaml";

import type { Value, Values } from "./wire";

type ConfigType = "string" | "boolean" | "integer" | "array" | "object";

interface Declaration {
  readonly type?: ConfigType;
  readonly items?: { readonly type?: ConfigType; readonly items?: Declaration["items"] };
  readonly default?: Value;
  readonly value?: Value;
  readonly secret?: boolean;
}

export interface Project {
  readonly name: string;
  /** Path of the program, relative to the project's folder. */
  readonly main: string;
  readonly typescript: boolean;
  /** Arguments of Node.js before the program's. */
  readonly nodeArgs: readonly string[];
  readonly declarations: Readonly<Record<string, Declaration>>;
}

export interface Config {
  /** Values by namespaced keys; all but strings are JSON, as the program expects it in PULUMI_CONFIG. */
  readonly values: Readonly<Record<string, string>>;
  readonly secretKeys: readonly string[];
}

export function readProject(projectDir: string): Project {
  const file = join(projectDir, "Pulumi.yaml");
  if (!existsSync(file)) throw new Error(`there is no Pulumi.yaml in ${projectDir}`);
  const project = parse(readFileSync(file, "utf8")) as {
    name: string;
    main?: string;
    runtime?: string | { options?: { typescript?: boolean; nodeargs?: string } };
    config?: Record<string, Value>;
  };
  const options = typeof project.runtime === "object" ? project.runtime.options : undefined;
  const typescript = options?.typescript !== false;
  const declarations = Object.entries(project.config ?? {}).map(([key, declared]) => [
    key,
    isDeclaration(declared) ? declared : { default: declared },
  ]);
  return {
    name: project.name,
    main: `./${project.main ?? (typescript ? "index.ts" : "index.js")}`,
    typescript,
    nodeArgs: parseArguments(options?.nodeargs ?? "").map(String),
    declarations: Object.fromEntries(declarations) as Record<string, Declaration>,
  };
}

function isDeclaration(declared: Value): boolean {
  const keys = ["type", "items", "default", "value", "secret", "description"];
  return (
    typeof declared === "object" &&
    declared !== null &&
    !Array.isArray(declared) &&
    Object.keys(declared).every((key) => keys.includes(key))
  );
}

/** Settings of a stack with the project's defaults. @throws one error for all missing keys, in the CLI's words */
export function applyConfig(project: Project, stack: string, settings: Readonly<Values>): Config {
  const qualified = (key: string) => (key.includes(":") ? key : `${project.name}:${key}`);
  const values = new Map(Object.entries(settings).map(([key, value]) => [qualified(key), value]));
  const missing: string[] = [];
  const secretKeys: string[] = [];
  for (const [key, declared] of Object.entries(project.declarations).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = qualified(key);
    const preset = declared.value ?? declared.default;
    if (!values.has(name) && preset !== undefined) values.set(name, preset);
    const value = values.get(name);
    if (declared.secret === true) secretKeys.push(name);
    if (value === undefined) {
      if (name.startsWith(`${project.name}:`)) missing.push(key);
    } else if (declared.type !== undefined && !hasType(value, declared, true)) {
      throw new Error(
        `Stack '${stack}' with configuration key '${key}' must be of type '${typeName(declared)}'`,
      );
    }
  }
  if (missing.length > 0) throw new Error(missingKeysError(stack, missing.sort()));
  const text = (value: Value) => (typeof value === "string" ? value : JSON.stringify(value));
  const opened = [...values].map(
    ([key, value]) => [key, text(mapSecrets(value, (secret) => secret))] as const,
  );
  const partly = [...values].filter(([, value]) => hasSecret(value)).map(([key]) => key);
  return { values: Object.fromEntries(opened), secretKeys: [...new Set([...secretKeys, ...partly])] };
}

/** Value with each secret in it, `{secure: text}` as in a stack's file, replaced. In the sandbox the text is plain. */
export function mapSecrets(value: Value, replace: (secret: string) => Value): Value {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => mapSecrets(one, replace));
  if (typeof value.secure === "string") return replace(value.secure);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapSecrets(one, replace)]));
}

function hasSecret(value: Value): boolean {
  let found = false;
  mapSecrets(value, (secret) => {
    found = true;
    return secret;
  });
  return found;
}

function missingKeysError(stack: string, keys: readonly string[]): string {
  const quoted = keys.map((key) => `'${key}'`);
  const last = quoted.pop();
  const list = quoted.length === 0 ? last : `${quoted.join(", ")} and ${last}`;
  return `Stack '${stack}' is missing configuration value${keys.length > 1 ? "s" : ""} ${list}`;
}

/**
 * True when a value has its declared type. A stack's file has only texts, so "8" at the top is an integer; inside lists
 * the type itself counts.
 */
function hasType(value: Value, declared: Declaration, top: boolean): boolean {
  const { type, items } = declared;
  const scalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  switch (type) {
    case "string":
      return top ? scalar : typeof value === "string";
    case "boolean":
      return typeof value === "boolean" || (top && (value === "true" || value === "false"));
    case "integer":
      return Number.isInteger(value) || (top && typeof value === "string" && /^[+-]?\d+$/.test(value));
    case "array":
      return (
        Array.isArray(value) && value.every((item) => items === undefined || hasType(item, items, false))
      );
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return true;
  }
}

function typeName({ type, items }: Declaration): string {
  return type === "array" && items !== undefined ? `array<${typeName(items)}>` : (type ?? "");
}
