import { readdirSync } from "node:fs";

import type { Problem } from "../../settings/problems";
import { clearCredentials, environmentWarnings, prefixWarnings } from "../../settings/warnings";
import { openEnvironments, type Opened } from "../escEnvironments";
import { Mistake } from "../../cli/mistake";
import {
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
  const said = { ...own, ...Object.fromEntries(encrypted.map((key) => [key, "encrypted"])) };
  return {
    ...{ project, stack, settings: own, encrypted },
    elsewhere: clearCredentials(all, () => false),
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
