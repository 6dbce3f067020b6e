import * as pulumi from "@pulumi/pulumi";

import { asArguments } from "./remedies";

/** Mistake in the settings. */
export interface Problem {
  /** Setting, without the project's prefix. */
  readonly key: string;
  /** Mistake, as the end of a sentence that begins with the key. */
  readonly reason: string;
  /** Advice; a command if there is one. */
  readonly remedy: string;
  /** Shows the key unchanged: it is no setting of the project, but a provider's, "hcloud:token", or credentials. */
  readonly elsewhere?: true;
}

/** Origin of settings: the configuration of a stack, or a component's arguments in its program. */
export interface Source {
  readonly project: string;
  readonly stack: string;
  /** @default the stack's configuration */
  readonly component?: NamedComponent;
}

/** Component of a program, whose arguments are settings. */
export interface NamedComponent {
  /** Type, e.g. "BigBlueButton". */
  readonly type: string;
  readonly name: string;
}

/** Title of a component for messages, e.g. `BigBlueButton "school-a"`. */
export function componentTitle({ type, name }: NamedComponent): string {
  return `${type} "${name}"`;
}

/** Advice about settings in the words of their origin: commands for a stack's, arguments for a component's. */
export function adviceFor({ component }: Source, remedy: string): string {
  return component ? asArguments(remedy) : remedy;
}

/** Error with all mistakes of some settings, which the CLI shows without a stack trace. */
export class SettingsError extends pulumi.RunError {
  constructor(
    readonly problems: readonly Problem[],
    source: Source,
  ) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    const list = problems.map((problem) => problemText(problem, source));
    super(`${count} in ${titleOf(source)}; nothing was changed.\n\n${list.join("\n\n")}\n`);
    this.name = "SettingsError";
    keepMessage(this);
  }
}

/** Keeps the SDK from putting before a message each property that an output of the failed component goes into. */
export function keepMessage(error: Error): void {
  const { message } = error;
  Object.defineProperty(error, "message", { get: () => message, set: () => undefined });
}

function titleOf({ stack, component }: Source): string {
  return component ? `the arguments of ${componentTitle(component)}` : `the settings of the stack "${stack}"`;
}

function problemText({ key, elsewhere, reason, remedy }: Problem, source: Source): string {
  const prefix = elsewhere || source.component ? "" : `${source.project}:`;
  const words = elsewhere ? remedy : adviceFor(source, remedy);
  return `  ${prefix}${key} ${reason}\n    → ${words.replaceAll("\n", "\n      ")}`;
}
