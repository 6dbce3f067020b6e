import { readFileSync } from "node:fs";

import { AWS_CREDENTIALS_FILE, TOKEN_FILE } from "../../../sandbox/paths";
import { tool } from "./sandbox";
import type { Secret } from "./secrets";

/** Remaining objects in a cloud, by kind; {} for none. */
export type Inventory = Record<string, string[]>;

/** Credentials that the sandbox gives to the engine. */
export function cloudSecrets(clouds: readonly ("hetzner" | "aws")[]): Secret[] {
  return clouds.map((cloud) =>
    cloud === "hetzner" ? ["API token", apiToken()] : ["AWS secret access key", awsAccount().secretAccessKey],
  );
}

function apiToken(): string {
  return readFileSync(TOKEN_FILE, "utf8").trim();
}

const HETZNER_API = "http://api.sandbox.test/v1";

/** All objects of the Hetzner project, by Hetzner's own client. */
export function hetznerInventory(): Promise<Inventory> {
  return tool("hetzner_inventory", { endpoint: HETZNER_API, token: apiToken() }, { as: "operator" });
}

/** Answers of the Hetzner API to these requests, refusals included. */
export function hetzner(
  ...calls: readonly (readonly [method: "GET" | "DELETE" | "POST", path: string, body?: unknown])[]
): Promise<{ status: number; body: unknown }[]> {
  return tool("hetzner_calls", { endpoint: HETZNER_API, token: apiToken(), calls }, { as: "operator" });
}

/** Replaces a record set of the sandbox's zone, like an administrator by hand; without values it removes it. */
export async function makeRecord(name: string, type: string, values: readonly string[]): Promise<void> {
  const records = values.map((value) => ({ value }));
  const answers = await hetzner(
    ["DELETE", `/zones/example.test/rrsets/${name}/${type}`],
    ...(records.length > 0
      ? [["POST", "/zones/example.test/rrsets", { name, type, ttl: 60, records }] as const]
      : []),
  );
  const made = answers.at(-1)!;
  if (records.length > 0 && made.status !== 201) throw new Error(JSON.stringify(made.body));
}

interface AwsAccount {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

function awsAccount(): AwsAccount {
  return JSON.parse(readFileSync(AWS_CREDENTIALS_FILE, "utf8")) as AwsAccount;
}

type Call = readonly [service: string, operation: string, args: Readonly<Record<string, unknown>>];
type Answer = Record<string, Record<string, unknown>[]>;

/** Answers of the AWS account to AWS's own client. */
export function aws(...calls: Call[]): Promise<Answer[]> {
  const wish = { endpoint: "http://aws.sandbox.test", region: "eu-central-1", ...awsAccount(), calls };
  return tool("aws_calls", wish, { as: "operator" });
}

/** All objects of the AWS account, except those of every account: a VPC with its parts, and zones. */
async function awsInventory(): Promise<Inventory> {
  const [identity] = await aws(["sts", "get_caller_identity", {}]);
  // moto's "self" has the images' snapshots in it.
  const own = { Filters: [{ Name: "owner-id", Values: [String(identity?.Account)] }] };
  const kinds: readonly (readonly [key: string, id: string, call: Call])[] = [
    ["Reservations", "", ["ec2", "describe_instances", {}]],
    ["Addresses", "PublicIp", ["ec2", "describe_addresses", {}]],
    ["NetworkInterfaces", "NetworkInterfaceId", ["ec2", "describe_network_interfaces", {}]],
    ["SecurityGroups", "GroupName", ["ec2", "describe_security_groups", {}]],
    ["KeyPairs", "KeyName", ["ec2", "describe_key_pairs", {}]],
    ["PlacementGroups", "GroupName", ["ec2", "describe_placement_groups", {}]],
    ["Volumes", "VolumeId", ["ec2", "describe_volumes", {}]],
    ["Images", "ImageId", ["ec2", "describe_images", own]],
    ["Snapshots", "SnapshotId", ["ec2", "describe_snapshots", own]],
    ["Policies", "PolicyId", ["dlm", "get_lifecycle_policies", {}]],
    ["Roles", "RoleName", ["iam", "list_roles", {}]],
    ["HostedZones", "Id", ["route53", "list_hosted_zones", {}]],
  ];
  const answers = await aws(...kinds.map(([, , call]) => call));
  const all = kinds.map(([key, id], index) => [key, answers[index]?.[key] ?? [], id] as const);
  const zones = all.at(-1)?.[1] ?? [];
  const records = await aws(
    ...zones.map(
      ({ Id }) =>
        ["route53", "list_resource_record_sets", { HostedZoneId: String(Id).split("/").at(-1) }] as const,
    ),
  );
  const found = Object.fromEntries(
    all
      .slice(0, -1)
      .map(([key, items, id]) => [
        key,
        items
          .flatMap((item) => (key === "Reservations" ? running(item) : [String(item[id])]))
          .filter((name) => !(key === "SecurityGroups" && name === "default")),
      ]),
  );
  found.Records = records
    .flatMap(({ ResourceRecordSets = [] }) => ResourceRecordSets)
    .filter(({ Type }) => Type !== "NS" && Type !== "SOA")
    .map(({ Name, Type }) => `${String(Name)} ${String(Type)}`);
  return Object.fromEntries(Object.entries(found).filter(([, names]) => names.length > 0));
}

/** Instances without the terminated ones, which EC2 shows for a while. */
function running(reservation: Record<string, unknown>): string[] {
  const instances = reservation.Instances as { InstanceId: string; State: { Name: string } }[];
  return instances.filter(({ State }) => State.Name !== "terminated").map(({ InstanceId }) => InstanceId);
}

/** Remaining objects in both clouds. */
export async function allInventory(): Promise<Inventory> {
  return { ...(await hetznerInventory()), ...(await awsInventory()) };
}

interface Subnet {
  readonly SubnetId: string;
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
  readonly Ipv6CidrBlockAssociationSet?: readonly unknown[];
}

async function subnets(): Promise<Subnet[]> {
  const [answer] = await aws(["ec2", "describe_subnets", {}]);
  return (answer?.Subnets ?? []) as unknown as Subnet[];
}

/** Id of a subnet of the account: the one of that name, or one without a name, with or without IPv6. */
export async function subnetWith({ name, ipv6 }: { name?: string; ipv6?: boolean }): Promise<string> {
  const nameOf = ({ Tags = [] }: Subnet) => Tags.find(({ Key }) => Key === "Name")?.Value;
  const found = (await subnets()).find(
    (subnet) =>
      nameOf(subnet) === name &&
      (ipv6 === undefined || ipv6 === (subnet.Ipv6CidrBlockAssociationSet ?? []).length > 0),
  );
  if (found === undefined) throw new Error("the account has no such subnet");
  return found.SubnetId;
}

interface RouteTable {
  readonly RouteTableId: string;
  readonly Associations: readonly { readonly Main?: boolean; readonly RouteTableAssociationId: string }[];
}

/** Deletes the default VPC with its parts. */
export async function deleteDefaultVpc(): Promise<void> {
  const [vpcs, gateways] = await aws(
    ["ec2", "describe_vpcs", { Filters: [{ Name: "is-default", Values: ["true"] }] }],
    ["ec2", "describe_internet_gateways", {}],
  );
  const { VpcId } = vpcs?.Vpcs?.[0] ?? {};
  const { InternetGatewayId } = gateways?.InternetGateways?.[0] ?? {};
  const [tables] = await aws(["ec2", "describe_route_tables", {}]);
  const own = ((tables?.RouteTables ?? []) as unknown as RouteTable[])
    .map(({ RouteTableId, Associations }) => ({
      RouteTableId,
      Associations: Associations.filter(({ Main }) => !Main),
    }))
    .filter(({ Associations }) => Associations.length > 0);
  await aws(
    ...own.flatMap(({ Associations }) =>
      Associations.map(
        ({ RouteTableAssociationId: AssociationId }) =>
          ["ec2", "disassociate_route_table", { AssociationId }] as const,
      ),
    ),
    ...own.map(({ RouteTableId }) => ["ec2", "delete_route_table", { RouteTableId }] as const),
    ...(await subnets()).map(({ SubnetId }) => ["ec2", "delete_subnet", { SubnetId }] as const),
    ["ec2", "detach_internet_gateway", { InternetGatewayId, VpcId }],
    ["ec2", "delete_internet_gateway", { InternetGatewayId }],
    ["ec2", "delete_vpc", { VpcId }],
  );
}
