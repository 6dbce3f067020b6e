import * as pulumi from "@pulumi/pulumi";

import { CERTIFICATE_DAYS } from "../bigbluebutton/certificateDays";
import { balancerPorts } from "../bigbluebutton/ports";
import type { BalancerRequest } from "../bigbluebutton/verification";
import type { Host } from "../clouds/host";
import type { Settings } from "../settings";
import { openPorts } from "./verification";

/** Request of a check on a pool's balancer: itself, the API by its public name, and its servers. */
export function balancerRequest(
  balancer: { readonly host: Host; readonly sharedSecret: pulumi.Output<string> },
  { bbb, domain }: Pick<Settings, "bbb" | "domain">,
  nodes: readonly string[],
): pulumi.Output<BalancerRequest> {
  const { host, sharedSecret } = balancer;
  return pulumi.output({
    role: "balancer" as const,
    zone: domain,
    bbbHost: host.fqdn,
    ipv4: host.ipv4,
    privateIpv4: host.privateIpv4,
    untrustedCa: !bbb.certificate.trustedByBrowsers,
    ownCertificates: (["bbb"] as const).filter(() => bbb.certificate.kind === "own"),
    sharedSecret,
    certificateDays: CERTIFICATE_DAYS,
    openPorts: openPorts(balancerPorts),
    nodes: [...nodes],
    recordings: host.dataDevice !== undefined,
  });
}
