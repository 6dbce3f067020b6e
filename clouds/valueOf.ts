import * as pulumi from "@pulumi/pulumi";

/** Resolves to an output's value, secrets in clear. Never settles for an unknown value, as in a preview. */
export function valueOf<T>(value: pulumi.Input<T>): Promise<pulumi.Unwrap<T>> {
  return new Promise((resolve) => void pulumi.output(value).apply(resolve));
}
