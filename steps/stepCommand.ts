import { createHash, type Hash } from "node:crypto";

import { quote } from "shell-quote";

import type { Role } from "../clouds/host";
import { contentOf, scriptsDirectory, type ScriptFile } from "./bundle";
import { memoized } from "./memoized";
import { commonScripts, stepOf, type StepScript } from "./table";

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
  /** Role of the host. `step` adds the step's number, which only the host knows: an added step must not run others again. */
  readonly role: Role;
  readonly title: string;
  readonly script: StepScript;
  readonly run: StepRun;
  readonly flags: Flags;
  /** Result of {@link scriptHash}; empty if no change of the script runs it again. */
  readonly scriptHash: string;
  /** Seconds beside its time limit, in which it waits for others. @default none */
  readonly waits?: number;
}

/** Command line that runs a step on a host, quoted for a POSIX shell. */
export function stepCommand(args: StepCommandArgs): string {
  const { timeLimit, readOnly } = stepOf(args.script);
  return quote([
    ...(args.sudo ? ["sudo"] : []),
    `${scriptsDirectory}/step`,
    ...(args.run === "plain" ? [] : [`--${args.run}`]),
    ...["--time-limit", String(timeLimit + (args.waits ?? 0))],
    ...(readOnly ? ["--read-only"] : []),
    args.role,
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
 * Digest (12 hexadecimal digits) of a step's script, what that needs, and what the steps that it reruns with did: as
 * part of the command it makes the step run again when one of them changes.
 *
 * @throws Error naming a script that doesn't exist
 */
export function scriptHash(
  files: readonly ScriptFile[],
  script: StepScript,
  followed: readonly string[] = [],
): string {
  const begun = begunWith(files)(script).copy();
  for (const text of followed) begun.update(`,${JSON.stringify(text)}`);
  return endOf(begun.update("]"));
}

/** Begins a digest with a script and what it needs; several steps, on several hosts, are of the same. */
const begunWith = memoized((files: readonly ScriptFile[]) => {
  const all = new Map<StepScript, Hash>();
  return (script: StepScript): Hash => {
    const known = all.get(script) ?? createHash("sha256").update(beginning(files, script));
    all.set(script, known);
    return known;
  };
});

function beginning(files: readonly ScriptFile[], script: StepScript): string {
  const names = [script, ...stepOf(script).needs, ...commonScripts];
  return JSON.stringify(names.map((name) => contentOf(files, name))).slice(0, -"]".length);
}

/** First 12 hexadecimal digits of the SHA-256 of some texts, separated from each other. */
export function hash(texts: readonly string[]): string {
  return endOf(createHash("sha256").update(JSON.stringify(texts)));
}

function endOf(digest: Hash): string {
  return digest.digest("hex").slice(0, 12);
}
