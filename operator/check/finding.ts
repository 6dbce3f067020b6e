/** ok; warn: soon wrong, or wrong where the deployment works all the same; FAIL; skip: not asked. */
export type Verdict = "ok" | "warn" | "FAIL" | "skip";

/** What one check asked and what came back; the hosts' own checks print the same (scripts/host/checks.py). */
export interface Finding {
  readonly name: string;
  readonly asked: string;
  readonly verdict: Verdict;
  /** In one line. */
  readonly answer: string;
  readonly seconds: number;
  /** What to do, where something is to be done. */
  readonly remedy?: string;
}

/** A check that failed: what came back, and what to do. */
export class Wrong extends Error {
  readonly verdict: Verdict = "FAIL";
  constructor(
    answer: string,
    readonly remedy?: string,
  ) {
    super(answer);
  }
}

/** Not right, or soon to be wrong; the deployment works all the same. */
export class Doubtful extends Wrong {
  override readonly verdict = "warn";
}

/** What can't be asked from here, and why. */
export class NotAsked extends Wrong {
  override readonly verdict = "skip";
}

/** Where this machine itself may be what is at fault. */
const FROM_HERE =
  "see that this machine resolves names and reaches the internet, then ask again; the hosts' own checks below tell whether it is theirs";

/** Of one check, unless it has a reason to take longer. */
const LIMIT_SECONDS = 30;

/**
 * Run a check, which returns what came back or throws a {@link Wrong}. Anything else that it throws, and a time limit
 * exceeded, is a failure of this check and nothing more.
 */
export async function ask(
  name: string,
  asked: string,
  check: () => Promise<string> | string,
  limitSeconds = LIMIT_SECONDS,
): Promise<Finding> {
  const began = performance.now();
  const end = (verdict: Verdict, answer: string, remedy?: string): Finding => ({
    ...{ name, asked, verdict, answer: oneLine(answer) },
    seconds: Math.round(performance.now() - began) / 1000,
    ...(remedy === undefined ? {} : { remedy: oneLine(remedy) }),
  });
  try {
    return end("ok", await within(limitSeconds, Promise.resolve().then(check)));
  } catch (error) {
    if (error instanceof Wrong) return end(error.verdict, error.message, error.remedy);
    return end("FAIL", `could not be asked: ${reasonOf(error)}`, FROM_HERE);
  }
}

async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Wrong(`no answer within ${seconds} s`, FROM_HERE)), seconds * 1000);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * One answer out of several: the worst decides, and what is wrong comes first.
 *
 * @returns the texts joined
 * @throws Wrong or Doubtful, where one of them is
 */
export function worst(answers: readonly (string | Wrong)[]): string {
  const fails = answers.filter((one): one is Wrong => one instanceof Wrong && one.verdict === "FAIL");
  const warns = answers.filter((one): one is Wrong => one instanceof Wrong && one.verdict !== "FAIL");
  const fine = answers.filter((one) => typeof one === "string");
  const wrong = [...fails, ...warns];
  const text = [...wrong.map(({ message }) => message), ...fine].join("; ");
  if (wrong.length === 0) return text;
  const remedies = new Set(wrong.flatMap(({ remedy }) => remedy ?? []));
  const remedy = remedies.size > 0 ? [...remedies].join("; ") : undefined;
  throw fails.length > 0 ? new Wrong(text, remedy) : new Doubtful(text, remedy);
}

/** An error's words; those of all attempts, where a connection was tried by several addresses. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join(", ");
  return error instanceof Error ? error.message || error.name : String(error);
}

/** What others said, fit for a terminal and for one line. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, " ").trim();
}
