import * as pulumi from "@pulumi/pulumi";

/** What an output comes to, secrets in clear. Never settles where it is not known, as in a preview. */
export function valueOf<T>(value: pulumi.Input<T>): Promise<pulumi.Unwrap<T>> {
  return new Promise((resolve) => void pulumi.output(value).apply(resolve as never));
}
