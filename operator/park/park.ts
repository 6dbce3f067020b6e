/** Parking: a server that costs nothing while nobody meets, and comes back as it was. */
import { Mistake } from "../../cli/mistake";
import { TURN_PARKED, type Purpose } from "../../clouds/hetzner/parkedLabels";
import type { Server, Servers } from "../servers";
import { assertQuiet, isRunning, keepDisk, stop } from "./take";
import { minute, parkedSnapshots, serverOf, takesSnapshots, type World } from "./world";

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
  servers: Servers,
  server: Server | undefined,
  options: ParkOptions,
): Promise<void> {
  const { stacks, stack, say } = world;
  if (server !== undefined) {
    const before = await parkedSnapshots(world, servers);
    const wasOff = await stop(world, server, options);
    const purpose: Purpose = "parked";
    const snapshot = await keepDisk(world, servers, server, {
      ...{ before, wasOff, description: `${server.name}, parked (stack ${stack})` },
      labels: { purpose, ...(options.withTurn && { turn: TURN_PARKED }) },
    });
    for (const { id } of before.filter(({ id }) => id !== snapshot.id)) await servers.remove(id);
    if (options.withTurn) await parkTurn(world);
    say(`deleting the server ${server.name}; its addresses and volumes stay`);
    await servers.letGo(server.id);
  } else if (options.withTurn) {
    await parkTurn(world);
  }
  await stacks.refresh(stack);
}

async function parkStopped(world: World, server: Server | undefined, options: ParkOptions): Promise<void> {
  if (server === undefined) throw noServer(world);
  await stop(world, server, options);
  if (options.withTurn) await parkTurn(world);
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
