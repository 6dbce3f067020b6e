/** Tags of everything that the program makes; they identify a killed update's objects. */
import type { ResourceType, Tag } from "@aws-sdk/client-ec2";

import type { Context } from "../../driver";
import { isObject, type Values } from "../../wire";
import { session } from "./client";

export type Tags = Readonly<Record<string, string>>;

export function tagsOf(inputs: Values): Tags {
  const tags = isObject(inputs.tags) ? inputs.tags : {};
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, String(value)]));
}

export function tagList(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

export function tagMap(tags: readonly Tag[] | undefined): Record<string, string> {
  return Object.fromEntries((tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));
}

/** Tags in the form of EC2's create requests; undefined without tags, since an empty list is refused. */
export function tagSpecifications(type: ResourceType, tags: Tags) {
  const Tags = tagList(tags);
  return Tags.length > 0 ? [{ ResourceType: type, Tags }] : undefined;
}

/** Changes that lead from one set of tags to another. */
export function tagChanges(old: Tags, now: Tags): { removed: string[]; set: Tags } {
  return {
    removed: Object.keys(old).filter((key) => !(key in now)),
    set: Object.fromEntries(Object.entries(now).filter(([key, value]) => old[key] !== value)),
  };
}

/** Changes the tags of one of EC2's objects from `old` to `now`. */
export async function retag(id: string, old: Tags, now: Tags, context: Context): Promise<void> {
  const { ec2 } = await session(context);
  const { removed, set } = tagChanges(old, now);
  if (removed.length > 0) await ec2.deleteTags({ Resources: [id], Tags: removed.map((Key) => ({ Key })) });
  if (Object.keys(set).length > 0) await ec2.createTags({ Resources: [id], Tags: tagList(set) });
}

/** EC2's filters for objects with all of these tags. */
export function tagFilters(tags: Tags) {
  return Object.entries(tags).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }));
}

export function hasTags(held: Tags, wanted: Tags): boolean {
  return Object.entries(wanted).every(([key, value]) => held[key] === value);
}
