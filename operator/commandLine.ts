import { CommanderError, type Command } from "commander";

import { FAILED, Failure, FINE, Mistake, MISTAKEN } from "../cli/mistake";

/**
 * Runs one of the operator's commands and sets the process's exit code to its action's result.
 *
 * An error that the caller can put right, found here or by commander, is one line on standard error and exit code 2.
 */
export async function runCommand(command: Command, argv: readonly string[]): Promise<void> {
  try {
    strictly(command);
    await command.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = codeOf(error);
  }
}

function strictly(command: Command): void {
  // commander's second line with the usage would not be one clear line.
  command.exitOverride().showHelpAfterError(false);
  command.commands.forEach(strictly);
}

function codeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? FINE : MISTAKEN;
  if (error instanceof Mistake || error instanceof Failure) {
    process.stderr.write(`error: ${error.message}\n`);
    return error instanceof Mistake ? MISTAKEN : FAILED;
  }
  process.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return FAILED;
}
