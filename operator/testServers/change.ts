/** Makes test servers, changes their expiry, and takes them down. */
import { randomToken, checkSettings, stackOf, testServerSettings } from "./settings";
import { defaultRelease } from "../../bigbluebutton/releases";
import type { CloudObject } from "../inventory";
import { Failure, Mistake } from "../../cli/mistake";
import type { Change } from "../../cli/pulumiEvents";
import type { StackSettings } from "../../cli/stackFiles";
import { UpdateFailed } from "../stacks";
import { fromEpoch, iso, parseTtl, relative, toEpoch } from "./duration";
import { ANY_CERTIFICATE, runningMeetings } from "../../bigbluebutton/meetings";
import { poolServers, useOf, type PoolServer } from "../poolServers";
import { FAR_FUTURE, removeCutOff, retire, type Retirement } from "./retire";
import { leftovers, nameOf, objectsOf, type TestServer } from "./survey";
import { INTERRUPTED, listAll, look, type World } from "./world";

export interface UpOptions {
  /** Time to live, e.g. "4h". @default 4h for a new one or an expired one, else the present one */
  readonly ttl?: string;
  readonly name?: string;
  readonly release?: string;
  readonly cloud?: string;
  readonly set: StackSettings;
  /** Makes a new one from the cloud's own Ubuntu, not from a baked image where there is one. */
  readonly stock?: boolean;
  /** Settings of the stack that a new one resembles. */
  readonly like: () => Promise<StackSettings>;
}

/** Test server after `up`. */
export interface Made {
  readonly name: string;
  readonly stack: string;
  readonly url: string;
  readonly hosts: readonly string[];
  readonly release: string;
  readonly expires: Date;
  /** Reason why it is not complete. */
  readonly problem?: string;
}

const DEFAULT_TTL = "4h";

/** Makes a test server, or continues with one of that name. */
export async function up(world: World, options: UpOptions): Promise<Made> {
  const ttl = parseTtl(options.ttl ?? DEFAULT_TTL);
  const token = randomToken();
  const stack = stackOf(options.name ?? token);
  const { stacks, now, say } = world;
  const exists = (await stacks.list()).some(({ name }) => name === stack);
  const later = new Date(now().getTime() + ttl * 1000);
  const settings = exists
    ? goneOnWith(stack, await stacks.settings(stack), options, later, now())
    : testServerSettings({ ...options, like: await options.like(), expires: later, token });
  checkSettings(settings);
  // That there are credentials, and that they are right, is better known now than in the middle of it.
  const inventories = await world.inventories([settings]);
  const objects = await listAll(inventories, stacks.project);
  if (!exists) assertFree(stack, objects);
  const made = describe(stack, settings);
  say(
    `${stack}: ${exists ? "going on with" : "making"} ${made.hosts.join(" and ")}; ` +
      `expires ${iso(made.expires)}, ${relative(made.expires, now())}`,
  );
  if (exists && !stacks.resumesKilledUpdates) {
    // An engine that knows nothing of these would fail on their names. A volume or a box may hold something by now.
    const own = leftovers(stack, objects, FAR_FUTURE).filter(
      ({ type }) => type !== "volume" && type !== "storage-box",
    );
    await removeCutOff(world, stack, inventories, own);
  }
  if (world.interrupted()) throw new Failure(`${stack}: ${INTERRUPTED}`);
  try {
    await stacks.up(stack, settings);
    return made;
  } catch (error) {
    if (!(error instanceof UpdateFailed)) throw error;
    return { ...made, problem: error.message };
  }
}

/**
 * Refuses a name whose objects have no stack. A killed `up` leaves a stack, which exists before any resource of it;
 * objects without one are somebody else's, and the next `up` would take them for its own.
 */
function assertFree(stack: string, objects: readonly CloudObject[]): void {
  const theirs = objectsOf(stack, objects);
  if (theirs.length === 0) return;
  const name = nameOf(stack);
  throw new Mistake(
    `--name ${name}: that name is in use at the cloud, by ${abridged(theirs.map(({ type, name }) => `${type} ${name}`))}, ` +
      "of a stack that is not known here: choose another --name; or, where that stack is lost, " +
      "remove what is left of it first: test-server reap --orphans --remove",
  );
}

function goneOnWith(
  stack: string,
  settings: StackSettings,
  options: UpOptions,
  later: Date,
  now: Date,
): StackSettings {
  const expires = fromEpoch(settings.expires);
  if (expires === undefined)
    throw new Mistake(`stack ${stack} is there already, and is no test server: choose another --name`);
  for (const key of ["release", "cloud"] as const) {
    const asked = options[key];
    if (asked !== undefined && asked !== (settings[key] || DEFAULTS[key])) {
      throw new Mistake(
        `test server ${nameOf(stack)} is there already, with another ${key}: take it down first, or choose another --name`,
      );
    }
  }
  for (const key of ["environment", "hostname", "turnHostname", "expires"]) {
    if (key in options.set) throw new Mistake(`--set ${key}: a test server has its own ${key}, leave it out`);
  }
  const stays = options.ttl === undefined && expires > now;
  return { ...settings, ...options.set, expires: stays ? settings.expires : toEpoch(later) };
}

const DEFAULTS = { release: defaultRelease, cloud: "hetzner" } as const;

function describe(stack: string, settings: StackSettings): Made {
  const fqdn = (host: unknown) => `${String(host)}.${String(settings.domain)}`;
  return {
    name: nameOf(stack),
    stack,
    url: `https://${fqdn(settings.hostname)}`,
    hosts: [fqdn(settings.hostname), fqdn(settings.turnHostname)],
    release: String(settings.release || DEFAULTS.release),
    expires: fromEpoch(settings.expires)!,
  };
}

// --- extend ----------------------------------------------------------------------------------------------------

/** Largest distance of an expiry; more is a mistake. */
const LONGEST_MS = 30 * 86_400_000;

/**
 * Extends a test server's life: its labels change, and nothing else.
 *
 * @returns its new expiry
 * @throws Failure for an update that would change more than that
 */
export async function extend(
  world: World,
  name: string,
  ttl: string,
): Promise<Pick<Made, "name" | "stack" | "expires">> {
  const seconds = parseTtl(ttl);
  const { stacks, now, say } = world;
  const { stack } = await find(world, name);
  const settings = await stacks.settings(stack);
  const planned = fromEpoch(settings.expires);
  const from = planned !== undefined && planned > now() ? planned : now();
  const expires = new Date(from.getTime() + seconds * 1000);
  if (expires.getTime() > now().getTime() + LONGEST_MS) {
    throw new Mistake(`--ttl ${ttl}: ${name} would stay more than 30 days from now; extend it again later`);
  }
  const wanted = { ...settings, expires: toEpoch(expires) };
  const more = (await stacks.preview(stack, wanted)).filter((change) => !changesLabelsOnly(change));
  if (more.length > 0) {
    throw new Failure(
      `${stack} is not complete, or the program has changed since: more than labels would change ` +
        `(${abridged(more.map(({ name, step }) => `${step} ${name}`))}). ` +
        `To have all of it done, and the expiry with it: test-server up --name ${nameOf(stack)} --ttl ${ttl}`,
    );
  }
  await stacks.up(stack, wanted);
  say(`${stack}: expires ${iso(expires)}, ${relative(expires, now())}`);
  return { name: nameOf(stack), stack, expires };
}

function abridged(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(", ");
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
}

/** True for a change of labels or tags only, which touches nothing that runs. */
export function changesLabelsOnly({ step, paths }: Change): boolean {
  return (
    step === "update" &&
    paths.length > 0 &&
    paths.every((path) => /(^|[.\]])(labels|tags|tagsAll|volumeTags)(\.|\[|$)/.test(path))
  );
}

// --- down ------------------------------------------------------------------------------------------------------

export interface DownOptions {
  /** Takes it down even during meetings. */
  readonly force: boolean;
  /** Accepts a server that doesn't exist, for a scheduler or a CI job: the reap may have been faster. */
  readonly ifThere?: boolean;
  readonly confirm: (server: TestServer) => Promise<boolean>;
  /** Reads the running meetings. @default the server's own API */
  readonly meetings?: typeof runningMeetings;
  /** Finds the servers of a pool. @default those of the stack's outputs */
  readonly pool?: typeof poolServers;
}

/** Takes a test server down. @throws Mistake for one that doesn't exist; Failure while meetings run on it */
export async function down(world: World, name: string, options: DownOptions): Promise<Retirement> {
  const server = await find(world, name).catch((error: unknown) => {
    if (options.ifThere && error instanceof NoSuchServer) return undefined;
    throw error;
  });
  if (server === undefined)
    return { stack: stackOf(name), outcome: "gone", reason: "there is no such test server" };
  const { stack } = server;
  await assertQuiet(world, stack, options);
  if (!(await options.confirm(server)))
    return { stack, outcome: "failed", reason: "not confirmed; nothing was removed" };
  const settings = await world.stacks.settings(stack);
  world.say(`${stack}: removing`);
  return retire(world, stack, { inventories: await world.inventories([settings]), onlyExpired: false });
}

/** Refuses during meetings. A server that does not answer counts as without meetings, and is no reason to keep it. */
async function assertQuiet(world: World, stack: string, options: DownOptions): Promise<void> {
  const { stacks, say } = world;
  const outputs = await stacks.outputs(stack, { showSecrets: true });
  const pool = (options.pool ?? poolServers)(stack, outputs);
  if (pool) return assertQuietPool(world, stack, pool, options.force);
  const { apiUrl, sharedSecret } = outputs;
  if (typeof apiUrl !== "string" || typeof sharedSecret !== "string") {
    say(`${stack}: its deployment was never completed, so no meetings are looked for`);
    return;
  }
  let count: number;
  try {
    count = await (options.meetings ?? runningMeetings)(apiUrl, sharedSecret, ANY_CERTIFICATE);
  } catch (error) {
    say(`${stack}: whether meetings run on it is not known: ${(error as Error).message}`);
    return;
  }
  if (count === 0) return;
  const meetings = count === 1 ? "1 meeting is" : `${count} meetings are`;
  if (!options.force)
    throw new Failure(
      `${meetings} running on ${nameOf(stack)}: add --force to end ${count === 1 ? "it" : "them"} with the server`,
    );
  say(`${stack}: ${meetings} running, and will be ended`);
}

/** Seconds after which an ended meeting must be gone. */
const END_SECONDS = 60;

/**
 * Refuses while something runs on a server of a pool, by its own account. By force its meetings are ended: nothing else
 * opens the gate of the pool itself.
 */
async function assertQuietPool(
  { say, sleep }: World,
  stack: string,
  servers: readonly PoolServer[],
  force: boolean,
): Promise<void> {
  const { running, silent } = await useOf(servers);
  for (const line of silent) say(`${stack}: ${line}`);
  if (running.length === 0) return;
  if (!force) {
    throw new Failure(
      `${nameOf(stack)} is in use, ${running.join("; ")}: add --force to end the meetings with it`,
    );
  }
  say(`${stack}: ${running.join("; ")}; meetings will be ended`);
  await Promise.all(servers.map((server) => server.endMeetings().catch(() => undefined)));
  for (let waited = 0; waited < END_SECONDS && (await useOf(servers)).running.length > 0; waited += 2)
    await sleep(2);
}

/** Error for a name with neither a stack nor anything at the clouds. */
class NoSuchServer extends Mistake {}

/** Finds the test server of a name, which must have a stack. */
async function find(world: World, name: string): Promise<TestServer> {
  const stack = stackOf(name);
  const { servers, kept, views } = await look(world);
  const { unread } = views.find(({ info }) => info.name === stack) ?? {};
  if (unread !== undefined) throw unread;
  const found = servers.find((server) => server.stack === stack);
  if (found?.state === "orphaned") {
    throw new Mistake(
      `test server ${nameOf(stack)} has no stack here, only resources at the cloud: see test-server reap --orphans`,
    );
  }
  if (found !== undefined) return found;
  if (kept.includes(stack)) throw new Mistake(`stack ${stack} has no expiry, so it is no test server`);
  const names = servers.filter(({ state }) => state !== "orphaned").map(({ name }) => name);
  throw new NoSuchServer(
    `there is no test server ${nameOf(stack)}${names.length > 0 ? `: there are ${names.join(", ")}` : ", and no other"}`,
  );
}
