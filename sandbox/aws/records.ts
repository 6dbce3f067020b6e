import { readAnswer, type Cloud } from "./cloud";
import { child, items, text, type Node } from "./xml";

export interface HostedZone {
  readonly id: string;
  /** Name with a dot at its end. */
  readonly name: string;
}

export interface RecordSet {
  /** Absolute name, with a dot at its end. */
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly values: readonly string[];
}

async function get(cloud: Pick<Cloud, "journal">, path: string): Promise<Node> {
  const wire = {
    service: "route53",
    method: "GET",
    path: `/2013-04-01/${path}`,
    contentType: "",
    body: "",
  } as const;
  return readAnswer(await cloud.journal.read(wire), `GET ${path}`);
}

/** Reads the public zones. */
export async function readZones(cloud: Pick<Cloud, "journal">): Promise<HostedZone[]> {
  const { HostedZones } = await get(cloud, "hostedzone");
  return items(HostedZones, "HostedZone")
    .filter((zone) => text(child(zone.Config).PrivateZone) !== "true")
    .map((zone) => ({ id: text(zone.Id).replace("/hostedzone/", ""), name: text(zone.Name) }));
}

/** Reads all record sets of a zone. @throws NoSuchHostedZone */
export async function readRecordSets(cloud: Pick<Cloud, "journal">, zoneId: string): Promise<RecordSet[]> {
  const { ResourceRecordSets } = await get(cloud, `hostedzone/${zoneId}/rrset?maxitems=300`);
  return items(ResourceRecordSets, "ResourceRecordSet").map((set) => ({
    name: unescapeName(text(set.Name)),
    type: text(set.Type),
    ttl: Number(text(set.TTL)),
    values: items(set.ResourceRecords, "ResourceRecord").map((record) => text(record.Value)),
  }));
}

/** Replaces Route 53's \ooo for unusual characters in a name, e.g. \052 for a star. */
export function unescapeName(name: string): string {
  return name.replace(/\\(\d{3})/g, (_all, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
