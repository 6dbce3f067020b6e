import * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";

import type { Problem } from "../../settings/problems";
import { RECORD_TTL, recordsOf, type Dns, type ExistingRecord } from "../dns";
import { refuseForeignRecords, type NamesRequest } from "../existingRecords";
import { hetznerLabels, isOwn } from "./labels";
import { leftoverCheck } from "./leftovers";
import { hetznerLookUp } from "./lookUp";
import { setCommand } from "../../settings/remedies";

/**
 * Publishes record sets in a zone of the Hetzner Cloud project.
 *
 * @param request Name of the zone, e.g. "example.org", which is looked up, never created; and the names to publish in
 * it.
 * @throws LookUpError if it could not be read, or has records of another owner under these names
 */
export async function hetznerDns(request: NamesRequest, opts: pulumi.InvokeOptions): Promise<Dns> {
  const { domain, hosts } = request;
  const records = recordsIn(domain, hosts[0]?.labels ?? {}, opts);
  // A zone that cannot be read says so itself.
  records.catch(() => undefined);
  const { zone, nameServers } = await lookUpZone(domain, opts);
  await refuseForeignRecords(await records, request, "Hetzner Cloud");
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
            { parent, hooks: { beforeCreate: [leftoverCheck(args.labels, opts)] } },
          ),
      ),
  };
}

/** Looks up the zone's name, and the servers that have it. */
async function lookUpZone(domain: string, opts: pulumi.InvokeOptions) {
  const zone = await hetznerLookUp(() => hcloud.getZone({ name: domain }, opts), unreadable(domain));
  return { zone: zone.name ?? domain, nameServers: zone.authoritativeNameservers?.assigneds ?? [] };
}

/** Lists all record sets of a zone. */
async function recordsIn(
  domain: string,
  own: Readonly<Record<string, string>>,
  opts: pulumi.InvokeOptions,
): Promise<ExistingRecord[]> {
  const { rrsets } = await hetznerLookUp(
    () => hcloud.getZoneRrsets({ zone: domain }, opts),
    unreadable(domain),
  );
  return rrsets.map(({ name, type, records, labels }) => ({
    fqdn: name === "@" ? domain : `${name}.${domain}`,
    type,
    values: records.map(({ value }) => value),
    labelled: isOwn(labels, own),
  }));
}

function unreadable(domain: string): (answer: string) => Problem {
  return (answer) => ({
    key: "domain",
    reason: `is ${domain}, a zone that could not be read at Hetzner Cloud: ${answer}`,
    remedy: `create it in the project that the token belongs to. Is it at another provider? ${setCommand("dns", "route53")}, or manual`,
  });
}

/** Name in its zone's records: "@" for the zone's own. */
function relativeName(fqdn: string, domain: string): string {
  return fqdn === domain ? "@" : fqdn.slice(0, -`.${domain}`.length);
}
