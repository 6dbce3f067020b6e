import { ownerLabels } from "../names";

/** What every resource of a deployment at AWS is tagged with. */
export interface AwsTagArgs {
  /** Shown by the console; unique among resources of a kind. */
  readonly name: string;
  /** Project, stack, role, and the expiry where there is one. */
  readonly labels: Readonly<Record<string, string>>;
}

/** AWS's limit for a tag's value. */
const MAX_LENGTH = 256;

/**
 * Tags whose values every service of AWS takes: letters, digits, spaces and `_ . : / = + - @`. What they don't take
 * becomes `-`.
 *
 * @see https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
 */
export function awsTags({ name, labels }: AwsTagArgs): Record<string, string> {
  const tags = { Name: name, ...labels };
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, tagValue(value)]));
}

/** EC2's filters for what bears a deployment's tags. */
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
 * The one tag that a deployment's volumes are known by to its snapshot policy, which takes whatever has any of the tags
 * that it is given.
 *
 * @see https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-ami-policy.html
 */
export function snapshotTag(labels: Readonly<Record<string, string>>): {
  readonly snapshots: string;
} {
  return { snapshots: tagValue(Object.values(ownerLabels(labels)).join("/")) };
}
