/** Taking a server out of service: no meetings, nothing mounted, switched off, its disk kept. */
import { Failure } from "../../cli/mistake";
import type { Labels, Server, Snapshot, Servers } from "../servers";
import { labelsOf, type World } from "./world";

type Stopping = Pick<World, "servers" | "bbb" | "say">;

export interface Kept {
  /** Labels of the snapshot beside the server's own. */
  readonly labels: Labels;
  readonly description: string;
  /** Snapshots of earlier calls for the same use. */
  readonly before: readonly Snapshot[];
  /** True where the server was off already when this call began. */
  readonly wasOff: boolean;
}

/** Takes the snapshot; waits for the one of a call that was cut off, where nothing can have changed since. */
export async function keepDisk(
  world: Pick<World, "stacks" | "stack" | "say">,
  servers: Servers,
  server: Server,
  { labels, description, before, wasOff }: Kept,
): Promise<Snapshot> {
  const { say } = world;
  // A server is locked while its snapshot is made.
  const begun = before.find(({ available, labels }) => !available && labels.server === server.id);
  if (begun !== undefined && wasOff) {
    say(`waiting for the snapshot ${begun.id}`);
    return servers.available(begun.id);
  }
  say("making a snapshot of the server's disk, which takes some minutes");
  const all = { ...labelsOf(world, "bbb"), ...labels, server: server.id };
  const snapshot = await servers.take(server.id, all, description);
  say(
    `the snapshot ${snapshot.id} has ${snapshot.gb === undefined ? "the disk" : `${snapshot.gb.toFixed(1)} GB`}`,
  );
  return snapshot;
}

/** Stops BigBlueButton and shuts its server down. @returns true if it was off already */
export async function stop(
  { servers, bbb, say }: Stopping,
  server: Server,
  options: { readonly endMeetings: boolean },
): Promise<boolean> {
  if (!isRunning(server)) return true;
  await bbb.release(options);
  say(`shutting ${server.name} down`);
  await servers.bbb.stop(server.id);
  return false;
}

/** Refuses to end meetings, and where the server does not tell: it may only be slow. */
export async function assertQuiet(
  { bbb, say }: Stopping,
  { endMeetings }: { readonly endMeetings: boolean },
): Promise<void> {
  let count: number;
  try {
    count = await bbb.meetings();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!endMeetings) {
      throw new Failure(
        `whether meetings run on ${bbb.fqdn}, it does not tell (${reason}); nothing was changed. --end-meetings goes on all the same`,
        { cause: error },
      );
    }
    say(`whether meetings run on ${bbb.fqdn} is not known: ${reason}`);
    return;
  }
  if (count === 0) return;
  if (!endMeetings) throw meetingsRun(count, bbb.fqdn);
  say(`${meetingsOn(count, bbb.fqdn)}, and will be ended`);
}

/** Failure of a command that was not told to end meetings. */
export function meetingsRun(count: number, fqdn: string): Failure {
  return new Failure(
    `${meetingsOn(count, fqdn)}; nothing was changed. Wait for their end, or add --end-meetings`,
  );
}

function meetingsOn(count: number, fqdn: string): string {
  return `${count} meeting${count === 1 ? " runs" : "s run"} on ${fqdn}`;
}

export function isRunning({ status }: Server): boolean {
  return !["off", "stopped"].includes(status);
}
