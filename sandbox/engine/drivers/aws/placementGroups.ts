import type { PlacementGroup, PlacementStrategy } from "@aws-sdk/client-ec2";

import type { Context, Created, Kind } from "../../driver";
import type { Values } from "../../wire";
import { afterCreate } from "../common";
import { assertOurs } from "./adoption";
import { session } from "./client";
import { unlessGone } from "./errors";
import { retag, tagMap, tagsOf, tagSpecifications } from "./tags";
import { text } from "./values";
import { waitFor } from "./waiting";

async function read(name: string, context: Context): Promise<PlacementGroup | undefined> {
  const { ec2 } = await session(context);
  const answer = await unlessGone(() => ec2.describePlacementGroups({ GroupNames: [name] }));
  return answer?.PlacementGroups?.[0];
}

async function awaitState(name: string, what: string, context: Context): Promise<void> {
  const wait = {
    what: `EC2 Placement Group (${name}) ${what}`,
    until: what === "create" ? ["available"] : [],
    through: what === "create" ? ["pending"] : ["deleting"],
    minutes: 5,
  };
  await waitFor(wait, context, async () => (await read(name, context))?.State);
}

async function finish(inputs: Values, context: Context): Promise<Created> {
  const id = String(inputs.name);
  return afterCreate(id, inputs, async () => {
    await awaitState(id, "create", context);
    const found = await read(id, context);
    const { GroupId = "", SpreadLevel = "" } = found ?? {};
    return { id, outputs: { ...inputs, placementGroupId: GroupId, spreadLevel: SpreadLevel } };
  });
}

export const placementGroup: Kind = {
  keys: ["name", "strategy", "tags"],
  replaceKeys: ["name", "strategy"],
  create: async (inputs, context) => {
    const { ec2 } = await session(context);
    await ec2.createPlacementGroup({
      GroupName: text(inputs.name),
      Strategy: text(inputs.strategy) as PlacementStrategy,
      TagSpecifications: tagSpecifications("placement-group", tagsOf(inputs)),
    });
    return finish(inputs, context);
  },
  update: async ({ inputs: old, outputs }, inputs, context) => {
    await retag(String(outputs.placementGroupId), tagsOf(old), tagsOf(inputs), context);
    return { ...outputs, ...inputs };
  },
  delete: async ({ id }, context) => {
    const { ec2 } = await session(context);
    const asked = await unlessGone(() => ec2.deletePlacementGroup({ GroupName: id }));
    if (asked !== undefined) await awaitState(id, "delete", context);
  },
  read: async ({ id }, context) => ((await read(id, context)) === undefined ? undefined : {}),
  adopt: async (inputs, context) => {
    const name = String(inputs.name);
    const found = await read(name, context);
    if (found === undefined) return undefined;
    const command = `aws ec2 delete-placement-group --group-name ${name}`;
    assertOurs(tagMap(found.Tags), inputs, `placement group "${name}"`, command);
    return finish(inputs, context);
  },
};
