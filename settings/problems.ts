import * as pulumi from "@pulumi/pulumi";

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

/** All mistakes of a stack's settings in one error, which the CLI shows without a stack trace. */
export class SettingsError extends pulumi.RunError {
  constructor(
    readonly problems: readonly Problem[],
    project: string,
    stack: string,
  ) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    const list = problems.map(
      ({ key, elsewhere, reason, remedy }) =>
        `  ${elsewhere ? "" : `${project}:`}${key} ${reason}\n    → ${remedy.replaceAll("\n", "\n      ")}`,
    );
    super(`${count} in the settings of the stack "${stack}"; nothing was changed.\n\n${list.join("\n\n")}\n`);
    this.name = "SettingsError";
  }
}
