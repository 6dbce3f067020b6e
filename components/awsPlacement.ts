import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

import { setCommand } from "../settings/fields";
import { findImage } from "./awsImage";
import { awsLookUp } from "./awsLookUp";
import { publicSubnets, type NetworkRequest, type PublicSubnet } from "./awsNetwork";
import { serverTypeKey, zonesWithType } from "./awsServerTypes";
import type { HostArgs, Role } from "./host";
import { allFound, LookUpError } from "./lookUps";

/** What is wanted at AWS. */
export interface AwsPlacementRequest extends NetworkRequest {
  /** All in one subnet. */
  readonly hosts: readonly HostArgs[];
  /** Refuse server types that give their cores part of the time only. */
  readonly fullTimeCores: boolean;
}

/** Where new hosts go, and what their servers are made from; not looked at by a host that exists. */
export interface AwsPlacement {
  readonly subnet: PublicSubnet;
  /** By host: the id of the image of its server. */
  readonly images: ReadonlyMap<Role, string>;
}

/**
 * Finds a place for hosts: the settings' subnet, else of the VPC's public subnets the one in the first availability zone,
 * by name, that offers every wanted server type and has the recordings volume if that exists.
 *
 * @throws LookUpError with everything that is in the way.
 */
export async function findAwsPlacement(
  request: AwsPlacementRequest,
  provider: aws.Provider,
): Promise<AwsPlacement> {
  const { hosts, region } = request;
  const opts = { provider };
  const [subnets, images, ...limits] = await allFound([
    publicSubnets(request, opts),
    allFound(hosts.map(async (host) => [host.role, await findImage(host, region, opts)] as const)),
    ...hosts.map((host) => typeLimit(host, request, opts)),
    ...hosts.flatMap(({ volume }) => (volume?.adoptId ? [volumeLimit(volume.adoptId, region, opts)] : [])),
  ]);
  const subnet = subnets.find(({ zone }) => limits.every(({ zones }) => zones.has(zone)));
  if (!subnet) throw noZone(request, subnets, limits);
  return { subnet, images: new Map(images) };
}

/** What confines the choice of an availability zone. */
interface Limit {
  /** The setting that it comes from. */
  readonly key: string;
  readonly zones: ReadonlySet<string>;
  /** As the end of a sentence that begins with the key. */
  readonly what: string;
}

async function typeLimit(
  host: HostArgs,
  request: AwsPlacementRequest,
  opts: pulumi.InvokeOptions,
): Promise<Limit> {
  const zones = await zonesWithType(host, request, opts);
  return {
    key: serverTypeKey(host),
    zones,
    what: `is ${host.serverType}, which AWS offers in ${list(zones)} only`,
  };
}

/** A volume can be attached in its own zone only. */
async function volumeLimit(id: string, region: string, opts: pulumi.InvokeOptions): Promise<Limit> {
  const key = "recordingsVolumeId";
  const filters = [{ name: "volume-id", values: [id] }];
  const { availabilityZone } = await awsLookUp(() => aws.ebs.getVolume({ filters }, opts), {
    key,
    reason: `is ${id}, of which the account has none in ${region}`,
    remedy: `${setCommand(key, "vol-…")}, with an id that aws ec2 describe-volumes --region ${region} shows`,
  });
  return { key, zones: new Set([availabilityZone]), what: `is ${id}, a volume in ${availabilityZone}` };
}

function noZone(
  { subnetId }: AwsPlacementRequest,
  subnets: readonly PublicSubnet[],
  limits: readonly Limit[],
): LookUpError {
  const place = subnetId ? `subnetId ${subnetId}` : `the public subnets of ${subnets[0]!.vpcId}`;
  const where = `${place} ${subnetId ? "is" : "are"} in ${list(new Set(subnets.map(({ zone }) => zone)))}`;
  const outside = limits.filter(({ zones }) => !subnets.some(({ zone }) => zones.has(zone)));
  // Where each has a zone, but not the same one, all are to be told.
  const blamed = outside.length > 0 ? outside : limits;
  const remedy = subnetId
    ? `${setCommand("subnetId", "subnet-…")}, of a public one there, or pulumi config rm subnetId for any of the VPC`
    : `choose another, or ${setCommand("vpcId", "vpc-…")}, of one with a public subnet there`;
  return new LookUpError(blamed.map(({ key, what }) => ({ key, reason: `${what}; ${where}`, remedy })));
}

function list(zones: ReadonlySet<string>): string {
  return [...zones].sort().join(", ");
}
