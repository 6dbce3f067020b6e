import { AwsError, type Answer } from "../errors";
import { queryCall, readAnswer, type Cloud } from "../cloud";
import type { Policy } from "../state";
import type { Rule } from "./rule";

/** Data Lifecycle Manager, which moto lacks. Policies are kept; no snapshot is made by one. */

interface PolicyBody {
  readonly ExecutionRoleArn?: string;
  readonly Description?: string;
  readonly State?: string;
  readonly PolicyDetails?: Details;
  readonly Tags?: Record<string, string>;
}

interface Details {
  readonly PolicyType?: string;
  readonly ResourceTypes?: readonly string[];
  readonly TargetTags?: readonly unknown[];
  readonly Schedules?: readonly Schedule[];
}

interface Schedule {
  readonly Name?: string;
  readonly CreateRule?: {
    readonly Interval?: number;
    readonly IntervalUnit?: string;
    readonly CronExpression?: string;
  };
  readonly RetainRule?: { readonly Count?: number; readonly Interval?: number };
}

const STATES = ["ENABLED", "DISABLED"];
/** Hours between snapshots that the API accepts. */
const INTERVALS = [1, 2, 3, 4, 6, 8, 12, 24];

function json(content: unknown): Answer {
  return { status: 200, contentType: "application/json", body: JSON.stringify(content) };
}

function parseBody(body: string): PolicyBody {
  try {
    return JSON.parse(body || "{}") as PolicyBody;
  } catch {
    throw new AwsError("InvalidRequestException", "The request body is not valid JSON");
  }
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidRequestException", message);
}

async function check(
  cloud: Cloud,
  { ExecutionRoleArn: role, State: state, PolicyDetails: details }: PolicyBody,
): Promise<void> {
  if (state !== undefined && !STATES.includes(state)) throw invalid(`Invalid state: ${state}`);
  if (role !== undefined) await checkRole(cloud, role);
  if (details === undefined) return;
  if ((details.ResourceTypes ?? []).some((type) => type !== "VOLUME" && type !== "INSTANCE"))
    throw invalid("Invalid resource type");
  if (!details.TargetTags?.length) throw invalid("Policy must have target tags");
  if (!details.Schedules?.length) throw invalid("Policy must have a schedule");
  for (const { CreateRule: create, RetainRule: retain } of details.Schedules) {
    if (create?.CronExpression === undefined && !INTERVALS.includes(create?.Interval ?? 0))
      throw invalid(`Interval must be one of ${INTERVALS.join(", ")}`);
    const { Count: count } = retain ?? {};
    if (count !== undefined && (count < 1 || count > 1000)) throw invalid("Count must be between 1 and 1000");
  }
}

/** Refuses a role that does not exist: a policy is carried out in its name. */
async function checkRole(cloud: Cloud, arn: string): Promise<void> {
  const name = arn.split("/").at(-1) ?? "";
  try {
    readAnswer(
      await cloud.journal.read(queryCall("iam", "2010-05-08", "GetRole", { RoleName: name })),
      "GetRole",
    );
  } catch {
    throw invalid(`The role ${arn} does not exist or can't be assumed by dlm.amazonaws.com`);
  }
}

const arnOf = (cloud: Cloud, id: string): string => `arn:aws:dlm:${cloud.region}:123456789012:policy/${id}`;

function find(cloud: Cloud, id: string): Policy {
  const policy = cloud.store.state.policies[id];
  if (!policy) throw new AwsError("ResourceNotFoundException", `Policy with id ${id} not found`, 404);
  return policy;
}

const create: Rule = async (cloud, call) => {
  const body = parseBody(call.body);
  const { ExecutionRoleArn: role, Description: description, State: state, PolicyDetails: details } = body;
  if (role === undefined || description === undefined || state === undefined || details === undefined)
    throw invalid("ExecutionRoleArn, Description, State and PolicyDetails are required");
  await check(cloud, body);
  const number = cloud.store.state.nextPolicy++;
  const id = `policy-0${number.toString(16).padStart(16, "0")}`;
  const now = new Date(cloud.clock()).toISOString();
  cloud.store.state.policies[id] = {
    id,
    description,
    executionRoleArn: role,
    state,
    details: { PolicyType: "EBS_SNAPSHOT_MANAGEMENT", ...details },
    tags: body.Tags ?? {},
    createdAt: now,
    modifiedAt: now,
  };
  return json({ PolicyId: id });
};

const update: Rule = async (cloud, call) => {
  const policy = find(cloud, call.id);
  const body = parseBody(call.body);
  await check(cloud, body);
  if (body.ExecutionRoleArn !== undefined) policy.executionRoleArn = body.ExecutionRoleArn;
  if (body.Description !== undefined) policy.description = body.Description;
  if (body.State !== undefined) policy.state = body.State;
  if (body.PolicyDetails !== undefined)
    policy.details = { PolicyType: "EBS_SNAPSHOT_MANAGEMENT", ...body.PolicyDetails };
  policy.modifiedAt = new Date(cloud.clock()).toISOString();
  return json({});
};

const get: Rule = (cloud, call) => {
  const policy = find(cloud, call.id);
  return Promise.resolve(
    json({
      Policy: {
        PolicyId: policy.id,
        PolicyArn: arnOf(cloud, policy.id),
        Description: policy.description,
        State: policy.state,
        StatusMessage: policy.state,
        ExecutionRoleArn: policy.executionRoleArn,
        DateCreated: policy.createdAt,
        DateModified: policy.modifiedAt,
        PolicyDetails: policy.details,
        Tags: policy.tags,
        DefaultPolicy: false,
      },
    }),
  );
};

const list: Rule = (cloud) =>
  Promise.resolve(
    json({
      Policies: Object.values(cloud.store.state.policies).map(({ id, description, state, tags }) => ({
        PolicyId: id,
        Description: description,
        State: state,
        Tags: tags,
        PolicyType: "EBS_SNAPSHOT_MANAGEMENT",
        DefaultPolicy: false,
      })),
    }),
  );

const remove: Rule = (cloud, call) => {
  Reflect.deleteProperty(cloud.store.state.policies, find(cloud, call.id).id);
  return Promise.resolve(json({}));
};

/** Policy of an ARN. */
const tagged = (cloud: Cloud, arn: string): Policy => find(cloud, arn.split("/").at(-1) ?? "");

const listTags: Rule = (cloud, call) => Promise.resolve(json({ Tags: tagged(cloud, call.id).tags }));

const tag: Rule = (cloud, call) => {
  const policy = tagged(cloud, call.id);
  policy.tags = { ...policy.tags, ...parseBody(call.body).Tags };
  return Promise.resolve(json({}));
};

const untag: Rule = (cloud, call) => {
  const policy = tagged(cloud, call.id);
  const keys = new URLSearchParams(call.path.split("?")[1] ?? "").getAll("tagKeys");
  policy.tags = Object.fromEntries(Object.entries(policy.tags).filter(([key]) => !keys.includes(key)));
  return Promise.resolve(json({}));
};

export const lifecyclePolicyRules: Readonly<Record<string, Rule>> = {
  "dlm:CreateLifecyclePolicy": create,
  "dlm:UpdateLifecyclePolicy": update,
  "dlm:GetLifecyclePolicy": get,
  "dlm:GetLifecyclePolicies": list,
  "dlm:DeleteLifecyclePolicy": remove,
  "dlm:ListTagsForResource": listTags,
  "dlm:TagResource": tag,
  "dlm:UntagResource": untag,
};
