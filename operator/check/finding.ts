/** Verdict of a check. warn: soon wrong, or wrong while the deployment works; skip: not asked. */
export type Verdict = "ok" | "warn" | "FAIL" | "skip";

/**
 * One check's question and answer. The hosts' own checks print the same (scripts/host/checks.py), with nothing but the
 * system's Python: tests/operator/check/report.test.ts holds both pages to one form.
 */
export interface Finding {
  readonly name: string;
  readonly asked: string;
  readonly verdict: Verdict;
  /** Answer in one line. */
  readonly answer: string;
  readonly seconds: number;
  /** Advice; undefined when there is nothing to do. */
  readonly remedy?: string;
}

/** Failure of a check: the answer, and advice. */
export class Wrong extends Error {
  readonly verdict: Verdict = "FAIL";
  constructor(
    answer: string,
    readonly remedy?: string,
  ) {
    super(answer);
  }
}

/** Warning of a check: something is wrong or soon will be, while the deployment works. */
export class Doubtful extends Wrong {
  override readonly verdict = "warn";
}

/** Question that can't be asked from here, with the reason. */
export class NotAsked extends Wrong {
  override readonly verdict = "skip";
}

/** Advice when this machine itself may be at fault. */
const FROM_HERE =
  "see that this machine resolves names and reaches the internet, then ask again; the hosts' own checks below tell whether it is theirs";

/** Time limit of one check, unless it has a reason to take longer. */
const LIMIT_SECONDS = 30;

/**
 * Runs a check, which returns its answer or throws a {@link Wrong}. Any other error, and a time limit exceeded, is a
 * failure of this check alone.
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
 * Joins several answers to one. The worst decides, and faults come first.
 *
 * @returns the texts joined
 * @throws Wrong or Doubtful when one of them is
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

/** Message of an error; the messages of all attempts, for a connection that tried several addresses. */
export function reasonOf(error: unknown): string {
  // By its parts: Node's own errors are no instances of the classes of a program that runs in a context of its own.
  const { errors, message, name } = (error ?? {}) as Partial<AggregateError>;
  if (Array.isArray(errors)) return [...new Set(errors.map(reasonOf))].join(", ");
  return message || name || String(error);
}

/** Text of a foreign source, made fit for a terminal and for one line. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, " ").trim();
}
