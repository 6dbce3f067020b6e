/** Waking: the server that was parked, as it was. */
import { Mistake } from "../../cli/mistake";
import type { Purpose } from "../../clouds/hetzner/parkedLabels";
import type { Server, Snapshot, Servers } from "../servers";
import { labelsOf, minute, parkedSnapshots, serverOf, takesSnapshots, type World } from "./world";

export interface WakeOptions {
  readonly confirm: (since: Date | undefined) => Promise<boolean>;
}

/**
 * Wakes a stack's parked servers, and waits until they work. Cut off anywhere, it goes on when it is called again.
 *
 * @returns false where it was not confirmed
 * @throws Mistake where nothing is parked; UpdateFailed where the server does not work, whose snapshot then stays
 */
export async function wake(world: World, { confirm }: WakeOptions): Promise<boolean> {
  const { servers, stack, bbb, say } = world;
  const server = await serverOf(world, "bbb");
  const kept = takesSnapshots(servers.bbb) ? await parkedSnapshots(world, servers.bbb) : [];
  if (kept.length === 0 && server?.status === "running") {
    say(`${bbb.fqdn} runs already`);
    return true;
  }
  if (kept.length === 0 && server === undefined) {
    throw new Mistake(
      `nothing of stack ${stack} is parked: pulumi refresh, then pulumi up, make its server anew`,
    );
  }
  if (!(await confirm(kept[0]?.created ?? server?.stopped))) return false;
  if (takesSnapshots(servers.bbb)) await wakeFromSnapshot(world, servers.bbb, server, kept);
  else await start(world, servers.bbb, server!);
  say(`${stack} is awake: https://${bbb.fqdn}`);
  return true;
}

async function wakeFromSnapshot(
  world: World,
  servers: Servers,
  server: Server | undefined,
  kept: readonly Snapshot[],
): Promise<void> {
  const { stacks, stack, bbb, say } = world;
  const snapshot = kept.find(({ available }) => available);
  const parkingWasCutOff = server !== undefined && !kept.some(({ id }) => id === server.image);
  if (snapshot === undefined && !parkingWasCutOff) {
    throw new Mistake(`the snapshot of ${bbb.fqdn} is not ready yet: try again in some minutes`);
  }
  // From here on, the program may make servers again.
  for (const { id, labels } of kept) {
    const purpose: Purpose = "waking";
    await servers.relabel(id, { ...labels, purpose });
  }
  if (parkingWasCutOff) {
    say(`${server.name} was not parked to the end: it is started again`);
    if (server.status === "off") await servers.start(server.id);
    else await servers.restart(server.id);
  } else {
    say(`making ${bbb.fqdn} from the snapshot ${snapshot!.id} of ${minute(snapshot!.created)}`);
  }
  await startTurn(world);
  await stacks.refresh(stack);
  await stacks.upAgain(stack, parkingWasCutOff ? {} : { image: snapshot!.id });
  if (parkingWasCutOff) await bbb.answers();
  for (const { id } of kept) await servers.remove(id);
}

/** Starts servers that are stopped. */
async function start(world: World, servers: World["servers"]["bbb"], server: Server): Promise<void> {
  const { stacks, stack, bbb, say } = world;
  say(`starting ${server.name}`);
  await servers.start(server.id);
  await startTurn(world);
  // A TURN server at another cloud may have been deleted.
  if (takesSnapshots(world.servers.turn)) {
    await stacks.refresh(stack);
    await stacks.upAgain(stack, {});
  }
  await bbb.renew();
  await bbb.answers();
}

/** Starts the TURN server, if it is there and stopped. One that was deleted is made by the program. */
async function startTurn(world: World): Promise<void> {
  if (!world.bbb.ownTurn) return;
  const servers = world.servers.turn;
  const [server] = await servers.find(labelsOf(world, "turn"));
  if (server === undefined || !["off", "stopped"].includes(server.status)) return;
  world.say(`starting ${server.name}`);
  await servers.start(server.id);
}
