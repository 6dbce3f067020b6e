import type { Settings } from "../config";
import { SettingsError, type Problem } from "../settings/problems";

/** What a cloud was asked and did not have as the settings want it. */
export class LookUpError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(({ key, reason }) => `${key} ${reason}`).join("; "));
    this.name = "LookUpError";
  }
}

/**
 * Waits for look-ups that don't need each other.
 *
 * @throws LookUpError with the problems of all of them, each once; any other error of theirs as it is.
 */
export async function allFound<T extends readonly unknown[]>(lookUps: {
  readonly [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  const results = await Promise.allSettled(lookUps);
  const problems = results.flatMap((result) => {
    if (result.status === "fulfilled") return [];
    if (!(result.reason instanceof LookUpError)) throw result.reason;
    return result.reason.problems;
  });
  // Who may not ask is told so once, in whichever words each question was refused.
  const different = new Map(
    problems.map((problem) => [problem.elsewhere ? problem.key : JSON.stringify(problem), problem]),
  );
  if (different.size > 0) throw new LookUpError([...different.values()]);
  return Promise.all(lookUps) as unknown as Promise<T>;
}

/**
 * The result of a deployment's look-ups.
 *
 * @throws SettingsError with all of their problems, before any resource is registered.
 */
export async function orRefused<T>(lookUps: Promise<T>, { project, stack }: Settings): Promise<T> {
  try {
    return await lookUps;
  } catch (error) {
    if (error instanceof LookUpError) throw new SettingsError(error.problems, project, stack);
    throw error;
  }
}
