import * as pulumi from "@pulumi/pulumi";

/**
 * Outputs of a component that are there at once, though what they come from is made later. Each has its own secrecy and what it
 * waits for, fails where that fails, and is unknown in a preview in which nothing can be made.
 */
export function outputsOf<Made>(
  made: Promise<Made | undefined>,
): <T>(pick: (made: Made) => pulumi.Input<T>) => pulumi.Output<T> {
  return <T>(pick: (made: Made) => pulumi.Input<T>) =>
    pulumi.output(
      made.then((known) => (known === undefined ? (pulumi.unknown as never) : pick(known))),
    ) as unknown as pulumi.Output<T>;
}
