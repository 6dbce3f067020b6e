import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

import { removeCommand, setCommand } from "../../settings/remedies";
import type { Problem } from "../../settings/problems";
import { awsLookUp } from "./lookUp";
import { ownerFilters } from "./tags";
import { LookUpError } from "../lookUps";

/** Subnet whose hosts can have public addresses. */
export interface PublicSubnet {
  readonly id: string;
  readonly vpcId: string;
  /** Availability zone, e.g. "eu-central-1a". */
  readonly zone: string;
  /** True when its hosts get IPv6 addresses and reach the internet with these. */
  readonly ipv6: boolean;
}

/** Network that the settings want. */
export interface NetworkRequest {
  readonly region: string;
  /** @default the region's default VPC */
  readonly vpcId?: string;
  /** @default any public subnet of the VPC */
  readonly subnetId?: string;
}

/**
 * Finds the subnets for hosts, in the order of their zones: the one that the settings name, else all public ones of
 * their VPC or of the default VPC.
 *
 * @throws LookUpError if there is none
 */
export async function publicSubnets(
  request: NetworkRequest,
  opts: pulumi.InvokeOptions,
): Promise<PublicSubnet[]> {
  const { region, vpcId, subnetId } = request;
  if (subnetId) return [await namedSubnet(subnetId, request, opts)];
  const vpc = await findVpc(region, vpcId, opts);
  const filters = [{ name: "vpc-id", values: [vpc.id] }];
  const { ids } = await awsLookUp(() => aws.ec2.getSubnets({ filters }, opts), noPublicSubnet(vpc.id));
  const [tables, subnets] = await Promise.all([
    routeTablesOf(vpc.id, opts),
    Promise.all(ids.map((id) => findSubnet(id, region, opts))),
  ]);
  const open = subnets
    .flatMap((subnet) => publicSubnet(subnet, tables) ?? [])
    // Local and wavelength zones (eu-central-1-ham-1a) have public addresses of their own.
    .filter(({ zone }) => /^[a-z]+(-[a-z]+)+-\d[a-z]$/.test(zone));
  if (open.length === 0) throw new LookUpError([noPublicSubnet(vpc.id)]);
  return open.sort((a, b) => compare(a.zone, b.zone) || compare(a.id, b.id));
}

/**
 * Finds the subnets that servers of a deployment are already in, by their network interfaces: they stay there.
 *
 * @param labels Project and stack.
 * @returns ids; none in a new deployment
 */
export async function occupiedSubnets(
  labels: Readonly<Record<string, string>>,
  opts: pulumi.InvokeOptions,
): Promise<ReadonlySet<string>> {
  const missing = {
    key: "stack",
    reason: `is ${labels.stack ?? ""}, of which a network interface vanished while it was looked at`,
    remedy: "try again",
  };
  const found = await ownInterfaces(labels, missing, opts);
  return new Set(found.map(({ subnetId }) => subnetId));
}

/** Network interfaces with a stack's tags. @throws LookUpError with `missing` for one that vanished meanwhile */
export async function ownInterfaces(
  labels: Readonly<Record<string, string>>,
  missing: Problem,
  opts: pulumi.InvokeOptions,
) {
  const filters = ownerFilters(labels);
  const { ids } = await awsLookUp(() => aws.ec2.getNetworkInterfaces({ filters }, opts), missing);
  return Promise.all(ids.map((id) => awsLookUp(() => aws.ec2.getNetworkInterface({ id }, opts), missing)));
}

async function namedSubnet(
  id: string,
  { region, vpcId }: NetworkRequest,
  opts: pulumi.InvokeOptions,
): Promise<PublicSubnet> {
  const subnet = await findSubnet(id, region, opts);
  if (vpcId && vpcId !== subnet.vpcId) {
    throw problem(
      "subnetId",
      `is ${id}, which is in ${subnet.vpcId}, not in ${vpcId}`,
      removeCommand("vpcId"),
    );
  }
  const found = publicSubnet(subnet, await routeTablesOf(subnet.vpcId, opts));
  if (found) return found;
  throw problem(
    "subnetId",
    `is ${id}, a private subnet: no route of it leads 0.0.0.0/0 to an internet gateway, so nobody could reach a server in it`,
    `${setCommand("subnetId", "subnet-…")}, of one that is public, or ${removeCommand("subnetId")} for any of the VPC`,
  );
}

function findVpc(region: string, vpcId: string | undefined, opts: pulumi.InvokeOptions) {
  return vpcId
    ? awsLookUp(() => aws.ec2.getVpc({ id: vpcId }, opts), {
        key: "vpcId",
        reason: `is ${vpcId}, of which the account has none in ${region}`,
        remedy: `${setCommand("vpcId", "vpc-…")}, with an id that aws ec2 describe-vpcs --region ${region} shows`,
      })
    : awsLookUp(() => aws.ec2.getVpc({ default: true }, opts), {
        key: "vpcId",
        reason: `is not set, and the account has no default VPC in ${region}`,
        remedy: `${setCommand("vpcId", "vpc-…")}, of one with a public subnet, or aws ec2 create-default-vpc --region ${region}`,
      });
}

function findSubnet(id: string, region: string, opts: pulumi.InvokeOptions) {
  return awsLookUp(() => aws.ec2.getSubnet({ id }, opts), {
    key: "subnetId",
    reason: `is ${id}, of which the account has none in ${region}`,
    remedy: `${setCommand("subnetId", "subnet-…")}, with an id that aws ec2 describe-subnets --region ${region} shows`,
  });
}

async function routeTablesOf(
  vpcId: string,
  opts: pulumi.InvokeOptions,
): Promise<aws.ec2.GetRouteTableResult[]> {
  const missing = noPublicSubnet(vpcId);
  const { ids } = await awsLookUp(() => aws.ec2.getRouteTables({ vpcId }, opts), missing);
  return Promise.all(
    ids.map((routeTableId) => awsLookUp(() => aws.ec2.getRouteTable({ routeTableId }, opts), missing)),
  );
}

/** Public subnet, or undefined. A subnet's route table is the one associated with it, else its VPC's main one. */
function publicSubnet(
  subnet: aws.ec2.GetSubnetResult,
  tables: readonly aws.ec2.GetRouteTableResult[],
): PublicSubnet | undefined {
  const table =
    tables.find(({ associations }) => associations.some(({ subnetId }) => subnetId === subnet.id)) ??
    tables.find(({ associations }) => associations.some(({ main }) => main));
  const toInternet = (table?.routes ?? []).filter(({ gatewayId }) => gatewayId?.startsWith("igw-"));
  if (subnet.ipv6Native || !toInternet.some(({ cidrBlock }) => cidrBlock === "0.0.0.0/0")) return undefined;
  return {
    id: subnet.id,
    vpcId: subnet.vpcId,
    zone: subnet.availabilityZone,
    ipv6: Boolean(subnet.ipv6CidrBlock) && toInternet.some(({ ipv6CidrBlock }) => ipv6CidrBlock === "::/0"),
  };
}

function noPublicSubnet(vpcId: string) {
  return {
    key: "vpcId",
    reason: `leads to ${vpcId}, which has no public subnet: none of its routes leads 0.0.0.0/0 to an internet gateway`,
    remedy: `${setCommand("vpcId", "vpc-…")}, of one with a public subnet, or give this one an internet gateway and a route to it`,
  };
}

function problem(key: string, reason: string, remedy: string): LookUpError {
  return new LookUpError([{ key, reason, remedy }]);
}

/** Compares by code points, independent of the machine's locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
