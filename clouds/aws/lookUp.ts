import type { Problem } from "../../settings/problems";
import { isOutage, LookUpError, OutageError } from "../lookUps";

/** How the provider says that there is nothing such: its own words, or EC2's codes and sentences. */
const NOT_FOUND =
  /no matching|no results|not found|couldn't find|\.NotFound|do(es)? not exist|InvalidInstanceType/i;

/** How the provider says that there are no credentials, and AWS that it does not know these. */
const NO_ACCESS =
  /credential|AuthFailure|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|SignatureDoesNotMatch|ExpiredToken/i;

/**
 * The answer to a question put to AWS.
 *
 * @param missing What is wrong with the settings where AWS has nothing such.
 * @throws LookUpError with that, or with AWS's own words where it refused to answer; OutageError where it did not answer
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

/** Neither found nor missing: what AWS said is all that is known. */
function unanswered(key: string, answer: string): Problem {
  return {
    key,
    reason: `could not be checked at AWS: ${answer}`,
    remedy:
      "check what the account's credentials allow (aws sts get-caller-identity tells whose they are); docs/aws-policy.json " +
      "has what is needed",
  };
}
