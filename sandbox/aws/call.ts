import { AwsError } from "./errors";

/** Services of the sandbox's AWS. All share one address; the scope of a request's signature tells them apart. */
export const SERVICES = ["ec2", "iam", "sts", "route53", "dlm"] as const;
export type Service = (typeof SERVICES)[number];

/** One request to the API. */
export interface Call {
  readonly service: Service;
  /** e.g. RunInstances. */
  readonly action: string;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
  /** Parameters of the query protocol (EC2, IAM, STS), by the names that are sent: NetworkInterface.1.DeviceIndex. */
  readonly params: Readonly<Record<string, string>>;
  /** Parts of a REST path: zone, change, policy, arn. */
  readonly id: string;
}

interface Operation {
  readonly method: string;
  readonly path: RegExp;
  readonly action: string;
}

const operation = (method: string, path: string, action: string): Operation => ({
  method,
  path: new RegExp(`^${path}/?$`),
  action,
});

/** Operations of the REST protocols; in the query protocol the request names its own. */
const REST: Partial<Record<Service, readonly Operation[]>> = {
  route53: [
    operation("POST", "/2013-04-01/hostedzone", "CreateHostedZone"),
    operation("GET", "/2013-04-01/hostedzone", "ListHostedZones"),
    operation("GET", "/2013-04-01/hostedzonesbyname", "ListHostedZonesByName"),
    operation("GET", "/2013-04-01/hostedzonecount", "GetHostedZoneCount"),
    operation("GET", "/2013-04-01/hostedzone/([^/]+)", "GetHostedZone"),
    operation("DELETE", "/2013-04-01/hostedzone/([^/]+)", "DeleteHostedZone"),
    operation("POST", "/2013-04-01/hostedzone/([^/]+)/rrset", "ChangeResourceRecordSets"),
    operation("GET", "/2013-04-01/hostedzone/([^/]+)/rrset", "ListResourceRecordSets"),
    operation("GET", "/2013-04-01/change/([^/]+)", "GetChange"),
    operation("GET", "/2013-04-01/tags/hostedzone/([^/]+)", "ListTagsForResource"),
    operation("POST", "/2013-04-01/tags/hostedzone/([^/]+)", "ChangeTagsForResource"),
  ],
  dlm: [
    operation("POST", "/policies", "CreateLifecyclePolicy"),
    operation("GET", "/policies", "GetLifecyclePolicies"),
    operation("GET", "/policies/([^/]+)", "GetLifecyclePolicy"),
    operation("PATCH", "/policies/([^/]+)", "UpdateLifecyclePolicy"),
    operation("DELETE", "/policies/([^/]+)", "DeleteLifecyclePolicy"),
    operation("GET", "/tags/(.+?)", "ListTagsForResource"),
    operation("POST", "/tags/(.+?)", "TagResource"),
    operation("DELETE", "/tags/(.+?)", "UntagResource"),
  ],
};

/**
 * Reads the service and the operation that a request asks for.
 * @throws AwsError for a service or an operation that the sandbox's AWS doesn't have
 */
export function readCall(
  service: string,
  request: Pick<Call, "method" | "path" | "contentType" | "body">,
): Call {
  const known = SERVICES.find((name) => name === service);
  if (known === undefined)
    throw new AwsError(
      "UnknownService",
      `the sandbox's AWS has no ${service}, only ${SERVICES.join(", ")}`,
      404,
    );
  const [path = ""] = request.path.split("?");
  const operations = REST[known];
  if (operations) {
    for (const { method, path: pattern, action } of operations) {
      const match = method === request.method ? pattern.exec(path) : null;
      if (match)
        return { ...request, service: known, action, params: {}, id: decodeURIComponent(match[1] ?? "") };
    }
    throw new AwsError(
      "UnsupportedOperation",
      `the sandbox's AWS has no ${request.method} ${path} of ${known}`,
      404,
    );
  }
  const query = request.method === "GET" ? (request.path.split("?")[1] ?? "") : request.body;
  const params = Object.fromEntries(new URLSearchParams(query));
  return { ...request, service: known, action: params.Action ?? "", params, id: "" };
}

/** Returns the call with some parameters replaced; undefined removes one. */
export function withParams(call: Call, changes: Readonly<Record<string, string | undefined>>): Call {
  const params = Object.fromEntries(
    Object.entries({ ...call.params, ...changes }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  return { ...call, params, body: new URLSearchParams(params).toString() };
}

/** Values of the parameters Name.1, Name.2 …, in order. */
export function listParam(params: Call["params"], name: string): string[] {
  const found: string[] = [];
  for (let index = 1; params[`${name}.${index}`] !== undefined; index += 1)
    found.push(params[`${name}.${index}`]!);
  return found;
}

/** True for a call that may change something. */
export function isMutating(action: string): boolean {
  return !/^(Describe|Get|List|Test|Search)/.test(action);
}
