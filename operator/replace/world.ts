import type { World as ParkingWorld } from "../park/world";
import type { Snapshot } from "../servers";
import type { Stacks } from "../stacks";
import type { Records } from "./journal";

/** What a replacement needs of the world, which tests replace. */
export interface World extends Omit<ParkingWorld, "stacks"> {
  readonly stacks: ParkingWorld["stacks"] & Pick<Stacks, "configure">;
  readonly records: Records;
  readonly now: () => Date;
}

/** Label `purpose` of the kept disk of a server that was replaced. */
export const REPLACED = "replaced";

/** Days for which the old disk is kept. */
export const KEEP_DAYS = 14;

/** Removes kept disks whose days are over. */
export async function removeOverdue(
  { servers, now, say }: Pick<World, "servers" | "now" | "say">,
  kept: readonly Snapshot[],
): Promise<void> {
  for (const { id, labels } of kept) {
    if (!(Number(labels.keep) * 1000 < now().getTime())) continue;
    await servers.bbb.remove(id);
    say(`the old disk ${id}, whose ${KEEP_DAYS} days are over, is removed`);
  }
}
