import * as aws from "@pulumi/aws";

import { awsLookUp } from "./lookUp";
import { RECORD_TTL, recordsOf, type Dns, type ExistingRecord } from "../dns";
import { refuseForeignRecords, type NamesRequest } from "../existingRecords";
import { setCommand } from "../../settings/remedies";

/**
 * Publishes records in a public hosted zone of the AWS account. The provider waits for each change until Route 53's
 * name servers have it ("INSYNC").
 *
 * @param request Name of the zone, e.g. "example.org", which is looked up, never created; and the names to publish in
 * it.
 * @throws LookUpError for no zone or several, or for records of another owner under these names
 */
export async function route53Dns(request: NamesRequest, provider: aws.Provider): Promise<Dns> {
  const { domain, hosts } = request;
  const { zoneId, nameServers } = await awsLookUp(
    () => aws.route53.getZone({ name: domain, privateZone: false }, { provider }),
    {
      key: "domain",
      reason: `is ${domain}, of which the AWS account has no public hosted zone in Route 53`,
      remedy: `create it with aws route53 create-hosted-zone, or ${setCommand("dns", "hetzner")} or manual`,
    },
  );
  const names = hosts.map(({ fqdn }) => fqdn);
  await refuseForeignRecords(await recordsOfNames(names, { domain, zoneId }, provider), request, "Route 53");
  return {
    waitSeconds: 600,
    nameServers: nameServers ?? [],
    publish: (name, args, { parent }) =>
      recordsOf(args).map(
        ({ type, address }) =>
          new aws.route53.Record(
            `${name}-${type.toLowerCase()}`,
            {
              zoneId,
              name: args.fqdn,
              type,
              ttl: RECORD_TTL,
              records: [address],
              // A record that is somebody else's stops the update.
              allowOverwrite: false,
            },
            { parent, provider },
          ),
      ),
  };
}

/** Record sets of some names. They have no labels at Route 53. */
async function recordsOfNames(
  names: readonly string[],
  { domain, zoneId }: { readonly domain: string; readonly zoneId: string },
  provider: aws.Provider,
): Promise<ExistingRecord[]> {
  const nameRegex = `^(${names.map((name) => name.replaceAll(".", "\\.")).join("|")})\\.?$`;
  const { resourceRecordSets } = await awsLookUp(
    () => aws.route53.getRecords({ zoneId, nameRegex }, { provider }),
    {
      key: "domain",
      reason: `is ${domain}, a hosted zone that vanished while it was looked at`,
      remedy: "try again",
    },
  );
  return resourceRecordSets.map(({ name, type, resourceRecords, aliasTarget }) => ({
    fqdn: name.toLowerCase().replace(/\.$/, ""),
    type,
    values: [
      ...resourceRecords.map(({ value }) => value),
      ...[(aliasTarget as typeof aliasTarget | undefined)?.dnsName].filter((alias) => alias),
    ] as string[],
  }));
}
