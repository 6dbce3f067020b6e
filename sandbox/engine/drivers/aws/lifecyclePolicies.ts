/** Snapshot schedules of the Data Lifecycle Manager. */
import type { CreateRule, LifecyclePolicy, PolicyDetails, Schedule } from "@aws-sdk/client-dlm";

import type { Context, Created, Kind } from "../../driver";
import { NotServed } from "../../goal";
import type { Value, Values } from "../../wire";
import { afterCreate, changed } from "../common";
import { foundByTags } from "./adoption";
import { session } from "./client";
import { isCode, unlessGone } from "./errors";
import { hasTags, tagChanges, tagList, tagsOf, type Tags } from "./tags";
import { flag, number, object, objects, text, texts } from "./values";
import { persisting } from "./waiting";

/** @throws NotServed for a part of the policy that would be left out otherwise */
function only(values: Values, what: string, ...keys: readonly string[]): Values {
  const more = Object.keys(values).filter((key) => !keys.includes(key));
  if (more.length > 0) throw new NotServed(`${more.join(", ")} of ${what} of a lifecycle policy`);
  return values;
}

/** Rule of a schedule with the parts that only snapshots have; `times` is one time, "03:00". */
function createRule(value: Value | undefined): CreateRule {
  const keys = ["interval", "intervalUnit", "times"];
  const rule = only(object(value), "createRule", ...keys);
  const times = text(rule.times);
  return {
    Interval: number(rule.interval),
    IntervalUnit: text(rule.intervalUnit) as CreateRule["IntervalUnit"],
    Times: times === undefined ? undefined : [times],
  };
}

function schedule(values: Values): Schedule {
  const keys = ["name", "createRule", "retainRule", "copyTags"];
  const { name, copyTags, ...rules } = only(values, "a schedule", ...keys);
  const retain = only(object(rules.retainRule), "retainRule", "count");
  return {
    Name: text(name),
    CopyTags: flag(copyTags) ?? false,
    CreateRule: createRule(rules.createRule),
    RetainRule: { Count: number(retain.count) },
  };
}

/** Returns `policyDetails` in the form of the request. */
function policyDetails(value: Value | undefined): PolicyDetails {
  const keys = ["resourceTypes", "targetTags", "schedules"];
  const details = only(object(value), "policyDetails", ...keys);
  return {
    PolicyType: "EBS_SNAPSHOT_MANAGEMENT",
    ResourceTypes: texts(details.resourceTypes) as PolicyDetails["ResourceTypes"],
    TargetTags: tagList(tagsOf({ tags: details.targetTags ?? {} })),
    Schedules: objects(details.schedules).map(schedule),
  };
}

async function read(id: string, context: Context): Promise<LifecyclePolicy | undefined> {
  const { dlm } = await session(context);
  return (await unlessGone(() => dlm.getLifecyclePolicy({ PolicyId: id })))?.Policy;
}

async function finish(id: string, inputs: Values, context: Context): Promise<Created> {
  return afterCreate(id, inputs, async () => ({ id, outputs: await outputsOf(id, inputs, context) }));
}

async function outputsOf(id: string, inputs: Values, context: Context): Promise<Values> {
  return { ...inputs, arn: (await read(id, context))?.PolicyArn ?? "" };
}

export const lifecyclePolicy: Kind = {
  keys: ["description", "executionRoleArn", "state", "policyDetails", "tags"],
  create: async (inputs, context) => {
    const { dlm } = await session(context);
    const request = {
      Description: text(inputs.description),
      ExecutionRoleArn: text(inputs.executionRoleArn),
      State: (text(inputs.state) ?? "ENABLED") as "ENABLED",
      PolicyDetails: policyDetails(inputs.policyDetails),
      Tags: { ...tagsOf(inputs) },
    };
    // a role of just now is not known everywhere yet
    const unknownRole = (error: unknown) => isCode(error, "InvalidRequestException");
    const { PolicyId = "" } = await persisting(2, context, unknownRole, () =>
      dlm.createLifecyclePolicy(request),
    );
    return finish(PolicyId, inputs, context);
  },
  update: async ({ id, inputs: old, outputs }, inputs, context) => {
    const { dlm } = await session(context);
    if (changed(old, inputs, "description", "executionRoleArn", "state", "policyDetails")) {
      await dlm.updateLifecyclePolicy({
        PolicyId: id,
        Description: text(inputs.description),
        ExecutionRoleArn: text(inputs.executionRoleArn),
        State: (text(inputs.state) ?? "ENABLED") as "ENABLED",
        PolicyDetails: policyDetails(inputs.policyDetails),
      });
    }
    const { removed, set } = tagChanges(tagsOf(old), tagsOf(inputs));
    const ResourceArn = text(outputs.arn);
    if (removed.length > 0) await dlm.untagResource({ ResourceArn, TagKeys: removed });
    if (Object.keys(set).length > 0) await dlm.tagResource({ ResourceArn, Tags: { ...set } });
    return outputsOf(id, inputs, context);
  },
  delete: async ({ id }, context) => {
    const { dlm } = await session(context);
    await unlessGone(() => dlm.deleteLifecyclePolicy({ PolicyId: id }));
  },
  read: async ({ id }, context) => ((await read(id, context)) === undefined ? undefined : {}),
  adopt: async (inputs, context) => {
    const { dlm } = await session(context);
    const found = await foundByTags(inputs, context, "lifecycle policies", async () => {
      const { Policies = [] } = await dlm.getLifecyclePolicies({});
      return Policies.filter(({ Tags: held }) => hasTags((held ?? {}) as Tags, tagsOf(inputs))).map(
        ({ PolicyId: id = "" }) => ({ id }),
      );
    });
    return found === undefined ? undefined : finish(found.id, inputs, context);
  },
};
