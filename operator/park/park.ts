/** Parking: a server that costs nothing while nobody meets, and comes back as it was. */
import { Failure, Mistake } from "../../cli/mistake";
import type { Server, Snapshot, SnapshotServers } from "../servers";
import {
  labelsOf,
  minute,
  parkedSnapshots,
  serverOf,
  takesSnapshots,
  TURN_PARKED,
  type Purpose,
  type World,
} from "./world";

export interface ParkOptions {
  /** Parks the TURN server, too. */
  readonly withTurn: boolean;
  /** Parks even while meetings run, which that ends. */
  readonly endMeetings: boolean;
  readonly confirm: () => Promise<boolean>;
}

/**
 * Parks a stack's BigBlueButton server. Cut off anywhere, it goes on when it is called again.
 *
 * @returns false where it was not confirmed
 * @throws Failure while meetings run; Mistake where there is no server
 */
export async function park(world: World, options: ParkOptions): Promise<boolean> {
  const { servers, stack, bbb, say } = world;
  const server = await serverOf(world, "bbb");
  if (options.withTurn && !bbb.ownTurn) {
    throw new Mistake(`--with-turn: the TURN server of ${stack} is another stack's, or its own program's`);
  }
  if (server === undefined) {
    await assertParked(world);
  } else {
    if (isRunning(server)) await assertQuiet(world, options);
    if (!(await options.confirm())) return false;
  }
  if (takesSnapshots(servers.bbb)) await parkAsSnapshot(world, servers.bbb, server, options);
  else await parkStopped(world, server, options);
  say(`${stack} is parked: ./scripts/wake ${stack} brings it back`);
  return true;
}

async function parkAsSnapshot(
  world: World,
  servers: SnapshotServers,
  server: Server | undefined,
  options: ParkOptions,
): Promise<void> {
  const { stacks, stack, say } = world;
  if (server !== undefined) {
    const before = await parkedSnapshots(world, servers);
    const wasOff = await stop(world, server, options);
    const snapshot = await snapshotOf(world, servers, server, { before, wasOff, options });
    for (const { id } of before.filter(({ id }) => id !== snapshot.id)) await servers.remove(id);
    if (options.withTurn) await parkTurn(world);
    say(`deleting the server ${server.name}; its addresses and volumes stay`);
    await servers.letGo(server.id);
  } else if (options.withTurn) {
    await parkTurn(world);
  }
  await stacks.refresh(stack);
}

/** Takes the snapshot; waits for the one of a call that was cut off, where nothing can have changed since. */
async function snapshotOf(
  world: World,
  servers: SnapshotServers,
  server: Server,
  {
    before,
    wasOff,
    options,
  }: { readonly before: readonly Snapshot[]; readonly wasOff: boolean; readonly options: ParkOptions },
): Promise<Snapshot> {
  const { say, stack } = world;
  // A server is locked while its snapshot is made.
  const begun = before.find(({ available, labels }) => !available && labels.server === server.id);
  if (begun !== undefined && wasOff) {
    say(`waiting for the snapshot ${begun.id}`);
    return servers.available(begun.id);
  }
  say(`making a snapshot of the server's disk, which takes some minutes`);
  const purpose: Purpose = "parked";
  const labels = {
    ...labelsOf(world, "bbb"),
    purpose,
    server: server.id,
    ...(options.withTurn && { turn: TURN_PARKED }),
  };
  const snapshot = await servers.take(server.id, labels, `${server.name}, parked (stack ${stack})`);
  say(
    `the snapshot ${snapshot.id} has ${snapshot.gb === undefined ? "the disk" : `${snapshot.gb.toFixed(1)} GB`}`,
  );
  return snapshot;
}

async function parkStopped(world: World, server: Server | undefined, options: ParkOptions): Promise<void> {
  if (server === undefined) throw noServer(world);
  await stop(world, server, options);
  if (options.withTurn) await parkTurn(world);
}

/** Stops BigBlueButton and shuts its server down. @returns true if it was off already */
async function stop(world: World, server: Server, { endMeetings }: ParkOptions): Promise<boolean> {
  const { servers, bbb, say } = world;
  if (!isRunning(server)) return true;
  await bbb.release({ endMeetings });
  say(`shutting ${server.name} down`);
  await servers.bbb.stop(server.id);
  return false;
}

/** Parks the TURN server. It has nothing of its own: where it would cost something, it is deleted, and made anew later. */
async function parkTurn(world: World): Promise<void> {
  const servers = world.servers.turn;
  const server = await serverOf(world, "turn");
  if (server === undefined) return;
  world.say(`shutting ${server.name} down`);
  await servers.stop(server.id);
  if (takesSnapshots(servers)) await servers.letGo(server.id);
}

/** Refuses to end meetings. A server that does not answer is not parked without being told: it may only be slow. */
async function assertQuiet({ bbb, say }: World, { endMeetings }: ParkOptions): Promise<void> {
  let count: number;
  try {
    count = await bbb.meetings();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!endMeetings) {
      throw new Failure(
        `whether meetings run on ${bbb.fqdn}, it does not tell (${reason}); nothing was changed. --end-meetings parks it all the same`,
        { cause: error },
      );
    }
    say(`whether meetings run on ${bbb.fqdn} is not known: ${reason}`);
    return;
  }
  if (count === 0) return;
  const meetings = `${count} meeting${count === 1 ? " runs" : "s run"} on ${bbb.fqdn}`;
  if (!endMeetings) {
    throw new Failure(`${meetings}; nothing was changed. Wait for their end, or add --end-meetings`);
  }
  say(`${meetings}, and will be ended`);
}

/** @throws Mistake unless the server was parked before */
async function assertParked(world: World): Promise<void> {
  const { servers, say } = world;
  const [kept] = takesSnapshots(servers.bbb) ? await parkedSnapshots(world, servers.bbb) : [];
  if (kept === undefined) throw noServer(world);
  say(`parked since ${minute(kept.created)}`);
}

function noServer({ stack }: World): Mistake {
  return new Mistake(
    `stack ${stack} has no BigBlueButton server at the cloud, and no snapshot of one: pulumi refresh, then pulumi up, make it anew`,
  );
}

function isRunning({ status }: Server): boolean {
  return !["off", "stopped"].includes(status);
}
