import {
  overrideFiles,
  type Chosen,
  type KeyValue,
  type OverrideFile,
  type OverrideName,
  type OwnedValue,
} from "./overrideFiles";

/** Key that the deployment owns in a file. */
export interface OwnedKey {
  /** Name; in YAML the names of the maps around it, outermost first. */
  readonly key: string | readonly string[];
  /** Value, or {@link Chosen} of the list in the file `from`. */
  readonly value?: OwnedValue;
  readonly choose?: string;
  readonly mark?: string;
  readonly from?: string;
  /** Setting that asks for it, e.g. "meetings.welcome". */
  readonly setting: string;
}

/** File with keys that the deployment owns; whatever else is in it stays. */
export interface OwnedFile {
  readonly path: string;
  readonly format: "properties" | "yaml" | "hocon" | "env";
  /** What must be done after a change: a unit to restart, `reload:UNIT` or `daemon-reload`. */
  readonly restart: readonly string[];
  readonly endsMeetings: boolean;
  readonly keys: readonly OwnedKey[];
}

/** File that the deployment owns whole. */
export interface OwnedWholeFile {
  readonly path: string;
  readonly format: "file";
  readonly restart: readonly string[];
  readonly endsMeetings: boolean;
  readonly base64: string;
  /** Octal, e.g. "644". */
  readonly mode: string;
  readonly setting: string;
  /** User and group of a file of the operator's own, e.g. "root:root". */
  readonly owner?: string;
  /** True for a file of the operator's own that may stand in the place of another. */
  readonly replace?: boolean;
}

/** Document of scripts/host/owned_keys.py: everything in BigBlueButton's configuration that settings decide about. */
export interface OwnedKeys {
  readonly files: readonly (OwnedFile | OwnedWholeFile)[];
}

/** Key with the setting that asks for it. */
export interface SetKey extends KeyValue {
  readonly setting: string;
}

/** Text that tells a key from all others. */
export function ownedKeyId({ file, key }: KeyValue): string {
  return `${file} ${typeof key === "string" ? key : key.join(".")}`;
}

/** Renders the keys of some settings, by file; undefined if there are none. */
export function ownedKeys(keys: readonly SetKey[]): OwnedKeys | undefined {
  if (keys.length === 0) return undefined;
  const names = [...new Set(keys.map(({ file }) => file))].sort();
  return {
    files: names.map((name) =>
      ownedFile(
        name,
        keys.filter(({ file }) => file === name),
      ),
    ),
  };
}

function ownedFile(name: OverrideName, keys: readonly SetKey[]): OwnedFile | OwnedWholeFile {
  const { path, format, mode = "", restart, endsMeetings, packaged }: OverrideFile = overrideFiles[name];
  if (format === "file") {
    const [{ value, setting }] = keys as [SetKey];
    return { path, format, restart, endsMeetings, mode, base64: base64Of(String(value)), setting };
  }
  return {
    path,
    format,
    restart,
    endsMeetings,
    keys: keys.map(({ key, value, setting }) => ({
      key: format === "yaml" && typeof key === "string" ? key.split(".") : key,
      ...(isChosen(value) ? { ...value, from: packaged } : { value }),
      setting,
    })),
  };
}

function base64Of(text: string): string {
  return Buffer.from(text).toString("base64");
}

function isChosen(value: OwnedValue): value is Chosen {
  return typeof value === "object" && "choose" in value;
}

/** Renders the document as the line that scripts/host/wire_files.py reads; "" without one. */
export function renderOwnedKeys(keys: OwnedKeys | undefined): string {
  return keys ? `${JSON.stringify(keys)}\n` : "";
}
