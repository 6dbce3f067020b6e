/** Drill: the last backup of a stack is restored to a test server, compared, and the test server removed. */
import { z } from "zod";

import { defaultRelease } from "../../bigbluebutton/releases";
import { Failure } from "../../cli/mistake";
import type { StackSettings } from "../../cli/stackFiles";
import { down, up, type Made } from "../testServers/change";
import { randomToken } from "../testServers/settings";
import type { World } from "../testServers/world";
import { compare, differences, foundSchema, nightSchema, type Night, type Row } from "./drillReport";
import { runOnServer, type Server } from "./server";

export interface DrillOptions {
  /** Server whose backup is tried. */
  readonly saved: Server;
  /** Connects to a test server. */
  readonly connect: (stack: string) => Promise<Server>;
  /** Settings of the stack that the test server resembles. */
  readonly like: () => Promise<StackSettings>;
  /** Further settings of the test server. */
  readonly set: StackSettings;
  readonly ttl: string;
  /** Leaves the test server, for a look around. */
  readonly keep: boolean;
}

/** Result of a drill. */
export interface Drilled {
  readonly run: string;
  readonly host: string;
  readonly testServer: string;
  readonly rows: readonly Row[];
  /** Reason why there is no comparison, or why the test server is still there. */
  readonly problems: readonly string[];
  readonly seconds: number;
}

const figuresSchema = z.object({ settings: z.looseObject({}), night: nightSchema });

/**
 * Drills. The test server goes at the end, whatever came before; killed, this leaves it to `test-server reap`.
 *
 * @throws Failure where there is no backup to try, or the saved server can't be reached
 */
export async function drill(world: World, options: DrillOptions): Promise<Drilled> {
  const { saved, keep, connect } = options;
  const { say } = world;
  const began = world.now().getTime();
  const figures = figuresSchema.parse(await documentOf(saved, ["drill.py", "figures"], say));
  const { night } = figures;
  say(`the backup ${night.run} of ${night.host} is restored to a test server`);
  const like = await options.like();
  const made = await up(world, {
    ...{ name: `drill-${randomToken()}`, ttl: options.ttl, like: () => Promise.resolve(like) },
    release: releaseFor(String(options.set.release ?? saved.access.request.release), like),
    set: { ...settingsFor(night), ...options.set },
  });
  const problems: string[] = made.problem === undefined ? [] : [made.problem];
  let rows: readonly Row[] = [];
  if (made.problem === undefined) {
    const request = `${JSON.stringify({ ...figures, host: made.hosts[0] })}\n`;
    try {
      rows = await restored(await connect(made.stack), request, night, say);
    } catch (error) {
      problems.push(`the restore: ${(error as Error).message}`);
    }
    await remember(saved, night, { rows, problems }, say).catch((error: Error) => {
      problems.push(`the result is not kept for scripts/check: ${error.message}`);
    });
  }
  if (keep) say(`the test server stays: scripts/test-server down ${made.name} removes it`);
  else problems.push(...(await remove(world, made)));
  const seconds = Math.round((world.now().getTime() - began) / 1000);
  return { run: night.run, host: night.host, testServer: made.name, rows, problems, seconds };
}

/** Release of the test server; undefined where the other stack has it already, with an installer of its own perhaps. */
function releaseFor(release: string, like: StackSettings): string | undefined {
  return release === (like.release || defaultRelease) ? undefined : release;
}

/** Room for the recordings, where they are more than a small server's disk has; Greenlight without a mail server. */
function settingsFor({ bytes, greenlight }: Night): StackSettings {
  const gigabytes = Math.ceil((bytes / 1e9) * 1.1) + 5;
  return {
    ...(bytes > 5e9 ? { recordingsGb: Math.max(10, gigabytes) } : {}),
    greenlight: greenlight !== null,
  };
}

async function restored(server: Server, input: string, night: Night, say: World["say"]): Promise<Row[]> {
  const document = await documentOf(server, ["drill.sh"], say, input);
  return compare(night, z.object({ found: foundSchema }).parse(document).found);
}

/** Keeps the result on the saved server, where its check finds it. */
async function remember(
  saved: Server,
  { run }: Night,
  outcome: Pick<Drilled, "rows" | "problems">,
  say: World["say"],
): Promise<void> {
  const { rows, problems } = outcome;
  const words = [...problems, ...(rows.length > 0 ? [differences(rows)] : [])].filter(Boolean).join("; ");
  const input = `${JSON.stringify({ ok: words === "", run, words })}\n`;
  if (!(await runOnServer(saved, { words: ["drill.py", "note"], input, onLine: say }))) {
    throw new Failure("the server says why, above");
  }
}

async function remove(world: World, { name }: Made): Promise<string[]> {
  const { outcome, reason } = await down(world, name, {
    ...{ force: true, ifThere: true, confirm: () => Promise.resolve(true) },
  });
  return outcome === "removed" || outcome === "gone"
    ? []
    : [`the test server ${name} is still there: ${reason}; scripts/test-server reap removes it in time`];
}

/** Runs a program, shows what it says, and returns its document. @throws Failure with its last line */
async function documentOf(
  server: Server,
  words: readonly [string, ...string[]],
  say: World["say"],
  input?: string,
): Promise<unknown> {
  let document: string | undefined;
  let last = "it said nothing";
  const onLine = (line: string) => {
    if (line.startsWith("{")) document = line;
    else say((last = line));
  };
  const well = await runOnServer(server, { words, input, onLine });
  if (!well || document === undefined) throw new Failure(last.replace(/^FAILED: /, ""));
  return JSON.parse(document) as unknown;
}
