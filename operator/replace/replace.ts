/** Replacement of a server in its place: names, addresses, secrets and the volume stay, and what was set by hand comes over. */
import { Failure, Mistake } from "../../cli/mistake";
import { assertQuiet, isRunning, keepDisk, stop, type Kept } from "../park/take";
import { serverOf, snapshotsFor } from "../park/world";
import type { Server } from "../servers";
import type { Journal } from "./journal";
import type { Wanted } from "./wanted";
import { KEEP_DAYS, removeOverdue, REPLACED, type World } from "./world";

export interface ReplaceOptions {
  readonly wanted: Wanted;
  readonly endMeetings: boolean;
  readonly confirm: () => Promise<boolean>;
}

/**
 * Replaces a stack's BigBlueButton server. Cut off anywhere, it goes on when it is called again.
 *
 * @returns false where it was not confirmed
 * @throws Failure while meetings run, and where a part fails: the old disk is kept by then, or the old server runs on
 */
export async function replace(world: World, options: ReplaceOptions): Promise<boolean> {
  const { stacks, stack, servers, bbb, records, say } = world;
  let journal = records.read();
  if (journal?.direction === "back") {
    throw new Mistake(
      `the way back of ${stack} was begun: ./scripts/replace ${stack} --back brings it to its end`,
    );
  }
  if (journal !== undefined && !journal.done) assertSame(world, journal, options.wanted);
  const server = await serverOf(world, "bbb");
  if (journal === undefined || journal.done) {
    const found = await begin(world, server, options);
    if (found === undefined) return false;
    journal = found;
  }
  const kept = await snapshotsFor(world, servers.bbb, [REPLACED]);
  if (server?.id === journal.server) {
    journal = await letGo(world, server, journal, { ...options, before: kept });
    const { snapshot } = journal;
    // Those of calls that were cut off. Of an earlier replacement it stays till its day.
    const same = kept.filter(({ id, labels }) => id !== snapshot && labels.server === server.id);
    for (const { id } of same) await servers.bbb.remove(id);
  } else {
    say(`going on with the replacement of ${bbb.fqdn}`);
  }
  await stacks.refresh(stack);
  say(`making the new server of ${bbb.fqdn}`);
  await stacks.upAgain(stack, {});
  const state = records.state();
  if (state === undefined)
    throw new Failure(
      `the state of the old server is not in its file any more; its disk is the snapshot ${journal.snapshot}`,
    );
  say("bringing over what was set by hand, and Greenlight");
  await bbb.importState(state);
  if (!bbb.recordingsVolume) await bbb.restoreRecordings();
  await bbb.answers();
  records.write({ ...journal, done: true });
  records.removeState();
  await removeOverdue(world, await snapshotsFor(world, servers.bbb, [REPLACED]));
  say(
    `${stack} has a new server: https://${bbb.fqdn}. The old one's disk, the snapshot ${journal.snapshot}, is kept for ${KEEP_DAYS} days: ` +
      `./scripts/replace ${stack} --back brings it back`,
  );
  return true;
}

/** Looks at everything, and asks. @returns undefined where it was not confirmed */
async function begin(
  world: World,
  server: Server | undefined,
  { wanted, endMeetings, confirm }: ReplaceOptions,
): Promise<Journal | undefined> {
  const { stack, servers, bbb, records } = world;
  if (server === undefined) {
    throw new Mistake(
      `stack ${stack} has no BigBlueButton server at the cloud: pulumi refresh, then pulumi up, make it anew, and ./scripts/restore brings back what was saved`,
    );
  }
  if (!isRunning(server)) {
    throw new Failure(
      `${server.name} is ${server.status}: start it in the cloud's console, so that what is on it can be read`,
    );
  }
  if (!bbb.recordingsVolume && !wanted.backup) {
    throw new Mistake(
      `the recordings of ${bbb.fqdn} are on the server's own disk and in no backup, and would be lost: set recordingsGb or backup before`,
    );
  }
  const { serverType, location } = wanted;
  if (!(await servers.bbb.isOffered(serverType, location))) {
    throw new Failure(
      `there is no ${serverType} to be had in ${location} at this moment; nothing was changed. Try again later, or with --set serverType=…`,
    );
  }
  await assertQuiet(world, { endMeetings });
  if (!(await confirm())) return undefined;
  const journal: Journal = {
    ...{ server: server.id, set: wanted.set, former: wanted.former },
    ...{ direction: "forward", done: false },
  };
  records.write(journal);
  return journal;
}

/**
 * Reads the old server's state, keeps its disk and deletes it.
 *
 * @param options Those of the command, and the snapshots of earlier calls.
 * @returns the journal with the snapshot
 */
async function letGo(
  world: World,
  server: Server,
  journal: Journal,
  options: ReplaceOptions & Pick<Kept, "before">,
): Promise<Journal> {
  const { stacks, stack, servers, bbb, records, now, say } = world;
  let running = server;
  if (!isRunning(server) && records.state() === undefined) {
    // Off, as after a kill, and its state was never read.
    await servers.bbb.start(server.id);
    await bbb.answers();
    running = { ...server, status: "running" };
  }
  if (isRunning(running)) {
    if (options.wanted.backup && !bbb.recordingsVolume) await bbb.backUp();
    records.writeState(await bbb.exportState());
  }
  const wasOff = await stop(world, running, options);
  const keep = Math.round(now().getTime() / 1000) + KEEP_DAYS * 86_400;
  const snapshot = await keepDisk(world, servers.bbb, server, {
    before: options.before,
    wasOff,
    labels: { purpose: REPLACED, keep: String(keep) },
    description: `${server.name}, replaced (stack ${stack})`,
  });
  const known = { ...journal, snapshot: snapshot.id };
  records.write(known);
  await stacks.configure(stack, journal.set);
  say(`deleting the old server ${server.name}; its addresses and volumes stay`);
  await servers.bbb.letGo(server.id);
  return known;
}

function assertSame({ stack }: World, { set }: Journal, { set: asked }: Wanted): void {
  const differs = Object.entries(asked).some(([key, value]) => set[key] !== value);
  if (!differs) return;
  const text = Object.entries(set).map(([key, value]) => `${key}=${value}`);
  throw new Mistake(
    `a replacement of ${stack} was begun${text.length > 0 ? ` with ${text.join(", ")}` : ""}: without --set it goes on, and with --back it is taken back`,
  );
}
