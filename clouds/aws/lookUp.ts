import type { Problem } from "../../settings/problems";
import { isOutage, LookUpError, OutageError } from "../lookUps";

/** Pattern of an error about a missing object: the provider's own words, or EC2's codes and sentences. */
const NOT_FOUND =
  /no matching|no results|not found|couldn't find|\.NotFound|do(es)? not exist|InvalidInstanceType/i;

/** Pattern of an error about credentials: the provider's for missing ones, and AWS's for unknown ones. */
const NO_ACCESS =
  /credential|AuthFailure|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|SignatureDoesNotMatch|ExpiredToken/i;

/**
 * Asks AWS a question.
 *
 * @param missing Problem of the settings, for an answer that the object doesn't exist.
 * @throws LookUpError with that problem, or with AWS's own words for a refusal; OutageError without an answer
 */
export async function awsLookUp<T>(ask: () => Promise<T>, missing: Problem): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const answer = error instanceof Error ? error.message : String(error);
    if (NOT_FOUND.test(answer)) throw new LookUpError([missing]);
    // Whoever has no credentials at all is told so after a vain question to the metadata service of EC2.
    const access = NO_ACCESS.test(answer) && (!isOutage(answer) || /imds|credential sources/i.test(answer));
    if (!access && isOutage(answer)) throw new OutageError("AWS", [answer], "https://health.aws.amazon.com");
    throw new LookUpError([access ? noAccess(answer) : unanswered(missing.key, answer)]);
  }
}

function noAccess(answer: string): Problem {
  return {
    key: "AWS credentials",
    elsewhere: true,
    reason: `are missing or not accepted: ${answer}`,
    remedy:
      "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; aws sts get-caller-identity tells who you are. " +
      "A region that has to be enabled first answers like this, too",
  };
}

/** Problem of a question that was not answered, with AWS's own words. */
function unanswered(key: string, answer: string): Problem {
  return {
    key,
    reason: `could not be checked at AWS: ${answer}`,
    remedy:
      "check what the account's credentials allow (aws sts get-caller-identity tells whose they are); docs/aws-policy.json " +
      "has what is needed",
  };
}
