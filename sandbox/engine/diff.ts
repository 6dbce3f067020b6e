/** Comparison of a program's registration with the checkpoint. Pure; paths are Pulumi's ("triggers[0]"). */
import { isAsset, isObject, plain, UNKNOWN, type Value, type Values } from "./wire";

export type Path = readonly (string | number)[];

/** "a.b[0]["c.d"]" → ["a", "b", 0, "c.d"]; "[*]" and "*" stay the wildcard "*". */
export function parsePath(text: string): Path {
  const elements: (string | number)[] = [];
  const pattern = /\[(?:"((?:[^"\\]|\\.)*)"|(\d+)|(\*))\]|([^.[\]]+)|\./gy;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [, quoted, index, star, name] = match;
    if (quoted !== undefined) elements.push(quoted.replaceAll(/\\(.)/g, "$1"));
    else if (index !== undefined) elements.push(Number(index));
    else if (star !== undefined || name !== undefined) elements.push((star ?? name) as string);
    if (pattern.lastIndex === text.length) return elements;
  }
  throw new Error(`"${text}" is not a property path`);
}

/** True when a change at `path` lies at or below `pattern`, in which "*" stands for any one element. */
export function covers(pattern: Path, path: Path): boolean {
  return (
    pattern.length <= path.length &&
    pattern.every((element, index) => element === "*" || String(element) === String(path[index]))
  );
}

/** Paths at which two values differ. Secrets are compared by their content, assets by their hash. */
export function changedPaths(before: Value | undefined, after: Value | undefined, at: Path = []): Path[] {
  const [old, now] = [unwrap(before), unwrap(after)];
  if (old === now && now !== UNKNOWN) return [];
  if (isAsset(old) && isAsset(now)) return old.hash === now.hash ? [] : [at];
  if (Array.isArray(old) && Array.isArray(now)) {
    const length = Math.max(old.length, now.length);
    return Array.from({ length }, (_, index) => changedPaths(old[index], now[index], [...at, index])).flat();
  }
  if (isObject(old) && isObject(now)) {
    const keys = new Set([...Object.keys(old), ...Object.keys(now)]);
    return [...keys].flatMap((key) => changedPaths(old[key], now[key], [...at, key]));
  }
  return [at];
}

/** Treats null as absent, since the SDK sends it for an undefined output. */
function unwrap(value: Value | undefined): Value | undefined {
  return value === undefined ? undefined : (plain(value) ?? undefined);
}

/** Returns `inputs` with the old value at every path of `ignoreChanges`. */
export function withIgnoredChanges(inputs: Values, old: Values, ignoreChanges: readonly string[]): Values {
  let result: Values = inputs;
  for (const text of ignoreChanges) {
    const path = parsePath(text);
    if (path.length === 1 && path[0] === "*") return old;
    if (path.includes("*"))
      throw new Error(`ignoreChanges "${text}": a wildcard inside a path is not served`);
    result = copyAt(result, old, path) as Values;
  }
  return result;
}

function copyAt(target: Value | undefined, source: Value | undefined, path: Path): Value | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return source;
  if (Array.isArray(target)) {
    const from = Array.isArray(source) ? source[Number(key)] : undefined;
    return target.map((item, index) => (index === Number(key) ? (copyAt(item, from, rest) ?? null) : item));
  }
  const from = isObject(source) ? source[key] : undefined;
  if (!isObject(target)) return target ?? (from === undefined ? undefined : { [key]: from });
  const { [String(key)]: current, ...others } = target;
  const value = copyAt(current, from, rest);
  return value === undefined ? others : { ...others, [key]: value };
}

export interface Difference {
  /** Top-level keys that changed. */
  readonly changed: readonly string[];
  /** Changed keys that force a replacement. */
  readonly replace: readonly string[];
  /** All changed paths, e.g. "labels.expires" or "rules.0.port". */
  readonly paths: readonly string[];
}

/** Changes, and those that replace the resource: by the driver's keys and the program's `replaceOnChanges`. */
export function difference(
  old: Values,
  now: Values,
  replaceKeys: readonly string[],
  replaceOnChanges: readonly string[],
): Difference {
  const paths = changedPaths(old, now).filter(([key]) => key !== "__defaults");
  const patterns = [...replaceKeys, ...replaceOnChanges].map(parsePath);
  const replacing = paths.filter((path) => patterns.some((pattern) => covers(pattern, path)));
  const keys = (of: readonly Path[]) => [...new Set(of.map(([key]) => String(key)))].sort();
  return { changed: keys(paths), replace: keys(replacing), paths: paths.map((path) => path.join(".")) };
}
