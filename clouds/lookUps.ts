import * as pulumi from "@pulumi/pulumi";

import { SettingsError, type Problem, type Source } from "../settings/problems";

/** Error of a question to a cloud whose answer does not fit the settings. */
export class LookUpError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(({ key, reason }) => `${key} ${reason}`).join("; "));
    this.name = "LookUpError";
  }
}

/** Error of a question that a cloud did not answer, which tells nothing about the settings. */
export class OutageError extends Error {
  /**
   * @param cloud e.g. "Hetzner Cloud"
   * @param answers Texts that came instead of an answer, each once.
   * @param status Place where the cloud reports its outages.
   */
  constructor(
    readonly cloud: string,
    readonly answers: readonly string[],
    readonly status: string,
  ) {
    super(`${cloud} did not answer: ${answers.join("; ")}`);
    this.name = "OutageError";
  }
}

/**
 * Pattern of messages about a service that fails or can't be reached: of Go's network code, proxies, and the clouds'
 * own codes.
 */
const OUTAGE =
  /(?:status|code|HTTP)\D{0,12}(?:429|5\d\d)\b|too many requests|rate.?limit|throttl|RequestLimitExceeded|SlowDown|service.?(error|unavailable)|server.?error|internal.?(server.?)?error|InternalFailure|unavailable|maintenance|bad.?gateway|gateway.?time|time.?out|timed out|deadline exceeded|dial tcp|no such host|connection (refused|reset|closed|aborted)|connect: |broken pipe|\bEOF\b|server misbehaving|temporary failure|network is unreachable|no route to host|TLS handshake|tls: |x509|proxyconnect|socket hang up|ECONN|ETIMEDOUT|EAI_AGAIN|RequestError|unexpected end of JSON/i;

/** True for a text that is no answer: the service, or the way to it, failed. */
export function isOutage(answer: string): boolean {
  return OUTAGE.test(answer);
}

/**
 * Waits for independent look-ups.
 *
 * @throws OutageError without an answer of a cloud, which comes before all other problems; LookUpError with the
 * problems of all look-ups, each once; any other error of theirs unchanged
 */
export async function waitForLookUps<T extends readonly unknown[]>(lookUps: {
  readonly [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  const results = await Promise.allSettled(lookUps);
  const outages: OutageError[] = [];
  const problems = results.flatMap((result) => {
    if (result.status === "fulfilled") return [];
    if (result.reason instanceof OutageError) outages.push(result.reason);
    else if (result.reason instanceof LookUpError) return result.reason.problems;
    else throw result.reason;
    return [];
  });
  const [outage] = outages;
  if (outage) {
    const answers = outages.filter(({ cloud }) => cloud === outage.cloud).flatMap(({ answers }) => answers);
    throw new OutageError(outage.cloud, [...new Set(answers)], outage.status);
  }
  // Who may not ask is told so once, in whichever words each question was refused.
  const different = new Map(
    problems.map((problem) => [problem.elsewhere ? problem.key : JSON.stringify(problem), problem]),
  );
  if (different.size > 0) throw new LookUpError([...different.values()]);
  return Promise.all(lookUps);
}

/**
 * Returns the result of a deployment's look-ups.
 *
 * @throws SettingsError with all of their problems, before any resource is registered; RunError for an outage
 */
export async function refuseProblems<T>(lookUps: Promise<T>, source: Source): Promise<T> {
  try {
    return await lookUps;
  } catch (error) {
    if (error instanceof LookUpError) throw new SettingsError(error.problems, source);
    if (error instanceof OutageError) throw new pulumi.RunError(outageText(error));
    throw error;
  }
}

function outageText({ cloud, answers, status }: OutageError): string {
  return (
    `${cloud} did not answer; nothing was changed, and nothing is wrong with the settings, as far as is known.\n\n` +
    `${answers.map((answer) => `  ${answer}`).join("\n")}\n` +
    `    → try again in some minutes. If it stays: ${status} tells of outages; else look at this machine's way there ` +
    "(proxy, firewall, resolver)\n"
  );
}
