import { createInterface } from "node:readline/promises";

import { Mistake } from "../cli/mistake";

/** Prints the one document that --json promises on standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Prints a line about the progress. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * Asks the caller to agree, by --yes or by an answer at the terminal.
 *
 * @param details Text above the question.
 * @throws Mistake without a terminal to ask at
 */
export async function agree(yes: true | undefined, question: string, details = ""): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new Mistake(`${question} There is no terminal to ask at: add --yes`);
  }
  if (details !== "") say(details);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
