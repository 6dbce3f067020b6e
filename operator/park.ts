/** Command line of scripts/park: a server that costs nothing while nobody meets. */
import { Command } from "commander";

import { FAILED, FINE, Mistake } from "../cli/mistake";
import { runCommand } from "./commandLine";
import { agree, say } from "./output";
import { openWorld, type Opened } from "./park/open";
import { park } from "./park/park";
import { savingsOf, savingsText } from "./park/savings";
import { parkedSnapshots, minute, serverOf, takesSnapshots } from "./park/world";
import { parseSettings } from "../settings";
import { SettingsError } from "../settings/problems";

interface Options {
  readonly withTurn?: true;
  readonly endMeetings?: true;
  readonly discard?: true;
  readonly yes?: true;
  readonly sandbox?: true;
}

const command = new Command("scripts/park")
  .description(
    "Parks a stack's BigBlueButton server while nobody meets: at Hetzner it becomes a snapshot of its own disk and is deleted, at " +
      "AWS it is stopped. Names, addresses, secrets and volumes stay. scripts/wake brings it back as it was.",
  )
  .argument("<stack>")
  .option("--with-turn", "the TURN server, too, if no other stack uses it")
  .option("--end-meetings", "even while meetings run, or where it does not tell")
  .option("--discard", "remove the snapshot of a parked server for good, instead of waking it")
  .option("--yes", "without asking")
  .option("--sandbox", "a stack of the cloud inside this machine")
  .addHelpText(
    "after",
    "\nCut off anywhere, it goes on when it is run again." +
      "\nExit code: 0 fine, 1 something failed or is in the way, 2 a mistake in the command or no such stack.",
  )
  .action(async (stack: string, options: Options) => {
    const world = await openWorld(stack, options.sandbox ?? false);
    process.exitCode = (await (options.discard ? discard(world, options) : parkIt(world, options)))
      ? FINE
      : FAILED;
  });

async function parkIt(world: Opened, { withTurn, endMeetings, yes }: Options): Promise<boolean> {
  const { stack, settings, bbb } = world;
  if (withTurn && Array.isArray(settings.turnPeers) && settings.turnPeers.length > 0) {
    throw new Mistake(
      `--with-turn: servers of other stacks use this TURN server (turnPeers); leave the option out`,
    );
  }
  const done = await park(world, {
    withTurn: withTurn ?? false,
    endMeetings: endMeetings ?? false,
    confirm: () => agree(yes, `Park ${bbb.fqdn}${withTurn ? " and its TURN server" : ""}?`, costs(world)),
  });
  if (!done) say("nothing was changed");
  else if (!takesSnapshots(world.servers.bbb))
    say(`until then pulumi up of ${stack} waits in vain for its server`);
  return done;
}

/** Costs of the server, running and parked; nothing where its settings or its price are not known. */
function costs({ settings, stacks: { project }, stack }: Opened): string {
  const own = Object.fromEntries(Object.entries(settings).filter(([key]) => !key.includes(":")));
  try {
    const savings = savingsOf(parseSettings(own, { project, stack }));
    return savings === null ? "" : savingsText(savings);
  } catch (error) {
    // Mistakes in settings have changed nothing of what runs.
    if (error instanceof SettingsError) return "";
    throw error;
  }
}

async function discard(world: Opened, { yes }: Options): Promise<boolean> {
  const { stack, servers, bbb } = world;
  const found = takesSnapshots(servers.bbb) ? await parkedSnapshots(world, servers.bbb) : [];
  const [newest] = found;
  if (newest === undefined) throw new Mistake(`stack ${stack} has no snapshot of a parked server`);
  const there = await serverOf(world, "bbb");
  const lost = there ? "The server itself is there." : "All that is on the server's disk is lost with it.";
  const asked = await agree(
    yes,
    `Remove the snapshot of ${bbb.fqdn} of ${minute(newest.created)} for good?`,
    lost,
  );
  if (!asked) {
    say("nothing was changed");
    return false;
  }
  for (const { id } of found) await servers.bbb.remove(id);
  say(there ? "removed" : `removed: pulumi up of ${stack} makes an empty server`);
  return true;
}

void runCommand(command, process.argv);
