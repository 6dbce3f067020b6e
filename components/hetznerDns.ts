import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";

import { RECORD_TTL, recordsOf, type Dns } from "./dns";
import { hetznerLabels } from "./hetznerLabels";

/**
 * Record sets in a zone of the Hetzner Cloud project.
 *
 * @param domain The zone's name, e.g. "example.org". It is looked up, never created; if that fails so does the update.
 */
export function hetznerDns(domain: string): Dns {
  const zone = pulumi.output(lookUpZone(domain));
  return {
    waitSeconds: 600,
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
            { parent },
          ),
      ),
  };
}

/** @returns What records are made in: the zone's name. */
export async function lookUpZone(domain: string): Promise<string> {
  try {
    const zone = await hcloud.getZone({ name: domain });
    return zone.name ?? domain;
  } catch (error) {
    throw new Error(
      `domain: the zone "${domain}" could not be read at Hetzner Cloud. Create it in the project that the token ` +
        `belongs to, or set dns to manual. Hetzner's answer: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** A name as its zone's records have it: "@" for the zone's own. */
function relativeName(fqdn: string, domain: string): string {
  return fqdn === domain ? "@" : fqdn.slice(0, -`.${domain}`.length);
}
