import { createHash } from "node:crypto";

import { quote } from "shell-quote";

import { scriptsDirectory, type ScriptFile } from "./bundle";

/** What every step's script relies on: a change of theirs is a change of the step. */
const COMMON_SCRIPTS = ["lib.sh", "step"];

/** A script's flags, named without dashes: true stands alone, false and undefined are left out. */
export type Flags = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * How a step runs:
 * - plain: for as long as the connection lives
 * - unit: as a unit of the host's own, which outlives the connection
 * - resume: such a unit, to its end, after a restart of the host that it asked for
 */
export type StepRun = "plain" | "unit" | "resume";

/** Arguments of {@link stepCommand}. */
export interface StepCommandArgs {
  /** Where the login isn't root. */
  readonly sudo: boolean;
  /** e.g. "bbb 5/7" */
  readonly label: string;
  readonly title: string;
  readonly script: string;
  readonly run: StepRun;
  readonly flags: Flags;
  /** Of {@link scriptHash}; empty where no change of the script makes it run again. */
  readonly scriptHash: string;
}

/** The command line that runs a step on a host, quoted for a POSIX shell. */
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
 * What a step's script and its helpers say, and what the steps that it follows did, in 12 hexadecimal digits: as part of the
 * command it makes the step run again when either changes.
 *
 * @throws Error naming a script that isn't there.
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

/** The files that a script reads in, but for those that all do. */
function sourcedBy(text: string): readonly string[] {
  const names = [...text.matchAll(/^\. "[^"]*\/([\w-]+\.sh)"$/gm)].map(([, name]) => name!);
  return names.filter((name) => !COMMON_SCRIPTS.includes(name));
}

/** The Python files that a text names, and all that they import, in the order of the bundle. */
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

/** The first 12 hexadecimal digits of the SHA-256 of some texts, told apart. */
export function hash(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, 12);
}
