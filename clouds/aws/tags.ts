import { ownerLabels } from "../names";

/** Tags of every resource of a deployment at AWS. */
export interface AwsTagArgs {
  /** Name in the console; unique among resources of a kind. */
  readonly name: string;
  /** Project, stack, role, and the expiry if there is one. */
  readonly labels: Readonly<Record<string, string>>;
}

/** AWS's limit for a tag's value. */
const MAX_LENGTH = 256;

/**
 * Returns tags with values that every service of AWS accepts: letters, digits, spaces and `_ . : / = + - @`. Other
 * characters become `-`.
 *
 * @see https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
 */
export function awsTags({ name, labels }: AwsTagArgs): Record<string, string> {
  const tags = { Name: name, ...labels };
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, tagValue(value)]));
}

/** EC2's filters for objects with a deployment's tags. */
export function ownerFilters(labels: Readonly<Record<string, string>>): {
  readonly name: string;
  readonly values: string[];
}[] {
  return Object.entries(ownerLabels(labels)).map(([key, value]) => ({
    name: `tag:${key}`,
    values: [tagValue(value)],
  }));
}

function tagValue(text: string): string {
  return text.replace(/[^\p{L}\p{N} _.:/=+@-]/gu, "-").slice(0, MAX_LENGTH);
}

/**
 * Tag by which the snapshot policy knows a deployment's volumes. There is one, since the policy takes everything with
 * any of its tags.
 *
 * @see https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-ami-policy.html
 */
export function snapshotTag(labels: Readonly<Record<string, string>>): {
  readonly snapshots: string;
} {
  return { snapshots: tagValue(Object.values(ownerLabels(labels)).join("/")) };
}
