/** IAM roles and their policies. */
import type { Role } from "@aws-sdk/client-iam";

import type { Context, Kind } from "../../driver";
import type { Values } from "../../wire";
import { autoNamed, changed, withoutDefaults } from "../common";
import { assertOurs } from "./adoption";
import { session } from "./client";
import { isCode, unlessGone } from "./errors";
import { tagChanges, tagList, tagMap, tagsOf } from "./tags";
import { text } from "./values";
import { persisting, waitFor } from "./waiting";

async function read(name: string, context: Context): Promise<Role | undefined> {
  const { iam } = await session(context);
  return (await unlessGone(() => iam.getRole({ RoleName: name })))?.Role;
}

function outputsOf(found: Role | undefined, inputs: Values): Values {
  return { ...withoutDefaults(inputs), arn: found?.Arn ?? "" };
}

export const role: Kind = {
  keys: ["name", "description", "assumeRolePolicy", "tags"],
  replaceKeys: ["name"],
  defaults: autoNamed("name"),
  create: async (inputs, context) => {
    const { iam } = await session(context);
    const Tags = tagList(tagsOf(inputs));
    const { Role } = await iam.createRole({
      RoleName: text(inputs.name),
      Description: text(inputs.description),
      AssumeRolePolicyDocument: text(inputs.assumeRolePolicy),
      Tags: Tags.length > 0 ? Tags : undefined,
    });
    return { id: String(inputs.name), outputs: outputsOf(Role, inputs) };
  },
  update: async ({ id: RoleName, inputs: old }, inputs, context) => {
    const { iam } = await session(context);
    if (changed(old, inputs, "assumeRolePolicy")) {
      const PolicyDocument = text(inputs.assumeRolePolicy);
      await iam.updateAssumeRolePolicy({ RoleName, PolicyDocument });
    }
    if (changed(old, inputs, "description"))
      await iam.updateRole({ RoleName, Description: text(inputs.description) ?? "" });
    const { removed, set } = tagChanges(tagsOf(old), tagsOf(inputs));
    if (removed.length > 0) await iam.untagRole({ RoleName, TagKeys: removed });
    if (Object.keys(set).length > 0) await iam.tagRole({ RoleName, Tags: tagList(set) });
    return outputsOf(await read(RoleName, context), inputs);
  },
  delete: async ({ id: RoleName }, context) => {
    const { iam } = await session(context);
    const inUse = (error: unknown) => isCode(error, "DeleteConflict", "DeleteConflictException");
    await unlessGone(() => persisting(2, context, inUse, () => iam.deleteRole({ RoleName })));
  },
  read: async ({ id }, context) => ((await read(id, context)) === undefined ? undefined : {}),
  adopt: async (inputs, context) => {
    const name = String(inputs.name);
    const found = await read(name, context);
    if (found === undefined) return undefined;
    assertOurs(tagMap(found.Tags), inputs, `role "${name}"`, `aws iam delete-role --role-name ${name}`);
    return { id: name, outputs: outputsOf(found, inputs) };
  },
};

async function isAttached(inputs: Values, context: Context): Promise<boolean> {
  const { iam } = await session(context);
  const answer = await unlessGone(() => iam.listAttachedRolePolicies({ RoleName: text(inputs.role) }));
  return (answer?.AttachedPolicies ?? []).some(({ PolicyArn }) => PolicyArn === inputs.policyArn);
}

/** Attachment of a policy to a role. It needs no adoption after a killed update: attaching twice is attaching once. */
export const rolePolicyAttachment: Kind = {
  keys: ["role", "policyArn"],
  replaceKeys: ["role", "policyArn"],
  deleteBeforeReplace: true,
  create: async (inputs, context) => {
    const { iam } = await session(context);
    await iam.attachRolePolicy({ RoleName: text(inputs.role), PolicyArn: text(inputs.policyArn) });
    const id = `${String(inputs.role)}/${String(inputs.policyArn)}`;
    await waitFor(
      { what: `IAM Role Policy Attachment (${id}) create`, until: ["there"], through: [], minutes: 2 },
      context,
      async () => ((await isAttached(inputs, context)) ? "there" : undefined),
    );
    return { id, outputs: inputs };
  },
  read: async ({ inputs }, context) => ((await isAttached(inputs, context)) ? {} : undefined),
  delete: async ({ inputs }, context) => {
    const { iam } = await session(context);
    await unlessGone(() =>
      iam.detachRolePolicy({ RoleName: text(inputs.role), PolicyArn: text(inputs.policyArn) }),
    );
  },
};
