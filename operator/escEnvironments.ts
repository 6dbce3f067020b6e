/** Settings that a stack takes from environments of Pulumi ESC: only the CLI, logged in, can open them. */
import { spawnSync } from "node:child_process";

import type { StackSettings } from "../cli/stackFiles";

/** Settings of a stack, by the CLI. */
export interface Opened {
  /** Values; the project's own by plain keys. */
  readonly settings: StackSettings;
  /** Keys of secret values. */
  readonly encrypted: readonly string[];
}

const LIMIT_MS = 60_000;

/**
 * Whole configuration of a stack, including its environments, without the values of secrets.
 *
 * @returns the reason of a failure, as the end of a sentence
 */
export function openEnvironments(
  projectDir: string,
  project: string,
  stack: string,
): Opened | { readonly why: string } {
  const args = ["config", "--json", "--open", "--stack", stack, "--non-interactive"];
  const { status, stdout, stderr, error } = spawnSync("pulumi", args, {
    cwd: projectDir,
    encoding: "utf8",
    timeout: LIMIT_MS,
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  if (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = {
      ENOENT: "the pulumi CLI is not on PATH",
      ETIMEDOUT: "the pulumi CLI gave no answer in a minute",
    };
    return { why: why[code as keyof typeof why] ?? error.message };
  }
  if (status !== 0) return { why: `pulumi config says: ${lastLine(stderr) || `exit code ${status}`}` };
  try {
    return read(JSON.parse(stdout) as Record<string, Value>, `${project}:`);
  } catch {
    return { why: "pulumi config --json printed no JSON" };
  }
}

interface Value {
  readonly value?: string;
  readonly objectValue?: unknown;
  readonly secret?: boolean;
}

function read(all: Readonly<Record<string, Value>>, prefix: string): Opened {
  const entries = Object.entries(all).map(
    ([key, value]) => [key.startsWith(prefix) ? key.slice(prefix.length) : key, value] as const,
  );
  return {
    settings: Object.fromEntries(
      entries.flatMap(([key, { value, objectValue, secret }]) =>
        secret === true ? [] : [[key, objectValue ?? value]],
      ),
    ),
    encrypted: entries.flatMap(([key, { secret }]) => (secret === true ? [key] : [])),
  };
}

function lastLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return (
    lines.filter((line) => line.startsWith("error: ")).at(-1) ??
    lines.filter(Boolean).at(-1) ??
    ""
  ).replace(/^error: /, "");
}
