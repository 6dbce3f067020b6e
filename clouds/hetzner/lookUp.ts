import type { Problem } from "../../settings/problems";
import { isOutage, LookUpError, OutageError } from "../lookUps";

/** How the provider says that there is no token, or none that could be one, and Hetzner that it does not know it. */
const NO_ACCESS =
  /missing Hetzner Cloud API token|missing a required configuration key|token is invalid|unable to authenticate|unauthorized/i;

/** Settles with the first answer: what refuses one question for the token refuses them all. */
let access: Promise<void> | undefined;

/** Put a question once it is known that any may be put: a bad token is told by one refusal, not by one for each. */
async function allowed<T>(ask: () => Promise<T>): Promise<T> {
  if (access !== undefined) {
    await access;
    return ask();
  }
  const first = ask();
  access = first.then(
    () => undefined,
    (error: unknown) => {
      if (NO_ACCESS.test(String((error as Error).message))) throw error;
    },
  );
  access.catch(() => undefined);
  return first;
}

/** How the provider says that there is nothing such: its own words, or Hetzner's code. */
const NOT_FOUND = /not.?found|no \w+ "[^"]*" exists|does not exist/i;

/**
 * The answer to a question put to Hetzner Cloud.
 *
 * @param missing What is wrong with the settings where Hetzner has nothing such, in its own words.
 * @throws LookUpError with that, or with what is wrong with the token; OutageError where Hetzner did not answer
 */
export async function hetznerLookUp<T>(
  ask: () => Promise<T>,
  missing: (answer: string) => Problem,
): Promise<T> {
  try {
    return await allowed(ask);
  } catch (error) {
    const answer = error instanceof Error ? error.message : String(error);
    if (NO_ACCESS.test(answer)) throw new LookUpError([noAccess(answer)]);
    if (NOT_FOUND.test(answer)) throw new LookUpError([missing(answer)]);
    if (isOutage(answer)) throw new OutageError("Hetzner Cloud", [answer], "https://status.hetzner.com");
    throw new LookUpError([unanswered(missing(answer), answer)]);
  }
}

/** Neither found nor missing: what Hetzner said is all that is known. */
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
