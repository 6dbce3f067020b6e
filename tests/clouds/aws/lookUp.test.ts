import { awsLookUp } from "../../../clouds/aws/lookUp";
import { waitForLookUps, LookUpError, OutageError } from "../../../clouds/lookUps";

const missing = { key: "vpcId", reason: "is not there", remedy: "make one" };
const asked = (answer: string) => awsLookUp(() => Promise.reject(new Error(answer)), missing);

test("an answer is passed on", async () => {
  await expect(awsLookUp(() => Promise.resolve(7), missing)).resolves.toBe(7);
});

/** Messages of terraform-provider-aws, read in its sources. */
test.each([
  "reading EC2 VPC: no matching EC2 VPC found",
  "Your query returned no results. Please change your search criteria and try again.",
  "reading EC2 Instance Type (x.y): operation error EC2: DescribeInstanceTypes, https response error StatusCode: 400, api error InvalidInstanceType: The following supplied instance types do not exist: [x.y]",
  "reading EC2 Instance Type (x.y): couldn't find resource",
  "api error InvalidSubnetID.NotFound: The subnet ID 'subnet-1' does not exist",
])("%s: it is missing", async (answer) => {
  await expect(asked(answer)).rejects.toEqual(new LookUpError([missing]));
  await expect(asked(answer)).rejects.toMatchObject({ problems: [missing] });
});

test.each([
  "api error UnauthorizedOperation: You are not authorized to perform this operation",
  "api error RequestExpired",
])("%s: it could not be asked, and nothing is said of whether it is there", async (answer) => {
  await expect(asked(answer)).rejects.toMatchObject({
    problems: [
      {
        key: "vpcId",
        reason: `could not be checked at AWS: ${answer}`,
        remedy: expect.stringContaining("aws sts get-caller-identity") as string,
      },
    ],
  });
});

test.each([
  "no valid credential sources for Terraform AWS Provider found.",
  "api error AuthFailure: AWS was not able to validate the provided access credentials",
  "api error InvalidClientTokenId: The security token included in the request is invalid.",
])("%s: it is about who asks, and told once for all questions", async (answer) => {
  const wanted = asked(answer);
  await expect(waitForLookUps([wanted, asked(`${answer} (another)`)])).rejects.toMatchObject({
    problems: [
      { key: "AWS credentials", elsewhere: true, remedy: expect.stringContaining("AWS_PROFILE") as string },
    ],
  });
});

test.each([
  "reading EC2 VPC: operation error EC2: DescribeVpcs, exceeded maximum number of attempts, 25, https response error StatusCode: 503, RequestID: 4711, api error Unavailable: The service is unavailable",
  'operation error EC2: DescribeVpcs, https response error StatusCode: 0, RequestID: , request send failed, Post "https://ec2.eu-central-1.amazonaws.com/": dial tcp: lookup ec2.eu-central-1.amazonaws.com: no such host',
  "api error RequestLimitExceeded: Request limit exceeded.",
  "operation error STS: AssumeRole, failed to refresh cached credentials, https response error StatusCode: 503",
  'Post "https://route53.amazonaws.com/": net/http: TLS handshake timeout',
])("%s: an outage, of which the settings know nothing", async (answer) => {
  await expect(asked(answer)).rejects.toEqual(
    new OutageError("AWS", [answer], "https://health.aws.amazon.com"),
  );
  await expect(waitForLookUps([asked(answer), asked("no matching EC2 VPC found")])).rejects.toThrow(
    OutageError,
  );
});

test("no credentials at all, for which the metadata service is asked in vain, are no outage", async () => {
  const answer =
    "No valid credential sources found. Error: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, request canceled, context deadline exceeded";
  await expect(asked(answer)).rejects.toMatchObject({ problems: [{ key: "AWS credentials" }] });
});
