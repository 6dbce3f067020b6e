/** Hetzner's limit for a label's value. */
const MAX_LENGTH = 63;

/**
 * Labels whose values Hetzner takes: at most 63 letters, digits and `.` `_` `-`, a letter or digit at both ends. What
 * it doesn't take becomes `-`.
 *
 * @see https://docs.hetzner.cloud/reference/cloud#labels
 */
export function hetznerLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, labelValue(value)]));
}

function labelValue(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._-]/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, MAX_LENGTH)
    .replace(/[^A-Za-z0-9]+$/, "");
}
