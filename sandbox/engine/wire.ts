/**
 * Property values as Pulumi's protocol carries them: JSON, in which objects with a signature key stand for
 * secrets, assets and resource references, and one fixed string stands for a value that is not known yet.
 * The engine keeps them in this form throughout (source: sdk/nodejs/runtime/rpc.ts).
 */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

import { Struct } from "google-protobuf/google/protobuf/struct_pb";

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Values = Record<string, Value>;

export const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const SECRET = "1b47061264138c4ac30d75fd1eb44270";
export const RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";
/** Signature of a value with its dependencies, which has no `value` while that is not known. */
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
export const ASSET = "c44067f5952c0a294b673a41bacd8c17";
export const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function fromStruct(struct: Struct | undefined): Values {
  return struct?.toJavaScript() ?? {};
}

export function toStruct(values: Values): Struct {
  return Struct.fromJavaScript(values);
}

export function isObject(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasSignature(value: Value | undefined, signature: string): value is Values {
  return isObject(value) && value[SIGNATURE] === signature;
}

export function isSecret(value: Value | undefined): value is Values {
  return hasSignature(value, SECRET);
}

export function isAsset(value: Value | undefined): value is Values {
  return hasSignature(value, ASSET) || hasSignature(value, ARCHIVE);
}

export function secret(value: Value): Value {
  return isSecret(value) ? value : { [SIGNATURE]: SECRET, value };
}

function some(value: Value | undefined, test: (value: Value) => boolean): boolean {
  if (value === undefined) return false;
  if (test(value)) return true;
  if (Array.isArray(value)) return value.some((item) => some(item, test));
  return isObject(value) && Object.values(value).some((item) => some(item, test));
}

export function containsSecret(value: Value | undefined): boolean {
  return some(value, isSecret);
}

export function containsUnknown(value: Value | undefined): boolean {
  return some(value, (item) => item === UNKNOWN);
}

/** Rebuilds a value bottom up from `change`'s results for its leaves and signed objects; undefined keeps a value. */
export function transform(value: Value, change: (value: Value) => Value | undefined): Value {
  const changed = change(value);
  if (changed !== undefined) return changed;
  if (Array.isArray(value)) return value.map((item) => transform(item, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, transform(item, change)]));
}

/** Value for a driver: no secret wrappers, and the id in place of a resource reference. */
export function plain<T extends Value>(value: T): T {
  return transform(value, (item) => {
    if (isSecret(item)) return plain(item.value ?? null);
    if (hasSignature(item, RESOURCE)) return item.id ?? item.urn ?? null;
    return undefined;
  }) as T;
}

export function plainValues(values: Values): Values {
  return plain<Value>(values) as Values;
}

/** Removes the dependencies of outputs: the engine gets those separately. */
export function known(value: Value): Value {
  return transform(value, (item) =>
    hasSignature(item, OUTPUT) ? (item.value === undefined ? UNKNOWN : known(item.value)) : undefined,
  );
}

/** Value for an operator: "[secret]" in place of every secret, "[unknown]" of an unknown one. */
export function redacted(value: Value): Value {
  return transform(value, (item) =>
    isSecret(item) ? "[secret]" : item === UNKNOWN ? "[unknown]" : undefined,
  );
}

/** Gives assets and archives the hash of their content, by which alone they are compared, as in Pulumi. */
export function hashAssets(values: Values, projectDir: string): Values {
  return transform(values, (item) => {
    if (!isAsset(item)) return undefined;
    const hash = createHash("sha256");
    if (typeof item.text === "string") hash.update(item.text);
    else if (typeof item.path === "string") hashPath(hash, resolve(projectDir, item.path));
    else
      throw new Error(
        "an asset that is neither a file, a folder nor a text is not served by the embedded engine",
      );
    return { ...item, hash: hash.digest("hex") };
  }) as Values;
}

function hashPath(hash: ReturnType<typeof createHash>, path: string): void {
  if (!statSync(path).isDirectory()) {
    hash.update(readFileSync(path));
    return;
  }
  for (const entry of readdirSync(path).sort()) {
    hash.update(`\0${entry}\0`);
    hashPath(hash, join(path, entry));
  }
}
