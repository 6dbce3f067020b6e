/** VPCs, subnets, route tables, interfaces and addresses: what the program reads of them. */
import type { Route, Subnet } from "@aws-sdk/client-ec2";

import type { Context } from "../../../driver";
import type { Values } from "../../../wire";
import { session } from "../client";
import { unlessGone } from "../errors";
import { readInterface } from "../interfaces";
import { filtersOf, lookup, single } from "./lookup";

function subnetOutputs(subnet: Subnet, args: Values): Values {
  const v6 = (subnet.Ipv6CidrBlockAssociationSet ?? []).find(
    ({ Ipv6CidrBlockState }) => Ipv6CidrBlockState?.State === "associated",
  );
  return {
    ...args,
    id: subnet.SubnetId ?? "",
    availabilityZone: subnet.AvailabilityZone ?? "",
    ipv6CidrBlock: v6?.Ipv6CidrBlock ?? "",
    ipv6Native: subnet.Ipv6Native ?? false,
    vpcId: subnet.VpcId ?? "",
  };
}

/** Routes without local ones and those that a virtual gateway propagates, which the provider leaves out. */
function routeOutputs(routes: readonly Route[]): Values[] {
  return routes
    .filter(({ GatewayId, Origin }) => GatewayId !== "local" && Origin !== "EnableVgwRoutePropagation")
    .map((route) => ({
      cidrBlock: route.DestinationCidrBlock ?? "",
      ipv6CidrBlock: route.DestinationIpv6CidrBlock ?? "",
      gatewayId: route.GatewayId ?? "",
    }));
}

const isThere = <T>(found: T | undefined): found is T => found !== undefined;

const idsOf = (id: unknown) => (id === undefined || id === "" ? undefined : [String(id)]);

async function subnets(args: Values, context: Context): Promise<Subnet[]> {
  const { ec2 } = await session(context);
  const asked = { SubnetIds: idsOf(args.id), Filters: filtersOf(args) };
  return (await unlessGone(() => ec2.describeSubnets(asked)))?.Subnets ?? [];
}

export const networkLookups = {
  ...lookup("aws:ec2/getEips:getEips", ["filters"], async (args, context) => {
    const { ec2, region } = await session(context);
    const { Addresses = [] } = await ec2.describeAddresses({ Filters: filtersOf(args) });
    return { ...args, id: region, publicIps: Addresses.flatMap(({ PublicIp }) => PublicIp ?? []) };
  }),
  ...lookup("aws:ec2/getNetworkInterfaces:getNetworkInterfaces", ["filters"], async (args, context) => {
    const { ec2, region } = await session(context);
    const { NetworkInterfaces = [] } = await ec2.describeNetworkInterfaces({ Filters: filtersOf(args) });
    const ids = NetworkInterfaces.map(({ NetworkInterfaceId = "" }) => NetworkInterfaceId);
    return { ...args, id: region, ids };
  }),
  ...lookup("aws:ec2/getNetworkInterface:getNetworkInterface", ["id"], async (args, context) => {
    const found = single(
      [await readInterface(String(args.id), context)].filter(isThere),
      "EC2 Network Interface",
    );
    return {
      ...args,
      ipv6Addresses: (found.Ipv6Addresses ?? []).map(({ Ipv6Address = "" }) => Ipv6Address),
      subnetId: found.SubnetId ?? "",
    };
  }),
  ...lookup("aws:ec2/getVpc:getVpc", ["id", "default"], async (args, context) => {
    const { ec2 } = await session(context);
    const Filters = filtersOf(args, { "is-default": args.default === true ? "true" : undefined });
    const answer = await unlessGone(() => ec2.describeVpcs({ VpcIds: idsOf(args.id), Filters }));
    return { ...args, id: single(answer?.Vpcs ?? [], "EC2 VPC").VpcId ?? "" };
  }),
  ...lookup("aws:ec2/getSubnets:getSubnets", ["filters"], async (args, context) => {
    const { region } = await session(context);
    const found = await subnets(args, context);
    return { ...args, id: region, ids: found.map(({ SubnetId = "" }) => SubnetId) };
  }),
  ...lookup("aws:ec2/getSubnet:getSubnet", ["id"], async (args, context) =>
    subnetOutputs(single(await subnets(args, context), "EC2 Subnet"), args),
  ),
  ...lookup("aws:ec2/getRouteTables:getRouteTables", ["vpcId"], async (args, context) => {
    const { ec2, region } = await session(context);
    const Filters = filtersOf(args, { "vpc-id": args.vpcId });
    const { RouteTables = [] } = await ec2.describeRouteTables({ Filters });
    const ids = RouteTables.map(({ RouteTableId = "" }) => RouteTableId);
    return { ...args, id: region, ids };
  }),
  ...lookup("aws:ec2/getRouteTable:getRouteTable", ["routeTableId"], async (args, context) => {
    const { ec2 } = await session(context);
    const RouteTableIds = idsOf(args.routeTableId);
    const answer = await unlessGone(() => ec2.describeRouteTables({ RouteTableIds }));
    const {
      RouteTableId = "",
      Routes = [],
      Associations = [],
    } = single(answer?.RouteTables ?? [], "EC2 Route Table");
    return {
      ...args,
      id: RouteTableId,
      routes: routeOutputs(Routes),
      associations: Associations.map(({ Main = false, SubnetId = "" }) => ({
        main: Main,
        subnetId: SubnetId,
      })),
    };
  }),
};
