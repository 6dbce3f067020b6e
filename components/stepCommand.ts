import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

import { quote } from "shell-quote";

import { scriptsDirectory, type ScriptFile } from "./bundle";

const SCRIPTS = path.join(__dirname, "..", "scripts", "host");

/** What every step's script relies on: a change of theirs is a change of the step. */
const COMMON_SCRIPTS = ["lib.sh", "step"];

/** A script's flags, named without dashes: true stands alone, false and undefined are left out. */
export type Flags = Readonly<Record<string, string | number | boolean | undefined>>;

/** Arguments of {@link stepCommand}. */
export interface StepCommandArgs {
  /** "sudo " where the login isn't root. */
  readonly sudo: "" | "sudo ";
  /** e.g. "bbb 5/7" */
  readonly label: string;
  readonly title: string;
  readonly script: string;
  readonly unit: boolean;
  readonly flags: Flags;
  readonly scriptHash: string;
}

/** The command line that runs a step on a host, quoted for a POSIX shell. */
export function stepCommand(args: StepCommandArgs): string {
  const words = [
    `${scriptsDirectory}/step`,
    ...(args.unit ? ["--unit"] : []),
    args.label,
    args.title,
    args.script,
    ...flagWords({ ...args.flags, "script-hash": args.scriptHash }),
  ];
  return args.sudo + quote(words);
}

function flagWords(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });
}

/**
 * What a step's script says, and what the steps that it follows did, in 12 hexadecimal digits: as part of the
 * command it makes the step run again when either changes.
 *
 * @throws Error naming a script that isn't there.
 */
export function scriptHash(script: string, followed: readonly string[] = []): string {
  const texts = [script, ...COMMON_SCRIPTS].map((name) => readFileSync(path.join(SCRIPTS, name), "utf8"));
  return hash([...texts, ...followed]);
}

/** All of scripts/host. */
export function readScripts(): ScriptFile[] {
  return readdirSync(SCRIPTS)
    .sort()
    .map((name) => ({ name, content: readFileSync(path.join(SCRIPTS, name), "utf8") }));
}

/** The first 12 hexadecimal digits of the SHA-256 of some texts, told apart. */
export function hash(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, 12);
}
