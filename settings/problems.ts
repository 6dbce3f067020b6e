import * as pulumi from "@pulumi/pulumi";

import { asArguments } from "./remedies";

/** One mistake in the settings. */
export interface Problem {
  /** The setting, without the project's prefix. */
  readonly key: string;
  /** What is wrong, as the end of a sentence that begins with the key. */
  readonly reason: string;
  /** What to do; a command where there is one. */
  readonly remedy: string;
  /** The key is shown as it is: no setting of the project, but a provider's, "hcloud:token", or credentials. */
  readonly elsewhere?: true;
}

/** Where settings were given: in the configuration of a stack, or in its program as arguments of a component. */
export interface Source {
  readonly project: string;
  readonly stack: string;
  /** @default the stack's configuration */
  readonly component?: {
    /** e.g. "BigBlueButton" */
    readonly type: string;
    readonly name: string;
  };
}

/** All mistakes of some settings in one error, which the CLI shows without a stack trace. */
export class SettingsError extends pulumi.RunError {
  constructor(
    readonly problems: readonly Problem[],
    source: Source,
  ) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    const list = problems.map((problem) => problemText(problem, source));
    super(`${count} in ${titleOf(source)}; nothing was changed.\n\n${list.join("\n\n")}\n`);
    this.name = "SettingsError";
  }
}

function titleOf({ stack, component }: Source): string {
  return component
    ? `the arguments of ${component.type} "${component.name}"`
    : `the settings of the stack "${stack}"`;
}

function problemText({ key, elsewhere, reason, remedy }: Problem, { project, component }: Source): string {
  const prefix = elsewhere || component ? "" : `${project}:`;
  const words = component && !elsewhere ? asArguments(remedy) : remedy;
  return `  ${prefix}${key} ${reason}\n    → ${words.replaceAll("\n", "\n      ")}`;
}
