import * as pulumi from "@pulumi/pulumi";

/**
 * Makes outputs of a component that exist at once, before the results that they come from. Each has its own secrecy and
 * dependencies, and fails when they fail. It is unknown in a preview in which nothing can be made.
 */
export function outputsOf<Made>(
  made: Promise<Made | undefined>,
): <T>(pick: (made: Made) => pulumi.Input<T>) => pulumi.Output<T> {
  return <T>(pick: (made: Made) => pulumi.Input<T>) =>
    pulumi.output(
      made.then((known) => (known === undefined ? pulumi.unknown : pick(known))),
    ) as pulumi.Output<T>;
}

/** Returns the value once the resources are made. */
export function onceMade<T>(
  resources: readonly pulumi.Resource[],
  value: pulumi.Input<T>,
): pulumi.Output<pulumi.Unwrap<T>> {
  return pulumi
    .output(value)
    .apply((known) => pulumi.output(resources.map(({ urn }) => urn)).apply(() => known));
}
