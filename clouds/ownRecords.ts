import * as pulumi from "@pulumi/pulumi";

import type { Settings } from "../settings";
import { adviceFor, type Source } from "../settings/problems";
import { setCommand } from "../settings/remedies";
import { RECORD_TTL, type ExistingRecord } from "./dns";
import { named, type OwnerLabels } from "./names";
import { stackResources, type StackResource } from "./stackState";

/** Record set that a stack has made. */
export interface OwnRecord extends ExistingRecord {
  readonly dns: "hetzner" | "route53";
}

/** Services by their names in the settings. */
const SERVICES = { hetzner: "Hetzner Cloud", route53: "Route 53" } as const;

/** Record sets that a deployment has made until now, in their last form, independent of its hosts' clouds. */
export async function ownRecords(labels: OwnerLabels): Promise<readonly OwnRecord[]> {
  const own = (await stackResources()).filter(({ urn }) =>
    urn.slice(urn.lastIndexOf(":") + 1).startsWith(named("", labels)),
  );
  return own.flatMap(ownRecord);
}

function ownRecord({ type, outputs }: StackResource): OwnRecord[] {
  switch (type) {
    case "aws:route53/record:Record": {
      const { name, type, records } = outputs as { name: string; type: string; records?: readonly string[] };
      return [{ dns: "route53", fqdn: name, type, values: records ?? [] }];
    }
    case "hcloud:index/zoneRrset:ZoneRrset": {
      const { zone, name, type, records } = outputs as {
        readonly [key in "zone" | "name" | "type"]: string;
      } & { readonly records: readonly { readonly value: string }[] };
      const fqdn = name === "@" ? zone : `${name}.${zone}`;
      return [{ dns: "hetzner", fqdn, type, values: records.map(({ value }) => value) }];
    }
    default:
      return [];
  }
}

/** Warns that an update with `dns` manual deletes the records that the deployment has made until now. */
export async function warnOfDeletedRecords(settings: Source & Pick<Settings, "labels">): Promise<void> {
  const own = await ownRecords(settings.labels);
  for (const dns of ["hetzner", "route53"] as const) {
    const shown = own
      .filter((record) => record.dns === dns)
      .map(({ fqdn, type, values }) => `${fqdn}. ${RECORD_TTL} IN ${type} ${values.join(" ")}`);
    if (shown.length === 0) continue;
    await pulumi.log.warn(
      [
        `dns is manual, so this update deletes the records that this stack has made at ${SERVICES[dns]}, ` +
          "and nothing makes them anew: until they are made where the zone is, nobody reaches the servers. " +
          `To keep them: ${adviceFor(settings, setCommand("dns", dns))}`,
        ...shown,
      ].join("\n  "),
    );
  }
}
