import { ROUTE53_ZONE } from "../network/addresses";
import { alter, describe } from "./cloud";
import type { Journal } from "./journal";
import { child, items, text } from "./xml";

/**
 * Objects that exist before any deployment. moto's default VPC has three subnets and, as EC2 makes one, an internet
 * gateway and a route to it; only the first zone's subnet has IPv6. Another subnet has no way out. The user's zone
 * exists.
 */
export async function seed(journal: Journal): Promise<void> {
  const cloud = { journal };
  // The first request makes moto's own default VPC, so it has to have a seed too.
  await alter(cloud, "CreateInternetGateway");
  const gateway = id(
    await describe(cloud, "DescribeInternetGateways"),
    "internetGatewaySet",
    "internetGatewayId",
  );
  const vpc = id(await describe(cloud, "DescribeVpcs"), "vpcSet", "vpcId");
  const table = id(await describe(cloud, "DescribeRouteTables"), "routeTableSet", "routeTableId");
  const subnets = items((await describe(cloud, "DescribeSubnets")).subnetSet);
  const zones = subnets.map((subnet) => text(subnet.availabilityZone)).sort();
  const first = subnets.find((subnet) => text(subnet.availabilityZone) === zones[0]);

  await alter(cloud, "AttachInternetGateway", { InternetGatewayId: gateway, VpcId: vpc });
  const out = { RouteTableId: table, GatewayId: gateway };
  await alter(cloud, "CreateRoute", { ...out, DestinationCidrBlock: "0.0.0.0/0" });
  await alter(cloud, "AssociateVpcCidrBlock", { VpcId: vpc, AmazonProvidedIpv6CidrBlock: "true" });
  const block = await describe(cloud, "DescribeVpcs", { "VpcId.1": vpc });
  const association = items(items(block.vpcSet)[0]?.ipv6CidrBlockAssociationSet)[0];
  const ipv6 = text(association?.ipv6CidrBlock).replace(/::\/56$/, "::/64");
  await alter(cloud, "AssociateSubnetCidrBlock", { SubnetId: text(first?.subnetId), Ipv6CidrBlock: ipv6 });
  await alter(cloud, "CreateRoute", { ...out, DestinationIpv6CidrBlock: "::/0" });

  const made = await alter(cloud, "CreateSubnet", {
    VpcId: vpc,
    CidrBlock: "172.31.128.0/20",
    AvailabilityZone: zones[0] ?? "",
    ...nameTag("subnet", "private"),
  });
  const inside = await alter(cloud, "CreateRouteTable", { VpcId: vpc, ...nameTag("route-table", "private") });
  await alter(cloud, "AssociateRouteTable", {
    RouteTableId: text(child(inside.routeTable).routeTableId),
    SubnetId: text(child(made.subnet).subnetId),
  });

  const zone = `<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>${ROUTE53_ZONE}.</Name><CallerReference>sandbox</CallerReference></CreateHostedZoneRequest>`;
  const answer = await journal.change({
    service: "route53",
    method: "POST",
    path: "/2013-04-01/hostedzone",
    contentType: "application/xml",
    body: zone,
  });
  if (answer.status !== 201) throw new Error(`zone ${ROUTE53_ZONE}: ${answer.body}`);
}

function id(answer: Awaited<ReturnType<typeof describe>>, list: string, name: string): string {
  const [found] = items(answer[list]);
  if (!found) throw new Error(`moto has no ${name}`);
  return text(found[name]);
}

function nameTag(kind: string, name: string): Record<string, string> {
  return {
    "TagSpecification.1.ResourceType": kind,
    "TagSpecification.1.Tag.1.Key": "Name",
    "TagSpecification.1.Tag.1.Value": name,
  };
}
