/** Labels that identify a deployment: project, stack and, in a program that makes several, its name. */
export type OwnerLabels = Readonly<Record<string, string>>;

/** Keys of {@link OwnerLabels}. */
const OWNER = ["project", "stack", "deployment"] as const;

/**
 * Name of a resource or hook that is unique in a program: "operator", or "school-a-operator" for a deployment with a
 * name.
 *
 * @param labels Labels of the deployment.
 */
export function named(name: string, { deployment }: OwnerLabels): string {
  return deployment === undefined ? name : `${deployment}-${name}`;
}

/** Labels that all resources of a deployment have, and no other deployment's of its project. */
export function ownerLabels(labels: OwnerLabels): OwnerLabels {
  return Object.fromEntries(OWNER.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])));
}

/** Name of a deployment at its clouds, if one is needed: "bigbluebutton-prod", or "programs-prod-school-a". */
export function ownerName(labels: OwnerLabels): string {
  return Object.values(ownerLabels(labels)).join("-");
}
