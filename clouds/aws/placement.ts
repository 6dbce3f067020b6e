import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

import { removeCommand, setCommand } from "../../settings/remedies";
import { findImage } from "./image";
import { awsLookUp } from "./lookUp";
import { occupiedSubnets, publicSubnets, type NetworkRequest, type PublicSubnet } from "./network";
import { zonesWithType } from "./serverTypes";
import { snapshotTag } from "./tags";
import type { HostArgs, Role } from "../host";
import { waitForLookUps, LookUpError } from "../lookUps";
import { serverTypeKeys } from "../serverTypes";

/** Wanted placement at AWS. */
export interface AwsPlacementRequest extends NetworkRequest {
  /** Hosts for one subnet. */
  readonly hosts: readonly HostArgs[];
  /** Refuses server types that give their cores only part of the time. */
  readonly fullTimeCores: boolean;
  /** Hash of the scripts that install on a host of a role. */
  readonly scripts: (role: Role) => string;
}

/** Placement of the hosts, and the images of new servers. */
export interface AwsPlacement {
  readonly subnet: PublicSubnet;
  /** Ids of the images for new servers, by host; an existing server ignores it. */
  readonly images: ReadonlyMap<Role, string>;
}

/**
 * Finds a place for hosts: the settings' subnet, or one of the VPC's public subnets. The latter is in the first
 * availability zone, by name, that offers every wanted server type and has the recordings volume if that exists. A
 * deployment with servers stays in their subnet: EC2 would stop a server for a type that its zone lacks, and not start
 * it again.
 *
 * @throws LookUpError with all obstacles
 */
export async function findAwsPlacement(
  request: AwsPlacementRequest,
  provider: aws.Provider,
): Promise<AwsPlacement> {
  const { hosts, region } = request;
  const opts = { provider };
  const present = occupiedSubnets(hosts[0]?.labels ?? {}, opts);
  const exists = async () => (await present).size > 0;
  const [subnets, occupied, images, ...limits] = await waitForLookUps([
    publicSubnets(request, opts),
    present,
    waitForLookUps(
      hosts.map(async (host) => {
        const known = { region, scripts: request.scripts(host.role), exists };
        return [host.role, await findImage(host, known, opts)] as const;
      }),
    ),
    ...hosts.map((host) => typeLimit(host, request, opts)),
    ...hosts.flatMap((host) =>
      host.volume?.kind === "adopted" ? [volumeLimit(host.volume.id, host, region, opts)] : [],
    ),
  ]);
  const settled = occupied.size > 0;
  const possible = settled ? subnets.filter(({ id }) => occupied.has(id)) : subnets;
  if (possible.length === 0) throw elsewhere(request, occupied);
  const subnet = possible.find(({ zone }) => limits.every(({ zones }) => zones.has(zone)));
  if (!subnet) throw noZone(request, possible, limits, settled);
  return { subnet, images: new Map(images) };
}

/** Limit of the choice of an availability zone. */
interface Limit {
  /** Setting that it comes from. */
  readonly key: string;
  readonly zones: ReadonlySet<string>;
  /** Text for the end of a sentence that begins with the key. */
  readonly what: string;
}

async function typeLimit(
  host: HostArgs,
  request: AwsPlacementRequest,
  opts: pulumi.InvokeOptions,
): Promise<Limit> {
  const zones = await zonesWithType(host, request, opts);
  return {
    key: serverTypeKeys[host.role],
    zones,
    what: `is ${host.serverType}, which AWS offers in ${list(zones)} only`,
  };
}

/** Limit by a volume, which can be attached in its own zone only. */
async function volumeLimit(
  id: string,
  host: HostArgs,
  region: string,
  opts: pulumi.InvokeOptions,
): Promise<Limit> {
  const key = "recordingsVolumeId";
  const filters = [{ name: "volume-id", values: [id] }];
  const { availabilityZone, tags } = await awsLookUp(() => aws.ebs.getVolume({ filters }, opts), {
    key,
    reason: `is ${id}, of which the account has none in ${region}`,
    remedy: `${setCommand(key, "vol-…")}, with an id that aws ec2 describe-volumes --region ${region} shows`,
  });
  const wanted = snapshotTag(host.labels).snapshots;
  if (host.snapshotDays > 0 && tags && tags.snapshots !== wanted) {
    await pulumi.log.warn(
      `recordingsVolumeId is ${id}, of which no daily snapshots are made, since its tags are left as they are: ` +
        `aws ec2 create-tags --region ${region} --resources ${id} --tags Key=snapshots,Value=${wanted} has them made`,
    );
  }
  return { key, zones: new Set([availabilityZone]), what: `is ${id}, a volume in ${availabilityZone}` };
}

/** Error for another subnet than that of existing servers, which cannot be moved. */
function elsewhere({ vpcId, subnetId }: AwsPlacementRequest, occupied: ReadonlySet<string>): LookUpError {
  const [key, wanted] = subnetId ? (["subnetId", subnetId] as const) : (["vpcId", vpcId] as const);
  const among = subnetId ? "" : ", which is none of the public subnets of that VPC";
  return new LookUpError([
    {
      key,
      reason: `is ${wanted ?? "not set"}, but the deployment's servers are in ${list(occupied)}, where they stay${among}`,
      remedy: `${setCommand("subnetId", list(occupied))}, or pulumi destroy, after which they can be made elsewhere`,
    },
  ]);
}

function noZone(
  { subnetId }: AwsPlacementRequest,
  subnets: readonly PublicSubnet[],
  limits: readonly Limit[],
  settled: boolean,
): LookUpError {
  const zones = list(new Set(subnets.map(({ zone }) => zone)));
  const place = subnetId ? `subnetId ${subnetId} is` : `the public subnets of ${subnets[0]!.vpcId} are`;
  const where = settled
    ? `the deployment's servers are in ${zones}, where they stay`
    : `${place} in ${zones}`;
  const outside = limits.filter(({ zones }) => !subnets.some(({ zone }) => zones.has(zone)));
  // Where each has a zone, but not the same one, all are to be told.
  const blamed = outside.length > 0 ? outside : limits;
  const remedy = settled
    ? "choose another, or pulumi destroy, after which they can be made elsewhere"
    : subnetId
      ? `${setCommand("subnetId", "subnet-…")}, of a public one there, or ${removeCommand("subnetId")} for any of the VPC`
      : `choose another, or ${setCommand("vpcId", "vpc-…")}, of one with a public subnet there`;
  return new LookUpError(blamed.map(({ key, what }) => ({ key, reason: `${what}; ${where}`, remedy })));
}

function list(zones: ReadonlySet<string>): string {
  return [...zones].sort().join(", ");
}
