import * as pulumi from "@pulumi/pulumi";

import type { Host } from "../clouds/host";

/** Public addresses of a host. */
export interface HostAddresses {
  /** e.g. "203.0.113.7" */
  readonly ipv4: string;
  /** Undefined if the network has no IPv6. */
  readonly ipv6?: string;
}

/** Public addresses of a host, once they are known. */
export function publicAddresses({ ipv4, ipv6 }: Host): pulumi.Output<HostAddresses> {
  return pulumi.output({ ipv4, ipv6 });
}

/** Command that logs in to a host. */
export function sshCommand({ user, ipv4 }: Host): pulumi.Output<string> {
  return pulumi.interpolate`ssh ${user}@${ipv4}`;
}
