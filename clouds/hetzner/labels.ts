import { ownerLabels } from "../names";

/** Hetzner's limit for a label's value. */
const MAX_LENGTH = 63;

/**
 * Returns labels with values that Hetzner accepts: at most 63 letters, digits and `.` `_` `-`, a letter or digit at
 * both ends. Other characters become `-`.
 *
 * @see https://docs.hetzner.cloud/reference/cloud#labels
 */
export function hetznerLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, labelValue(value)]));
}

/**
 * Hetzner's selector of the objects of one host: with its role and, in a pool, its number.
 */
export function hostSelector(labels: Readonly<Record<string, string>>): string {
  return ownerSelector(labels, "role", ...(labels.node === undefined ? [] : ["node"]));
}

/**
 * Hetzner's selector of objects with a deployment's labels.
 *
 * @param more Keys of further labels that must be the same, e.g. "role".
 */
export function ownerSelector(labels: Readonly<Record<string, string>>, ...more: readonly string[]): string {
  const wanted = {
    ...ownerLabels(labels),
    ...Object.fromEntries(more.map((key) => [key, labels[key] ?? ""])),
  };
  return selectorOf(hetznerLabels(wanted));
}

/** Hetzner's selector of objects with some labels. */
export function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}==${value}`)
    .join(",");
}

/** True for a resource at Hetzner with a deployment's labels. */
export function isOwn(
  found: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(hetznerLabels(ownerLabels(labels))).every(([key, value]) => found[key] === value);
}

function labelValue(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._-]/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, MAX_LENGTH)
    .replace(/[^A-Za-z0-9]+$/, "");
}
