import * as pulumi from "@pulumi/pulumi";

import type { Host } from "./host";

/** Lines for ~/.ssh/known_hosts with the hosts' public keys, which the connections pin. */
export function knownHosts(hosts: readonly Host[]): pulumi.Output<string> {
  const lines = hosts.map(({ fqdn, connection }) =>
    // Nothing of this is secret, unlike the rest of a connection.
    pulumi.unsecret(connection.apply(({ host, hostKey }) => `${fqdn},${String(host)} ${String(hostKey)}\n`)),
  );
  return pulumi.all(lines).apply((known) => known.join(""));
}
