import { createHash } from "node:crypto";

import { quote } from "shell-quote";

import { scriptsDirectory, type ScriptFile } from "./bundle";

/** Scripts that every step's script uses: a change of theirs is a change of the step. */
const COMMON_SCRIPTS = ["lib.sh", "step"];

/** Flags of a script, named without dashes: true stands alone, false and undefined are left out. */
export type Flags = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Way to run a step.
 * - plain: for as long as the connection lives
 * - unit: as a unit of the host's own, which outlives the connection
 * - resume: such a unit, to its end, after a restart of the host that it asked for
 */
export type StepRun = "plain" | "unit" | "resume";

/** Arguments of {@link stepCommand}. */
export interface StepCommandArgs {
  /** Uses sudo, for a login that isn't root. */
  readonly sudo: boolean;
  /** Label, e.g. "bbb 5/7". */
  readonly label: string;
  readonly title: string;
  readonly script: string;
  readonly run: StepRun;
  readonly flags: Flags;
  /** Result of {@link scriptHash}; empty if no change of the script runs it again. */
  readonly scriptHash: string;
}

/** Command line that runs a step on a host, quoted for a POSIX shell. */
export function stepCommand(args: StepCommandArgs): string {
  return quote([
    ...(args.sudo ? ["sudo"] : []),
    `${scriptsDirectory}/step`,
    ...(args.run === "plain" ? [] : [`--${args.run}`]),
    args.label,
    args.title,
    args.script,
    ...flagWords({ ...args.flags, "script-hash": args.scriptHash || undefined }),
  ]);
}

function flagWords(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });
}

/**
 * Digest (12 hex digits) of a step's script, its helpers and the steps it follows. In the command it runs the step
 * again when one of them changes.
 *
 * @throws Error naming a script that doesn't exist
 */
export function scriptHash(
  files: readonly ScriptFile[],
  script: string,
  followed: readonly string[] = [],
): string {
  const read = (name: string) => {
    const file = files.find((file) => file.name === name);
    if (!file) throw new Error(`scripts/host/${name} is missing; the project's folder is incomplete`);
    return file.content;
  };
  const sourced = sourcedBy(read(script)).map(read);
  const helpers = pythonOf(files, [read(script), ...sourced].join("\n"));
  return hash([
    read(script),
    ...sourced,
    ...helpers.map(({ content }) => content),
    ...COMMON_SCRIPTS.map(read),
    ...followed,
  ]);
}

/** Files that a script sources, without those that all do. */
function sourcedBy(text: string): readonly string[] {
  const names = [...text.matchAll(/^\. "[^"]*\/([\w-]+\.sh)"$/gm)].map(([, name]) => name!);
  return names.filter((name) => !COMMON_SCRIPTS.includes(name));
}

/** Python files that a text names, and all that they import, in the order of the bundle. */
function pythonOf(files: readonly ScriptFile[], text: string): readonly ScriptFile[] {
  const python = files.filter(({ name }) => name.endsWith(".py"));
  const found = new Set(python.filter(({ name }) => text.includes(name)));
  for (const { content } of found) {
    const imported = new Set([...content.matchAll(/^\s*(?:import|from) (\w+)/gm)].map(([, name]) => name));
    // What a set is given while it is walked through is walked through, too.
    python.filter(({ name }) => imported.has(name.replace(/\.py$/, ""))).forEach((file) => found.add(file));
  }
  return python.filter((file) => found.has(file));
}

/** First 12 hexadecimal digits of the SHA-256 of some texts, separated from each other. */
export function hash(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, 12);
}
