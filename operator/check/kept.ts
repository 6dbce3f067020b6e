import { parkedPurposes } from "../../clouds/hetzner/parkedLabels";
import { minute, snapshotsFor } from "../park/world";
import { REPLACED } from "../replace/world";
import type { CloudName } from "../inventory";
import type { Snapshot } from "../servers";
import type { Stacks } from "../stacks";
import { ask, Doubtful, worst, type Finding } from "./finding";
import type { OpenServers } from "./parked";

/** Finding about a cloud. */
export interface KeptFinding {
  readonly cloud: CloudName;
  readonly finding: Finding;
}

/** Uses of a snapshot for which none is left in order; one that was replaced is kept till its day. */
const PURPOSES = [...parkedPurposes, REPLACED];

/**
 * Tells of the snapshots of a server that runs: of the way back from a replacement, and of those that cost for nothing.
 *
 * @returns undefined without any, and where the cloud can't be asked
 */
export async function keptSnapshots(
  world: { readonly stacks: Pick<Stacks, "project">; readonly stack: string },
  open: OpenServers,
  now: Date,
): Promise<KeptFinding | undefined> {
  try {
    const { bbb } = await open();
    const found = await snapshotsFor(world, bbb, PURPOSES);
    if (found.length === 0) return undefined;
    const finding = await ask("kept disks", "snapshots of the server", () =>
      worst(found.map((one) => judge(world.stack, one, now))),
    );
    return { cloud: bbb.cloud, finding };
  } catch {
    return undefined;
  }
}

function judge(stack: string, { id, created, labels }: Snapshot, now: Date): string | Doubtful {
  const of = `the snapshot ${id} of ${minute(created)}`;
  if (labels.purpose !== "replaced") {
    return new Doubtful(
      `${of} is left of a parked server, and costs`,
      `./scripts/wake ${stack} removes it once the server works, ./scripts/park ${stack} --discard at once`,
    );
  }
  const until = new Date(Number(labels.keep) * 1000);
  if (until >= now) return `${of}, the way back from a replacement, is kept until ${minute(until)}`;
  return new Doubtful(
    `${of}, the way back from a replacement, should have gone on ${minute(until)}, and costs`,
    "delete it in the cloud's console, or by the next ./scripts/replace",
  );
}
