import * as hcloud from "@pulumi/hcloud";

import { RECORD_TTL, recordsOf, type Dns } from "./dns";
import { hetznerLabels } from "./hetznerLabels";
import { leftoverCheck } from "./hetznerLeftovers";
import { hetznerLookUp } from "./hetznerLookUp";

/**
 * Record sets in a zone of the Hetzner Cloud project.
 *
 * @param domain The zone's name, e.g. "example.org". It is looked up, never created.
 * @throws LookUpError if it could not be read.
 */
export async function hetznerDns(domain: string): Promise<Dns> {
  const { zone, nameServers } = await lookUpZone(domain);
  return {
    waitSeconds: 600,
    nameServers,
    publish: (name, args, { parent }) =>
      recordsOf(args).map(
        ({ type, address }) =>
          new hcloud.ZoneRrset(
            `${name}-${type.toLowerCase()}`,
            {
              zone,
              name: relativeName(args.fqdn, domain),
              type,
              ttl: RECORD_TTL,
              records: [{ value: address }],
              labels: hetznerLabels(args.labels),
            },
            { parent, hooks: { beforeCreate: [leftoverCheck(args.labels)] } },
          ),
      ),
  };
}

/** @returns What records are made in: the zone's name, and the servers that have them. */
async function lookUpZone(domain: string) {
  const zone = await hetznerLookUp(
    () => hcloud.getZone({ name: domain }),
    (answer) => ({
      key: "domain",
      reason: `is ${domain}, a zone that could not be read at Hetzner Cloud: ${answer}`,
      remedy:
        "create it in the project that the token belongs to. Is it at another provider? pulumi config set dns route53, or manual",
    }),
  );
  return { zone: zone.name ?? domain, nameServers: zone.authoritativeNameservers?.assigneds ?? [] };
}

/** A name as its zone's records have it: "@" for the zone's own. */
function relativeName(fqdn: string, domain: string): string {
  return fqdn === domain ? "@" : fqdn.slice(0, -`.${domain}`.length);
}
