import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

import { awsLookUp } from "./lookUp";
import { ownInterfaces } from "./network";
import { ownerFilters } from "./tags";
import { waitForLookUps } from "../lookUps";

/**
 * Returns the public addresses that a stack has in the provider's region, by the tags of its Elastic IPs and network
 * interfaces.
 *
 * @throws LookUpError if they could not be read
 */
export async function awsAddresses(
  labels: Readonly<Record<string, string>>,
  opts: pulumi.InvokeOptions,
): Promise<string[]> {
  const filters = ownerFilters(labels);
  const missing = {
    key: "stack",
    reason: `is ${labels.stack ?? ""}, of which an address vanished while it was looked at`,
    remedy: "try again",
  };
  const [{ publicIps }, found] = await waitForLookUps([
    awsLookUp(() => aws.ec2.getEips({ filters }, opts), missing),
    ownInterfaces(labels, missing, opts),
  ]);
  return [...publicIps, ...found.flatMap(({ ipv6Addresses }) => ipv6Addresses)];
}
