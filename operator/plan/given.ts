import { readdirSync } from "node:fs";

import type { Problem } from "../../settings/problems";
import { clearCredentials, clearEntries, entryAt } from "../../settings/clearSecrets";
import { environmentWarnings, prefixWarnings } from "../../settings/warnings";
import { openEnvironments, type Opened } from "../escEnvironments";
import { Mistake } from "../../cli/mistake";
import {
  ENCRYPTED_ENTRY,
  parseSets,
  readProjectFile,
  readStackFile,
  type StackFile,
  type StackSettings,
} from "../../cli/stackFiles";

/** Basis of a plan. */
export interface Given {
  readonly project: string;
  readonly stack: string;
  /** The project's own settings by their plain keys. */
  readonly settings: StackSettings;
  /** Keys of settings that only the stack's passphrase opens. */
  readonly encrypted: readonly string[];
  /** Settings of which a part is encrypted, with a text in place of each such part. */
  readonly partly: StackSettings;
  /** Problems of the rest of the stack's configuration. */
  readonly elsewhere: readonly Problem[];
  /** Warnings, which stop no update, including those of the update itself. */
  readonly warnings: readonly string[];
}

/** Name for a plan of settings without a stack. */
const NO_STACK = "new";

/**
 * Settings of the stack's file, if a stack is named, overridden by those of the command line.
 *
 * @throws Mistake for a stack without a file, or an invalid assignment
 */
export function readGiven(projectDir: string, stack: string | undefined, set: readonly string[]): Given {
  const { name: project, types, base } = readProjectFile(projectDir);
  const over = parseSets(set, types);
  if (stack === undefined) {
    return {
      project,
      stack: NO_STACK,
      settings: { ...base, ...over },
      encrypted: [],
      partly: {},
      elsewhere: [],
      warnings: [],
    };
  }
  const file = readStackFile(projectDir, project, stack);
  if (!file) throw new Mistake(unknownStack(projectDir, stack));
  const { opened, warnings } = environmentsOf(file, projectDir, project, stack);
  // What stands in the file goes before what its environments have.
  const all: StackSettings = { ...base, ...opened.settings, ...file.settings, ...over };
  const own = Object.fromEntries(Object.entries(all).filter(([key]) => !key.includes(":")));
  const secrets = [...new Set([...opened.encrypted, ...file.encrypted])].filter((key) => !(key in all));
  const encrypted = secrets.filter((key) => !key.includes(":"));
  // What is given on the command line stands in no file.
  const readable = { ...base, ...file.settings, ...file.partly };
  const isEncrypted = (entry: string) => entryAt(readable, entry) === ENCRYPTED_ENTRY;
  const said = { ...own, ...Object.fromEntries(encrypted.map((key) => [key, "encrypted"])) };
  return {
    ...{ project, stack, settings: own, encrypted },
    partly: Object.fromEntries(Object.entries(file.partly).filter(([key]) => encrypted.includes(key))),
    elsewhere: [...clearCredentials(all, () => false), ...clearEntries(readable, isEncrypted)],
    warnings: [...warnings, ...prefixWarnings(all, project), ...environmentWarnings(said, stack)],
  };
}

/** Settings of the stack's environments of Pulumi ESC, or a warning that they are unknown. */
function environmentsOf(
  { environments }: StackFile,
  projectDir: string,
  project: string,
  stack: string,
): { readonly opened: Opened; readonly warnings: readonly string[] } {
  const nothing: Opened = { settings: {}, encrypted: [] };
  if (environments.length === 0) return { opened: nothing, warnings: [] };
  const opened = openEnvironments(projectDir, project, stack);
  if (!("why" in opened)) return { opened, warnings: [] };
  const warning =
    `Pulumi.${stack}.yaml takes settings from an environment of Pulumi ESC (${environments.join(", ")}), which could not ` +
    `be opened: ${opened.why}. This is a plan without what is in there: give it by --set, or see that ` +
    `pulumi config --open --stack ${stack} works`;
  return { opened: nothing, warnings: [warning] };
}

function unknownStack(projectDir: string, stack: string): string {
  const known = readdirSync(projectDir)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();
  const others =
    known.length > 0 ? `there are ${known.join(", ")}` : "there is none of any other stack either";
  return `stack ${stack}: there is no Pulumi.${stack}.yaml; ${others}`;
}
