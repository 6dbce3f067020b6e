import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { HETZNER_STATE_FILE } from "../../../sandbox/paths";
import { hetzner } from "./clouds";
import { STATE } from "./hosts";

/** Objects of the Hetzner project, and a stack's record of them. */

/** Object of the API, with some of the fields that all have. */
export interface CloudObject {
  /** Kind in the API's paths: "servers". */
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly protection?: Readonly<Record<string, boolean>>;
  readonly [key: string]: unknown;
}

/** Kinds of the API by the program's resource types. */
const KINDS: Readonly<Record<string, string>> = {
  "hcloud:index/server:Server": "servers",
  "hcloud:index/primaryIp:PrimaryIp": "primary_ips",
  "hcloud:index/firewall:Firewall": "firewalls",
  "hcloud:index/placementGroup:PlacementGroup": "placement_groups",
  "hcloud:index/volume:Volume": "volumes",
  "hcloud:index/storageBox:StorageBox": "storage_boxes",
  "hcloud:index/sshKey:SshKey": "ssh_keys",
  "hcloud:index/zoneRrset:ZoneRrset": "rrsets",
};

/** Kinds of AWS's objects by the program's resource types. */
export const AWS_KINDS: Readonly<Record<string, string>> = {
  "aws:ec2/instance:Instance": "instances",
  "aws:ec2/networkInterface:NetworkInterface": "interfaces",
  "aws:ec2/eip:Eip": "addresses",
  "aws:ebs/volume:Volume": "volumes",
};

const ZONE = "example.test";

/** All objects of the project except the zone itself, in full. */
export async function accountObjects(): Promise<CloudObject[]> {
  const kinds = [...new Set(Object.values(KINDS))];
  const path = (kind: string) => (kind === "rrsets" ? `/zones/${ZONE}/rrsets` : `/${kind}`);
  const answers = await hetzner(...kinds.map((kind) => ["GET", `${path(kind)}?per_page=50`] as const));
  return kinds.flatMap((kind, index) => {
    const { status, body } = answers[index]!;
    if (status !== 200) throw new Error(`${kind}: ${status} ${JSON.stringify(body)}`);
    return (body as Record<string, CloudObject[]>)
      [kind]!.map((object) => ({ ...object, kind, id: String(object.id as unknown) }))
      .filter(({ id }) => id !== "@/NS" && id !== "@/SOA");
  });
}

/** Text that compares a checkpoint with the project: "servers 4711". */
export function references(objects: readonly CloudObject[]): string[] {
  return objects.map(({ kind, id }) => `${kind} ${id}`).sort();
}

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly protect?: boolean;
}

interface Deployed {
  readonly resources?: readonly Resource[];
  readonly pending_operations?: readonly unknown[];
}

function checkpoint(stack: string): Deployed {
  const file = join(STATE, "stacks/stacks", `${stack}.json`);
  return (JSON.parse(readFileSync(file, "utf8")) as { deployment: Deployed }).deployment;
}

/** References of a stack's checkpoint to objects of these kinds, by default the project's. @throws for an unfinished operation */
export function checkpointReferences(stack: string, kinds = KINDS): string[] {
  const { resources = [], pending_operations: pending = [] } = checkpoint(stack);
  expect(pending).toEqual([]);
  return resources.flatMap(({ type, id }) => (kinds[type] ? [`${kinds[type]} ${id}`] : [])).sort();
}

/** Names of a stack's protected resources. */
export function protectedNames(stack: string): string[] {
  return (checkpoint(stack).resources ?? [])
    .filter(({ protect }) => protect)
    .map(({ urn }) => urn.split("::").at(-1)!)
    .sort();
}

interface EmulatedProject {
  readonly [collection: string]: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Emulated project on disk at this moment, in the emulator's own form; empty before there is one. */
export function projectNow(): EmulatedProject {
  if (!existsSync(HETZNER_STATE_FILE)) return {};
  return JSON.parse(readFileSync(HETZNER_STATE_FILE, "utf8")) as EmulatedProject;
}
