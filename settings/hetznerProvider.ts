import * as pulumi from "@pulumi/pulumi";

/** Setting of the provider for Hetzner, e.g. "token"; undefined where it is left to the environment. */
export const hetznerProvider = (name: string): pulumi.Output<string> | undefined =>
  new pulumi.Config("hcloud").getSecret(name);
