import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { HETZNER_STATE_FILE } from "../../../sandbox/paths";
import { hetzner } from "./clouds";
import { STATE } from "./hosts";

/** What is in the Hetzner project, and what a stack's checkpoint says of it. */

/** An object of the API, with some of what they have in common. */
export interface CloudObject {
  /** As in the API's paths: "servers". */
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly protection?: Readonly<Record<string, boolean>>;
  readonly [key: string]: unknown;
}

/** Kinds of the API by the types that the program makes of them. */
const KINDS: Readonly<Record<string, string>> = {
  "hcloud:index/server:Server": "servers",
  "hcloud:index/primaryIp:PrimaryIp": "primary_ips",
  "hcloud:index/firewall:Firewall": "firewalls",
  "hcloud:index/volume:Volume": "volumes",
  "hcloud:index/sshKey:SshKey": "ssh_keys",
  "hcloud:index/zoneRrset:ZoneRrset": "rrsets",
};

const ZONE = "example.test";

/** Everything in the project but for the zone itself, in full. */
export async function accountObjects(): Promise<CloudObject[]> {
  const kinds = [...new Set(Object.values(KINDS))];
  const path = (kind: string) => (kind === "rrsets" ? `/zones/${ZONE}/rrsets` : `/${kind}`);
  const answers = await hetzner(...kinds.map((kind) => ["GET", `${path(kind)}?per_page=50`] as const));
  return kinds.flatMap((kind, index) => {
    const { status, body } = answers[index]!;
    if (status !== 200) throw new Error(`${kind}: ${status} ${JSON.stringify(body)}`);
    return (body as Record<string, CloudObject[]>)
      [kind]!.map((object) => ({ ...object, kind, id: String(object.id) }))
      .filter(({ id }) => id !== "@/NS" && id !== "@/SOA");
  });
}

/** "servers 4711": what a checkpoint and the project are compared by. */
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

/** What a stack's checkpoint holds of the project. Whatever it is in the middle of is an error. */
export function checkpointReferences(stack: string): string[] {
  const { resources = [], pending_operations: pending = [] } = checkpoint(stack);
  expect(pending).toEqual([]);
  return resources.flatMap(({ type, id }) => (KINDS[type] ? [`${KINDS[type]} ${id}`] : [])).sort();
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

/** The emulated project as it is on disk at this moment, in the emulator's own form; empty before there is one. */
export function projectNow(): EmulatedProject {
  if (!existsSync(HETZNER_STATE_FILE)) return {};
  return JSON.parse(readFileSync(HETZNER_STATE_FILE, "utf8")) as EmulatedProject;
}
