/** The provider's data sources, called anew at every preview and update. */
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
  const at = await session(context);
  const { Volumes = [] } = await at.ec2.describeVolumes({ Filters: filtersOf(args) });
  const newest = [...Volumes].sort((a, b) => (b.CreateTime?.getTime() ?? 0) - (a.CreateTime?.getTime() ?? 0));
  const found = single(args.mostRecent === true ? newest.slice(0, 1) : newest, "EBS Volume");
  const { VolumeId: id = "" } = found;
  return {
    ...args,
    id,
    arn: at.arn(`volume/${id}`),
    region: at.region,
    availabilityZone: found.AvailabilityZone ?? "",
    createTime: found.CreateTime?.toISOString() ?? "",
    encrypted: found.Encrypted ?? false,
    iops: found.Iops ?? 0,
    kmsKeyId: found.KmsKeyId ?? "",
    multiAttachEnabled: found.MultiAttachEnabled ?? false,
    outpostArn: found.OutpostArn ?? "",
    size: found.Size ?? 0,
    snapshotId: found.SnapshotId ?? "",
    tags: tagMap(found.Tags),
    throughput: found.Throughput ?? 0,
    volumeId: id,
    volumeType: found.VolumeType ?? "",
  };
}

/** Gets a zone by id, or by name: a public one unless `privateZone` is set. */
async function getZone(args: Values, context: Context): Promise<Values> {
  const { route53 } = await session(context);
  let id = text(args.zoneId);
  if (id === undefined) {
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
    id = single(matching, "Route 53 Hosted Zone").Id ?? "";
  }
  const { HostedZone: zone, DelegationSet } = await route53.getHostedZone({ Id: zoneId(id) });
  const nameServers = [...(DelegationSet?.NameServers ?? [])].sort();
  const plainId = zoneId(zone?.Id ?? id);
  return {
    id: plainId,
    zoneId: plainId,
    arn: `arn:aws:route53:::hostedzone/${plainId}`,
    name: trimmed(zone?.Name ?? ""),
    privateZone: zone?.Config?.PrivateZone ?? false,
    comment: zone?.Config?.Comment ?? "",
    callerReference: zone?.CallerReference ?? "",
    nameServers,
    primaryNameServer: nameServers[0] ?? "",
    resourceRecordSetCount: zone?.ResourceRecordSetCount ?? 0,
    linkedServiceDescription: zone?.LinkedService?.Description ?? "",
    linkedServicePrincipal: zone?.LinkedService?.ServicePrincipal ?? "",
    tags: {},
  };
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
      ttl: set.TTL ?? 0,
      setIdentifier: set.SetIdentifier ?? "",
      resourceRecords: (set.ResourceRecords ?? []).map(({ Value = "" }) => ({ value: Value })),
      ...(set.AliasTarget === undefined
        ? {}
        : {
            aliasTarget: {
              dnsName: set.AliasTarget.DNSName ?? "",
              evaluateTargetHealth: set.AliasTarget.EvaluateTargetHealth ?? false,
              hostedZoneId: set.AliasTarget.HostedZoneId ?? "",
            },
          }),
    }));
  return { ...args, resourceRecordSets };
}

export const lookups = {
  ...networkLookups,
  ...machineLookups,
  ...lookup("aws:ebs/getVolume:getVolume", ["filters", "mostRecent", "tags"], getVolume),
  ...lookup("aws:route53/getZone:getZone", ["zoneId", "name", "privateZone"], getZone),
  ...lookup("aws:route53/getRecords:getRecords", ["zoneId", "nameRegex"], getRecords),
};
