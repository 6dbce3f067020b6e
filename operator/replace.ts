/** Command line of scripts/replace: another server in the place of a stack's BigBlueButton server. */
import { join } from "node:path";

import { Command } from "commander";

import { collect } from "../cli/collect";
import { FAILED, FINE, Mistake } from "../cli/mistake";
import { parseSets, readProjectFile } from "../cli/stackFiles";
import { runCommand } from "./commandLine";
import { IN_SANDBOX, loadSandboxStacks, PROJECT_DIR } from "./openStacks";
import { agree, say } from "./output";
import { openWorld, type Opened } from "./park/open";
import { minute } from "./park/world";
import { back } from "./replace/back";
import { recordsIn } from "./replace/journal";
import { replace } from "./replace/replace";
import { KEYS, wantedOf } from "./replace/wanted";
import { KEEP_DAYS, type World } from "./replace/world";

interface Options {
  readonly set: readonly string[];
  readonly back?: true;
  readonly endMeetings?: true;
  readonly yes?: true;
  readonly sandbox?: true;
}

const command = new Command("scripts/replace")
  .description(
    "Puts a new server in the place of a stack's BigBlueButton server: for another release, or one that is broken. Names, addresses, " +
      "secrets and the recordings volume stay; Greenlight and what was set by hand come over. The old disk is kept, with a way back.",
  )
  .argument("<stack>")
  .option(
    "--set <key=value>",
    `of the new server: ${KEYS.join(", ")}; kept in the stack's settings; repeatable`,
    collect,
    [],
  )
  .option("--back", "the old server's disk again, with the settings of before")
  .option("--end-meetings", "even while meetings run, or where it does not tell")
  .option("--yes", "without asking")
  .option("--sandbox", "a stack of the cloud inside this machine")
  .addHelpText(
    "after",
    "\nCut off anywhere, it goes on when it is run again, on the same machine." +
      "\nExit code: 0 fine, 1 something failed or is in the way, 2 a mistake in the command or its settings.",
  )
  .action(async (stack: string, options: Options) => {
    if (options.back && options.set.length > 0)
      throw new Mistake("--back has the settings of before: leave out --set");
    const opened = await openWorld(stack, options.sandbox ?? false);
    const world = worldOf(opened);
    const done = await (options.back ? goBack(world, options) : goForward(world, opened, options));
    if (!done) say("nothing was changed");
    process.exitCode = done ? FINE : FAILED;
  });

function worldOf(opened: Opened): World {
  const folder = IN_SANDBOX ? loadSandboxStacks().KEPT_DIR : join(PROJECT_DIR, ".replaced");
  return { ...opened, records: recordsIn(join(folder, opened.stack)), now: () => new Date() };
}

async function goForward(world: World, opened: Opened, options: Options): Promise<boolean> {
  const { settings, release, stacks, stack } = opened;
  const set = parseSets(options.set, readProjectFile(PROJECT_DIR).types);
  const wanted = wantedOf({ settings, release, set, context: { project: stacks.project, stack } });
  const words = Object.entries(wanted.set).map(([key, value]) => `${key}=${value}`);
  return replace(world, {
    wanted,
    endMeetings: options.endMeetings ?? false,
    confirm: () =>
      agree(
        options.yes,
        `Replace the server of ${world.bbb.fqdn}${words.length > 0 ? `, with ${words.join(", ")}` : ""}?`,
        "Nobody can meet for as long as an installation takes, half an hour or so. What no package owns, BigBlueButton's keys and Greenlight " +
          `come over; changed files of packages are named only. The old disk is kept for ${KEEP_DAYS} days.`,
      ),
  });
}

function goBack(world: World, options: Options): Promise<boolean> {
  return back(world, {
    endMeetings: options.endMeetings ?? false,
    confirm: (snapshot) =>
      agree(
        options.yes,
        `Bring the old server of ${world.bbb.fqdn} back${snapshot ? `, as it was on ${minute(snapshot.created)}` : ""}?`,
        "What was made since on the present server's own disk is lost. The recordings volume stays as it is.",
      ),
  });
}

void runCommand(command, process.argv);
