/** Labels of a deployment, as far as they tell it from others: project, stack and, in a program that makes several, its name. */
export type OwnerLabels = Readonly<Record<string, string>>;

/** Keys of {@link OwnerLabels}. */
const OWNER = ["project", "stack", "deployment"] as const;

/**
 * A resource's or hook's name that is one a program: "operator", or "school-a-operator" where the deployment has a name.
 *
 * @param labels Of the deployment.
 */
export function named(name: string, { deployment }: OwnerLabels): string {
  return deployment === undefined ? name : `${deployment}-${name}`;
}

/** The labels that a deployment's resources have in common, and no other deployment's of its project have. */
export function ownerLabels(labels: OwnerLabels): OwnerLabels {
  return Object.fromEntries(OWNER.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])));
}

/** A deployment's name at its clouds, where one is needed: "bigbluebutton-prod", or "programs-prod-school-a". */
export function ownerName(labels: OwnerLabels): string {
  return Object.values(ownerLabels(labels)).join("-");
}
