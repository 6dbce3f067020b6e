import * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";
import ipaddr from "ipaddr.js";

import { ownerSelector } from "./labels";
import { hetznerLookUp } from "./lookUp";

/**
 * Returns the public addresses that a deployment has at Hetzner Cloud, by the labels of its primary IPs.
 *
 * @throws LookUpError if they could not be read
 */
export async function hetznerAddresses(
  labels: Readonly<Record<string, string>>,
  opts: pulumi.InvokeOptions,
): Promise<string[]> {
  const { primaryIps } = await hetznerLookUp(
    () => hcloud.getPrimaryIps({ withSelector: ownerSelector(labels) }, opts),
    (answer) => ({
      key: "hcloud:token",
      elsewhere: true,
      reason: `does not open the project's addresses: ${answer}`,
      remedy: "a token, read and write, of the project",
    }),
  );
  return primaryIps.map(({ ipAddress, type }) => (type === "ipv6" ? firstAddress(ipAddress) : ipAddress));
}

/** Address of a Hetzner /64 that its images configure: "2001:db8:0:4::" → "2001:db8:0:4::1". */
export function firstAddress(network: string): string {
  const parts = ipaddr.IPv6.parse(network).parts;
  return new ipaddr.IPv6([...parts.slice(0, 7), 1]).toRFC5952String();
}
