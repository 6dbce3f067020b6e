import { readdirSync } from "node:fs";

import { Mistake } from "../mistake";
import { parseSets, readProjectFile, readStackFile } from "../stackFiles";
import type { StackSettings } from "../stacks";

/** What a plan is made of. */
export interface Given {
  readonly project: string;
  readonly stack: string;
  /** The project's own settings by their plain keys. */
  readonly settings: StackSettings;
  /** Keys of settings that only the stack's passphrase opens. */
  readonly encrypted: readonly string[];
}

/** Of a plan of settings that belong to no stack. */
const NO_STACK = "new";

/**
 * The settings of a stack's file, where a stack is named, with those of the command line over them.
 *
 * @throws Mistake for a stack without a file, or an assignment that is none
 */
export function readGiven(projectDir: string, stack: string | undefined, set: readonly string[]): Given {
  const { name: project, types } = readProjectFile(projectDir);
  const over = parseSets(set, types);
  if (stack === undefined) return { project, stack: NO_STACK, settings: over, encrypted: [] };
  const file = readStackFile(projectDir, project, stack);
  if (!file) throw new Mistake(unknownStack(projectDir, stack));
  const own = Object.entries({ ...file.settings, ...over }).filter(([key]) => !key.includes(":"));
  const encrypted = file.encrypted.filter((key) => !key.includes(":") && !(key in over));
  return { project, stack, settings: Object.fromEntries(own), encrypted };
}

function unknownStack(projectDir: string, stack: string): string {
  const known = readdirSync(projectDir)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();
  const others =
    known.length > 0 ? `there are ${known.join(", ")}` : "there is none of any other stack either";
  return `stack ${stack}: there is no Pulumi.${stack}.yaml; ${others}`;
}
