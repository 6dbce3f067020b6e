import { createInterface } from "node:readline/promises";

import { Mistake } from "../cli/mistake";

/** The one document that --json promises on standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** A line about what goes on. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * Whether the caller agrees, by --yes or by an answer at the terminal.
 *
 * @param details shown above the question
 * @throws Mistake where there is nobody to ask
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
