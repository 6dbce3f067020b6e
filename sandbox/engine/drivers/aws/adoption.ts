/** Objects that a killed update may have created: found by tags, or refused as somebody else's. */
import type { Filter } from "@aws-sdk/client-ec2";

import type { Context } from "../../driver";
import type { Values } from "../../wire";
import { hasTags, tagFilters, tagsOf, type Tags } from "./tags";

/**
 * Returns the one object that has all of the inputs' tags and is not in the checkpoint; undefined without tags.
 * @throws one line for several objects
 */
export async function foundByTags<T>(
  inputs: Values,
  context: Context,
  /** "network-interface", as in the command that deletes one. */
  noun: string,
  list: (filters: Filter[]) => Promise<readonly (T & { id: string })[]>,
): Promise<(T & { id: string }) | undefined> {
  const tags = tagsOf(inputs);
  if (Object.keys(tags).length === 0) return undefined;
  const all = await list(tagFilters(tags));
  const found = all.filter(({ id }) => context.taken?.includes(id) !== true);
  if (found.length > 1) {
    throw new Error(
      `${found.length} of ${noun} have all tags of "${context.name}" (${found.map(({ id }) => id).join(", ")}), ` +
        "and the last update was killed while creating one: delete those that do not belong to this stack, then try again",
    );
  }
  return found[0];
}

/** Refuses an object that was found by a unique name. @throws one line when it lacks the inputs' tags */
export function assertOurs(
  held: Tags,
  inputs: Values,
  what: string,
  /** Command that removes it. */
  command: string,
): void {
  const wanted = tagsOf(inputs);
  if (Object.keys(wanted).length > 0 && hasTags(held, wanted)) return;
  throw notOurs(what, "has not this stack's tags", command);
}

export function notOurs(what: string, why: string, command: string): Error {
  return new Error(
    `${what} exists, but ${why}, and the last update was killed while creating one of that name: ` +
      `remove it with \`${command}\`, then try again`,
  );
}
