import { readFileSync } from "node:fs";

import { AWS_CREDENTIALS_FILE, TOKEN_FILE } from "../../../sandbox/paths";
import { tool } from "./sandbox";
import type { Secret } from "./secrets";

/** What is left in a cloud, by kind; {} when there is nothing. */
export type Inventory = Record<string, string[]>;

/** The credentials that the sandbox gives to the engine. */
export function cloudSecrets(clouds: readonly ("hetzner" | "aws")[]): Secret[] {
  return clouds.map((cloud) =>
    cloud === "hetzner" ? ["API token", apiToken()] : ["AWS secret access key", awsAccount().secretAccessKey],
  );
}

function apiToken(): string {
  return readFileSync(TOKEN_FILE, "utf8").trim();
}

/** All that there is in the Hetzner project, as Hetzner's own client sees it. */
export function hetznerInventory(): Promise<Inventory> {
  return tool(
    "hetzner_inventory",
    { endpoint: "http://api.sandbox.test/v1", token: apiToken() },
    { as: "operator" },
  );
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

/** All that there is in the AWS account, but for what every account has: a VPC with what belongs to it, and zones. */
export async function awsInventory(): Promise<Inventory> {
  const own = { OwnerIds: ["self"] };
  const kinds: readonly (readonly [key: string, id: string, call: Call])[] = [
    ["Reservations", "", ["ec2", "describe_instances", {}]],
    ["Addresses", "PublicIp", ["ec2", "describe_addresses", {}]],
    ["NetworkInterfaces", "NetworkInterfaceId", ["ec2", "describe_network_interfaces", {}]],
    ["SecurityGroups", "GroupName", ["ec2", "describe_security_groups", {}]],
    ["KeyPairs", "KeyName", ["ec2", "describe_key_pairs", {}]],
    ["Volumes", "VolumeId", ["ec2", "describe_volumes", {}]],
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

/** EC2 goes on to show a terminated instance for a while. */
function running(reservation: Record<string, unknown>): string[] {
  const instances = reservation.Instances as { InstanceId: string; State: { Name: string } }[];
  return instances.filter(({ State }) => State.Name !== "terminated").map(({ InstanceId }) => InstanceId);
}
