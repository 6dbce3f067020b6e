import * as aws from "@pulumi/aws";

import { awsLookUp } from "./awsLookUp";
import { RECORD_TTL, recordsOf, type Dns } from "./dns";

/**
 * Records in a public hosted zone of the AWS account. The provider waits for each change until Route 53's name servers
 * have it ("INSYNC").
 *
 * @param domain The zone's name, e.g. "example.org". It is looked up, never created.
 * @throws LookUpError if there is none, or more than one.
 */
export async function route53Dns(domain: string, provider: aws.Provider): Promise<Dns> {
  const { zoneId, nameServers } = await awsLookUp(
    () => aws.route53.getZone({ name: domain, privateZone: false }, { provider }),
    {
      key: "domain",
      reason: `is ${domain}, of which the AWS account has no public hosted zone in Route 53`,
      remedy: "create it with aws route53 create-hosted-zone, or pulumi config set dns hetzner or manual",
    },
  );
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
