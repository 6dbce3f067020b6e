/** Way back from a replacement: the old server's disk, with the settings of before. */
import { Failure, Mistake } from "../../cli/mistake";
import { isRunning, meetingsRun } from "../park/take";
import { serverOf, snapshotsFor } from "../park/world";
import type { Server, Snapshot } from "../servers";
import type { Journal } from "./journal";
import { REPLACED, type World } from "./world";

export interface BackOptions {
  readonly endMeetings: boolean;
  readonly confirm: (snapshot: Snapshot | undefined) => Promise<boolean>;
}

/**
 * Brings the old server back. Cut off anywhere, it goes on when it is called again. What was made since on the new server's own
 * disk is lost; recordings on the volume stay.
 *
 * @returns false where it was not confirmed
 * @throws Mistake where no disk is kept
 */
export async function back(world: World, { endMeetings, confirm }: BackOptions): Promise<boolean> {
  const { stacks, stack, servers, bbb, records, say } = world;
  const journal = records.read();
  const server = await serverOf(world, "bbb");
  const kept = await snapshotsFor(world, servers.bbb, [REPLACED]);
  const snapshot = kept.find(({ id, available }) => id === journal?.snapshot && available);
  const oldOneStands = journal !== undefined && server?.id === journal.server;
  if (journal === undefined || (snapshot === undefined && !oldOneStands)) {
    throw new Mistake(
      `no replacement of ${stack} is known here, or its old disk is not kept any more: there is nothing to go back to`,
    );
  }
  const isBack = server !== undefined && server.image === snapshot?.id;
  if (server !== undefined && !oldOneStands && !isBack) await assertNoMeetings(world, server, endMeetings);
  if (journal.direction === "forward") {
    if (!(await confirm(snapshot))) return false;
    records.write({ ...journal, direction: "back", done: false });
  }
  await stacks.configure(stack, formerSettings(journal));
  if (oldOneStands) {
    say(`the old server ${server.name} is there: it is started again`);
    if (isRunning(server)) await servers.bbb.restart(server.id);
    else await servers.bbb.start(server.id);
  } else if (server !== undefined && !isBack) {
    await release(world, server, endMeetings);
  }
  await stacks.refresh(stack);
  say(`bringing ${bbb.fqdn} back${oldOneStands ? "" : `, from the snapshot ${snapshot!.id}`}`);
  await stacks.upAgain(stack, oldOneStands ? {} : { image: snapshot!.id });
  await bbb.answers();
  for (const { id } of kept.filter(({ labels }) => labels.server === journal.server))
    await servers.bbb.remove(id);
  records.remove();
  say(`${stack} is as it was before: https://${bbb.fqdn}`);
  return true;
}

/** Takes the new server away, whatever state it is in: it may be why the way back is taken. */
async function release({ servers, bbb, say }: World, server: Server, endMeetings: boolean): Promise<void> {
  if (isRunning(server)) {
    await bbb.release({ endMeetings }).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      say(`note: ${error.message}; it is shut down all the same`);
    });
    say(`shutting ${server.name} down`);
    await servers.bbb.stop(server.id);
  }
  await servers.bbb.letGo(server.id);
}

/** Refuses to end meetings. A server that does not answer has none, and may be why the way back is taken. */
async function assertNoMeetings({ bbb, say }: World, server: Server, endMeetings: boolean): Promise<void> {
  if (!isRunning(server)) return;
  const count = await bbb.meetings().catch((error: Error) => {
    say(`note: whether meetings run on ${bbb.fqdn}, it does not tell: ${error.message}`);
    return 0;
  });
  if (count > 0 && !endMeetings) throw meetingsRun(count, bbb.fqdn);
}

function formerSettings({ former }: Journal): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(former).map(([key, value]) => [key, value ?? undefined]));
}
