import type { Problem } from "../../settings/problems";
import { isOutage, LookUpError, OutageError } from "../lookUps";

/**
 * Pattern of an error about the token: the provider's for a missing or malformed one, and Hetzner's for an unknown one.
 */
const NO_ACCESS =
  /missing Hetzner Cloud API token|missing a required configuration key|token is invalid|unable to authenticate|unauthorized/i;

/** Settles with the first answer: a token that is refused once is refused for all questions. */
let access: Promise<void> | undefined;

/** Asks a question once the token is known to be accepted: a bad one gives one refusal, not one for each question. */
async function allowed<T>(ask: () => Promise<T>): Promise<T> {
  if (access !== undefined) {
    await access;
    return ask();
  }
  const first = ask();
  access = first.then(
    () => undefined,
    (error: unknown) => {
      if (NO_ACCESS.test((error as Error).message)) throw error;
    },
  );
  access.catch(() => undefined);
  return first;
}

/** Pattern of an error about a missing object: the provider's own words, or Hetzner's code. */
const NOT_FOUND = /not.?found|no \w+ "[^"]*" exists|does not exist/i;

/**
 * Asks Hetzner Cloud a question.
 *
 * @param missing Problem of the settings, for an answer that the object doesn't exist, by Hetzner's own words.
 * @throws LookUpError with that problem, or with that of the token; OutageError without an answer
 */
export async function hetznerLookUp<T>(
  ask: () => Promise<T>,
  missing: (answer: string) => Problem,
): Promise<T> {
  try {
    return await allowed(ask);
  } catch (error) {
    const answer = error instanceof Error ? error.message : String(error);
    const words = hetznersWords(answer);
    if (NO_ACCESS.test(answer)) throw new LookUpError([noAccess(words)]);
    if (NOT_FOUND.test(answer)) throw new LookUpError([missing(words)]);
    if (isOutage(answer)) throw new OutageError("Hetzner Cloud", [words], "https://status.hetzner.com");
    throw new LookUpError([unanswered(missing(words), words)]);
  }
}

/** Returns what Hetzner said, without the paragraphs that some of the provider's questions put around it. */
function hetznersWords(answer: string): string {
  const [, words] = /encountered during an API request\.\s+(.+?)\s*(?:\n|$)/.exec(answer) ?? [];
  return words ?? answer;
}

/** Problem of a question that was not answered, with Hetzner's own words. */
function unanswered({ key }: Problem, answer: string): Problem {
  return {
    key,
    reason: `could not be checked at Hetzner Cloud: ${answer}`,
    remedy: "look what the token may do (read and write, of the right project), and run pulumi up again",
  };
}

function noAccess(answer: string): Problem {
  return {
    key: "hcloud:token",
    elsewhere: true,
    reason: `is missing or not accepted: ${answer}`,
    remedy:
      "pulumi config set --secret hcloud:token, or HCLOUD_TOKEN in the environment: a token, read and write, of the project",
  };
}
