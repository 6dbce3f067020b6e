/** The provider's data sources, called anew at every preview and update: what the program reads of them. */
import type {
  ListResourceRecordSetsCommandInput,
  ListResourceRecordSetsCommandOutput,
  ResourceRecordSet,
} from "@aws-sdk/client-route-53";

import type { Context } from "../../../driver";
import type { Values } from "../../../wire";
import { session } from "../client";
import { trimmed, zoneId } from "../records";
import { tagMap } from "../tags";
import { text } from "../values";
import { filtersOf, lookup, single } from "./lookup";
import { machineLookups } from "./machines";
import { networkLookups } from "./network";

async function getVolume(args: Values, context: Context): Promise<Values> {
  const { ec2 } = await session(context);
  const { Volumes = [] } = await ec2.describeVolumes({ Filters: filtersOf(args) });
  const { VolumeId = "", AvailabilityZone = "", Tags } = single(Volumes, "EBS Volume");
  return { ...args, id: VolumeId, availabilityZone: AvailabilityZone, tags: tagMap(Tags) };
}

/** Gets a zone by name: a public one unless `privateZone` is set. */
async function getZone(args: Values, context: Context): Promise<Values> {
  const { route53 } = await session(context);
  const name = trimmed(String(args.name));
  const named = [];
  // sorted by name from there on: those of this name are the first
  let start: { DNSName?: string; HostedZoneId?: string } = { DNSName: `${name}.` };
  for (let more = true; more;) {
    const page = await route53.listHostedZonesByName(start);
    const zones = (page.HostedZones ?? []).filter((zone) => trimmed(zone.Name ?? "") === name);
    named.push(...zones);
    more = page.IsTruncated === true && trimmed(page.NextDNSName ?? "") === name;
    start = { DNSName: page.NextDNSName, HostedZoneId: page.NextHostedZoneId };
  }
  const wanted = args.privateZone === true;
  const matching = named.filter(({ Config }) => (Config?.PrivateZone ?? false) === wanted);
  const id = zoneId(single(matching, "Route 53 Hosted Zone").Id ?? "");
  const { DelegationSet } = await route53.getHostedZone({ Id: id });
  return { ...args, id, zoneId: id, nameServers: [...(DelegationSet?.NameServers ?? [])].sort() };
}

/** All record sets of a zone whose names, with the dot at their end, match `nameRegex`. */
async function getRecords(args: Values, context: Context): Promise<Values> {
  const { route53 } = await session(context);
  const wanted = new RegExp(text(args.nameRegex) ?? "");
  const sets: ResourceRecordSet[] = [];
  let start: ListResourceRecordSetsCommandInput | undefined = { HostedZoneId: zoneId(String(args.zoneId)) };
  while (start !== undefined) {
    const page: ListResourceRecordSetsCommandOutput = await route53.listResourceRecordSets(start);
    sets.push(...(page.ResourceRecordSets ?? []));
    start =
      page.IsTruncated === true
        ? {
            ...start,
            StartRecordName: page.NextRecordName,
            StartRecordType: page.NextRecordType,
            StartRecordIdentifier: page.NextRecordIdentifier,
          }
        : undefined;
  }
  const resourceRecordSets = sets
    .filter(({ Name = "" }) => wanted.test(Name))
    .map((set) => ({
      name: set.Name ?? "",
      type: set.Type ?? "",
      resourceRecords: (set.ResourceRecords ?? []).map(({ Value = "" }) => ({ value: Value })),
      ...(set.AliasTarget === undefined ? {} : { aliasTarget: { dnsName: set.AliasTarget.DNSName ?? "" } }),
    }));
  return { ...args, resourceRecordSets };
}

export const lookups = {
  ...networkLookups,
  ...machineLookups,
  ...lookup("aws:ebs/getVolume:getVolume", ["filters"], getVolume),
  ...lookup("aws:route53/getZone:getZone", ["name", "privateZone"], getZone),
  ...lookup("aws:route53/getRecords:getRecords", ["zoneId", "nameRegex"], getRecords),
};
