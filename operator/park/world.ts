/** What parking and waking need of the world, which tests replace. */
import { hetznerLabels } from "../../clouds/hetzner/labels";
import type { PairRole } from "../../clouds/host";
import { parkedPurposes } from "../../clouds/hetzner/parkedLabels";
import { Mistake } from "../../cli/mistake";
import type { BigBlueButton } from "../servers/bigBlueButton";
import type { Labels, Server, Snapshot, Servers } from "../servers";
import type { Stacks } from "../stacks";

export interface World {
  readonly stacks: Pick<Stacks, "project" | "refresh" | "upAgain">;
  readonly stack: string;
  /** Servers of the cloud of each host. */
  readonly servers: Readonly<Record<PairRole, Servers>>;
  readonly bbb: BigBlueButton;
  readonly say: (line: string) => void;
}

/** True for a cloud at which a server is parked as a snapshot; at others it is stopped, and costs its disk only. */
export function takesSnapshots({ parksBy }: Servers): boolean {
  return parksBy === "snapshot";
}

/** Labels of a stack's host at a cloud. */
export function labelsOf(
  { stacks: { project }, stack }: { readonly stacks: Pick<Stacks, "project">; readonly stack: string },
  role: PairRole,
): Labels {
  return hetznerLabels({ project, stack, role });
}

/** The server of a role; undefined if there is none. @throws Mistake for several */
export async function serverOf(world: World, role: PairRole): Promise<Server | undefined> {
  const [server, ...others] = await world.servers[role].find(labelsOf(world, role));
  if (others.length === 0) return server;
  const ids = [server!, ...others].map(({ id }) => id).join(", ");
  throw new Mistake(
    `stack ${world.stack} has several ${role} servers at the cloud (${ids}): remove those that are not in use`,
  );
}

/** Snapshots of the parked BigBlueButton server, the newest first; those of a wake that was cut off among them. */
export function parkedSnapshots(
  world: Pick<World, "stacks" | "stack">,
  servers: Servers,
): Promise<readonly Snapshot[]> {
  return snapshotsFor(world, servers, parkedPurposes);
}

/** Snapshots of the BigBlueButton server with one of these labels `purpose`, the newest first. */
export async function snapshotsFor(
  world: { readonly stacks: Pick<Stacks, "project">; readonly stack: string },
  servers: Servers,
  purposes: readonly string[],
): Promise<readonly Snapshot[]> {
  const found = await servers.snapshots(labelsOf(world, "bbb"));
  return found.filter(({ labels }) => purposes.includes(labels.purpose ?? ""));
}

/** Day and time in UTC, to the minute: "2026-11-29 21:05 UTC". */
export function minute(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
