/** VPCs, subnets, route tables, interfaces and addresses. */
import type { Route, RouteTable, Subnet, Vpc } from "@aws-sdk/client-ec2";

import type { Context } from "../../../driver";
import type { Values } from "../../../wire";
import { session } from "../client";
import { unlessGone } from "../errors";
import { readInterface } from "../interfaces";
import { tagMap } from "../tags";
import { text } from "../values";
import { filtersOf, lookup, single } from "./lookup";

async function vpcOutputs(vpc: Vpc, args: Values, context: Context): Promise<Values> {
  const at = await session(context);
  const { VpcId: id = "" } = vpc;
  const { RouteTables = [] } = await at.ec2.describeRouteTables({
    Filters: filtersOf({}, { "association.main": "true", "vpc-id": id }),
  });
  const v6 = vpc.Ipv6CidrBlockAssociationSet?.[0];
  return {
    ...args,
    id,
    arn: at.arn(`vpc/${id}`),
    region: at.region,
    cidrBlock: vpc.CidrBlock ?? "",
    default: vpc.IsDefault ?? false,
    dhcpOptionsId: vpc.DhcpOptionsId ?? "",
    instanceTenancy: vpc.InstanceTenancy ?? "",
    ipv6AssociationId: v6?.AssociationId ?? "",
    ipv6CidrBlock: v6?.Ipv6CidrBlock ?? "",
    mainRouteTableId: RouteTables[0]?.RouteTableId ?? "",
    ownerId: vpc.OwnerId ?? at.account,
    state: vpc.State ?? "",
    tags: tagMap(vpc.Tags),
  };
}

async function subnetOutputs(subnet: Subnet, args: Values, context: Context): Promise<Values> {
  const at = await session(context);
  const v6 = (subnet.Ipv6CidrBlockAssociationSet ?? []).find(
    ({ Ipv6CidrBlockState }) => Ipv6CidrBlockState?.State === "associated",
  );
  const { SubnetId: id = "" } = subnet;
  return {
    ...args,
    id,
    arn: subnet.SubnetArn ?? at.arn(`subnet/${id}`),
    region: at.region,
    assignIpv6AddressOnCreation: subnet.AssignIpv6AddressOnCreation ?? false,
    availabilityZone: subnet.AvailabilityZone ?? "",
    availabilityZoneId: subnet.AvailabilityZoneId ?? "",
    availableIpAddressCount: subnet.AvailableIpAddressCount ?? 0,
    cidrBlock: subnet.CidrBlock ?? "",
    defaultForAz: subnet.DefaultForAz ?? false,
    ipv6CidrBlock: v6?.Ipv6CidrBlock ?? "",
    ipv6CidrBlockAssociationId: v6?.AssociationId ?? "",
    ipv6Native: subnet.Ipv6Native ?? false,
    mapPublicIpOnLaunch: subnet.MapPublicIpOnLaunch ?? false,
    ownerId: subnet.OwnerId ?? at.account,
    state: subnet.State ?? "",
    tags: tagMap(subnet.Tags),
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
      destinationPrefixListId: route.DestinationPrefixListId ?? "",
      carrierGatewayId: route.CarrierGatewayId ?? "",
      coreNetworkArn: route.CoreNetworkArn ?? "",
      egressOnlyGatewayId: route.EgressOnlyInternetGatewayId ?? "",
      gatewayId: route.GatewayId ?? "",
      instanceId: route.InstanceId ?? "",
      localGatewayId: route.LocalGatewayId ?? "",
      natGatewayId: route.NatGatewayId ?? "",
      networkInterfaceId: route.NetworkInterfaceId ?? "",
      odbNetworkArn: route.OdbNetworkArn ?? "",
      transitGatewayId: route.TransitGatewayId ?? "",
      vpcEndpointId: "",
      vpcPeeringConnectionId: route.VpcPeeringConnectionId ?? "",
    }));
}

async function routeTableOutputs(table: RouteTable, args: Values, context: Context): Promise<Values> {
  const at = await session(context);
  const { RouteTableId: id = "" } = table;
  return {
    ...args,
    id,
    arn: at.arn(`route-table/${id}`),
    region: at.region,
    routeTableId: id,
    ownerId: table.OwnerId ?? at.account,
    routes: routeOutputs(table.Routes ?? []),
    associations: (table.Associations ?? []).map((association) => ({
      gatewayId: association.GatewayId ?? "",
      main: association.Main ?? false,
      routeTableAssociationId: association.RouteTableAssociationId ?? "",
      routeTableId: association.RouteTableId ?? "",
      subnetId: association.SubnetId ?? "",
    })),
    tags: tagMap(table.Tags),
    vpcId: table.VpcId ?? "",
  };
}

const isThere = <T>(found: T | undefined): found is T => found !== undefined;

const idsOf = (id: unknown) => (id === undefined || id === "" ? undefined : [String(id)]);

async function subnets(args: Values, context: Context): Promise<Subnet[]> {
  const { ec2 } = await session(context);
  const Filters = filtersOf(args, {
    "vpc-id": args.vpcId,
    "availability-zone": args.availabilityZone,
    "cidr-block": args.cidrBlock,
    "default-for-az": args.defaultForAz,
  });
  const answer = await unlessGone(() => ec2.describeSubnets({ SubnetIds: idsOf(args.id), Filters }));
  return answer?.Subnets ?? [];
}

export const networkLookups = {
  ...lookup("aws:ec2/getEips:getEips", ["filters", "tags"], async (args, context) => {
    const { ec2, region } = await session(context);
    const { Addresses = [] } = await ec2.describeAddresses({ Filters: filtersOf(args) });
    return {
      ...args,
      id: region,
      region,
      allocationIds: Addresses.flatMap(({ AllocationId }) => AllocationId ?? []),
      publicIps: Addresses.flatMap(({ PublicIp }) => PublicIp ?? []),
    };
  }),
  ...lookup(
    "aws:ec2/getNetworkInterfaces:getNetworkInterfaces",
    ["filters", "tags"],
    async (args, context) => {
      const { ec2, region } = await session(context);
      const { NetworkInterfaces = [] } = await ec2.describeNetworkInterfaces({ Filters: filtersOf(args) });
      const ids = NetworkInterfaces.map(({ NetworkInterfaceId = "" }) => NetworkInterfaceId);
      return { ...args, id: region, region, ids };
    },
  ),
  ...lookup("aws:ec2/getNetworkInterface:getNetworkInterface", ["id"], async (args, context) => {
    const found = single(
      [await readInterface(String(args.id), context)].filter(isThere),
      "EC2 Network Interface",
    );
    return {
      ...args,
      region: (await session(context)).region,
      availabilityZone: found.AvailabilityZone ?? "",
      description: found.Description ?? "",
      macAddress: found.MacAddress ?? "",
      privateIp: found.PrivateIpAddress ?? "",
      ipv6Addresses: (found.Ipv6Addresses ?? []).map(({ Ipv6Address = "" }) => Ipv6Address),
      subnetId: found.SubnetId ?? "",
      tags: tagMap(found.TagSet),
      vpcId: found.VpcId ?? "",
    };
  }),
  ...lookup(
    "aws:ec2/getVpc:getVpc",
    ["id", "default", "cidrBlock", "filters", "tags"],
    async (args, context) => {
      const { ec2 } = await session(context);
      const isDefault = args.default === true ? "true" : undefined;
      const Filters = filtersOf(args, { "is-default": isDefault, cidr: args.cidrBlock });
      const answer = await unlessGone(() => ec2.describeVpcs({ VpcIds: idsOf(args.id), Filters }));
      return vpcOutputs(single(answer?.Vpcs ?? [], "EC2 VPC"), args, context);
    },
  ),
  ...lookup("aws:ec2/getSubnets:getSubnets", ["filters", "tags"], async (args, context) => {
    const { region } = await session(context);
    const found = await subnets(args, context);
    return { ...args, id: region, region, ids: found.map(({ SubnetId = "" }) => SubnetId) };
  }),
  ...lookup(
    "aws:ec2/getSubnet:getSubnet",
    ["id", "vpcId", "availabilityZone", "cidrBlock", "defaultForAz", "filters", "tags"],
    async (args, context) => subnetOutputs(single(await subnets(args, context), "EC2 Subnet"), args, context),
  ),
  ...lookup("aws:ec2/getRouteTables:getRouteTables", ["vpcId", "filters", "tags"], async (args, context) => {
    const { ec2, region } = await session(context);
    const Filters = filtersOf(args, { "vpc-id": args.vpcId });
    const { RouteTables = [] } = await ec2.describeRouteTables({ Filters });
    const ids = RouteTables.map(({ RouteTableId = "" }) => RouteTableId);
    return { ...args, id: region, region, ids };
  }),
  ...lookup(
    "aws:ec2/getRouteTable:getRouteTable",
    ["routeTableId", "vpcId", "subnetId", "filters", "tags"],
    async (args, context) => {
      const { ec2 } = await session(context);
      const Filters = filtersOf(args, { "vpc-id": args.vpcId, "association.subnet-id": args.subnetId });
      const RouteTableIds = text(args.routeTableId) === undefined ? undefined : idsOf(args.routeTableId);
      const answer = await unlessGone(() => ec2.describeRouteTables({ RouteTableIds, Filters }));
      return routeTableOutputs(single(answer?.RouteTables ?? [], "EC2 Route Table"), args, context);
    },
  ),
};
