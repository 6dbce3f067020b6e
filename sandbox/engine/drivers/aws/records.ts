/** Route 53's records. Each change is waited for until all name servers have it. */
import type { Change, ResourceRecordSet, RRType } from "@aws-sdk/client-route-53";

import type { Context, Created, Kind } from "../../driver";
import type { Values } from "../../wire";
import { afterCreate, changed } from "../common";
import { notOurs } from "./adoption";
import { session } from "./client";
import { isCode, unlessGone } from "./errors";
import { number, text, texts } from "./values";
import { waitFor } from "./waiting";

/** "Z1" of "/hostedzone/Z1". */
export function zoneId(id: string): string {
  return id.replace(/^\/?hostedzone\//, "");
}

/** Removes the dot at the end of a name, as in Pulumi's state. */
export function trimmed(name: string): string {
  return name.replace(/\.$/, "").toLowerCase();
}

/** Full name of a record: appends the zone to a name that does not end in it. */
function fullName(name: string, zone: string): string {
  const [short, domain] = [trimmed(name), trimmed(zone)];
  if (short === "") return domain;
  return short === domain || short.endsWith(`.${domain}`) ? short : `${short}.${domain}`;
}

async function fqdnOf(inputs: Values, context: Context): Promise<string> {
  const { route53 } = await session(context);
  const { HostedZone } = await route53.getHostedZone({ Id: zoneId(String(inputs.zoneId)) });
  return fullName(String(inputs.name), HostedZone?.Name ?? "");
}

function recordSet(inputs: Values, fqdn: string): ResourceRecordSet {
  return {
    Name: fqdn,
    Type: text(inputs.type) as RRType,
    TTL: number(inputs.ttl),
    ResourceRecords: (texts(inputs.records) ?? []).map((Value) => ({ Value })),
  };
}

async function change(zone: string, changes: Change[], context: Context): Promise<void> {
  const { route53 } = await session(context);
  const { ChangeInfo } = await route53.changeResourceRecordSets({
    HostedZoneId: zone,
    ChangeBatch: { Comment: "Managed by Pulumi", Changes: changes },
  });
  const Id = ChangeInfo?.Id ?? "";
  await waitFor(
    { what: `Route 53 change (${Id}) to synchronize`, until: ["INSYNC"], through: ["PENDING"], minutes: 30 },
    context,
    async () => (await unlessGone(() => route53.getChange({ Id })))?.ChangeInfo?.Status,
  );
}

/** Returns the record that Route 53 has. */
async function held(inputs: Values, fqdn: string, context: Context): Promise<ResourceRecordSet | undefined> {
  const { route53 } = await session(context);
  const answer = await unlessGone(() =>
    route53.listResourceRecordSets({
      HostedZoneId: zoneId(String(inputs.zoneId)),
      StartRecordName: fqdn,
      StartRecordType: text(inputs.type) as RRType,
      MaxItems: 1,
    }),
  );
  const found = answer?.ResourceRecordSets?.[0];
  return found !== undefined && trimmed(found.Name ?? "") === fqdn && found.Type === inputs.type
    ? found
    : undefined;
}

function created(inputs: Values, fqdn: string): Created {
  const id = [zoneId(String(inputs.zoneId)), trimmed(String(inputs.name)), String(inputs.type)].join("_");
  return { id, outputs: { ...inputs, name: trimmed(String(inputs.name)), fqdn } };
}

export const record: Kind = {
  keys: ["zoneId", "name", "type", "ttl", "records", "allowOverwrite"],
  replaceKeys: ["zoneId", "name"],
  /** Refuses an existing record, which may be somebody else's: `allowOverwrite` is not served. */
  create: async (inputs, context) => {
    const fqdn = await fqdnOf(inputs, context);
    const zone = zoneId(String(inputs.zoneId));
    await change(zone, [{ Action: "CREATE", ResourceRecordSet: recordSet(inputs, fqdn) }], context);
    return created(inputs, fqdn);
  },
  update: async ({ inputs: old }, inputs, context) => {
    const fqdn = await fqdnOf(inputs, context);
    const zone = zoneId(String(inputs.zoneId));
    const wanted = recordSet(inputs, fqdn);
    const before = changed(old, inputs, "type") ? await held(old, fqdn, context) : undefined;
    const changes: Change[] = [
      ...(before === undefined ? [] : [{ Action: "DELETE" as const, ResourceRecordSet: before }]),
      { Action: "UPSERT", ResourceRecordSet: wanted },
    ];
    await change(zone, changes, context);
    return created(inputs, fqdn).outputs;
  },
  /** Deletes the record with its present values. */
  delete: async ({ inputs }, context) => {
    const fqdn = await unlessGone(() => fqdnOf(inputs, context));
    if (fqdn === undefined) return;
    const found = await held(inputs, fqdn, context);
    if (found === undefined) return;
    try {
      const changes: Change[] = [{ Action: "DELETE", ResourceRecordSet: found }];
      await change(zoneId(String(inputs.zoneId)), changes, context);
    } catch (error) {
      const gone = isCode(error, "InvalidChangeBatch") && /not found/.test((error as Error).message);
      if (!gone) throw error;
    }
  },
  read: async ({ inputs }, context) => {
    const fqdn = await unlessGone(() => fqdnOf(inputs, context));
    const found = fqdn === undefined ? undefined : await held(inputs, fqdn, context);
    return found && {};
  },
  /** Adopts a record with exactly the requested values: records have no tags. */
  adopt: async (inputs, context) => {
    const fqdn = await fqdnOf(inputs, context);
    const found = await held(inputs, fqdn, context);
    if (found === undefined) return undefined;
    const values = (set: ResourceRecordSet) =>
      (set.ResourceRecords ?? []).map(({ Value = "" }) => Value).sort();
    const wanted = recordSet(inputs, fqdn);
    if (found.TTL !== wanted.TTL || values(found).join() !== values(wanted).join()) {
      const batch = JSON.stringify({ Changes: [{ Action: "DELETE", ResourceRecordSet: found }] });
      const command =
        `aws route53 change-resource-record-sets --hosted-zone-id ${zoneId(String(inputs.zoneId))} ` +
        `--change-batch '${batch}'`;
      const why = `says ${values(found).join(", ")} and not ${values(wanted).join(", ")}`;
      throw notOurs(`record ${fqdn} ${String(inputs.type)}`, why, command);
    }
    // its change may still be on its way to the name servers: the same again is waited for
    return afterCreate(created(inputs, fqdn).id, inputs, async () => {
      const zone = zoneId(String(inputs.zoneId));
      await change(zone, [{ Action: "UPSERT", ResourceRecordSet: wanted }], context);
      return created(inputs, fqdn);
    });
  },
};
