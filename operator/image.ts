/** Command line of scripts/image: images from which servers are made in minutes. */
import { Command, InvalidArgumentError, Option } from "commander";

import { collect } from "../cli/collect";
import { FAILED, FINE, Mistake } from "../cli/mistake";
import { parseSets, readProjectFile, type StackSettings } from "../cli/stackFiles";
import { terminalWidth } from "../cli/width";
import type { PairRole } from "../clouds/host";
import { runCommand } from "./commandLine";
import { bake } from "./images/bake";
import { openImages } from "./images/open";
import { beyond } from "./images/prune";
import * as render from "./images/render";
import { sealHost } from "./images/sealHost";
import { imagesAt, type Image } from "./images/store";
import type { Servers } from "./servers";
import { openServers } from "./servers/open";
import type { Stacks } from "./stacks";
import type { CloudName } from "./inventory";
import { openStacks, PROJECT_DIR } from "./openStacks";
import { takeInterrupts } from "./interrupts";
import { agree, printJson, say } from "./output";
import { parseTtl } from "./testServers/duration";
import { assertLike, defaultLike, settingsLike } from "./testServers/like";
import { openWorld } from "./testServers/open";
import { stackOf } from "./testServers/settings";

interface Common {
  readonly json?: true;
  readonly sandbox?: true;
  readonly cloud?: CloudName;
  readonly like?: string;
}

interface BakeArguments extends Common {
  readonly release?: string;
  readonly role?: PairRole;
  readonly name?: string;
  readonly ttl?: string;
  readonly set: string[];
}

const program = new Command("scripts/image")
  .description(
    "Images of installed servers, without anything that is one server's own. docs/images.md says what they are good for.",
  )
  .addHelpText(
    "after",
    "\nExit code: 0 fine, 1 something failed or is left, 2 a mistake in the command or its settings.",
  )
  .showSuggestionAfterError();

on("bake", "make images: deploy a test server, seal its hosts, store their disks, take it down")
  .option("--release <release>", "the BigBlueButton release; default: that of the stack that it is made like")
  .addOption(
    new Option("--role <role>", "an image of this host alone; default: of both").choices(["bbb", "turn"]),
  )
  .option("--name <name>", "of the test server; default: image- and the release")
  .option("--ttl <time>", "how long the test server lives where something fails: 4h")
  .option("--set <key=value>", "a setting of the program, lists as JSON; repeatable", collect, [])
  .action(async (options: BakeArguments) => {
    const set = parseSets(options.set, readProjectFile(PROJECT_DIR).types);
    if (options.ttl !== undefined) parseTtl(options.ttl);
    if (options.name !== undefined) stackOf(options.name);
    if (options.like !== undefined) assertLike(options.like);
    const stacks = await openStacks(options.sandbox ?? false, process.stderr);
    const like = () => likeSettings(stacks, options);
    const world = openWorld(stacks, { cloud: options.cloud, like, interrupted });
    const baked = await bake(
      { world, cloudOf: (settings, role) => openServers(settings, process.env)[role], seal: sealHost },
      {
        ...options,
        set,
        roles: options.role ? [options.role] : ["bbb", "turn"],
        like,
      },
    );
    if (options.json) printJson(baked);
    else process.stdout.write(`${render.renderBaked(baked)}\n`);
  });

on("list", "the images that there are").action(async (options: Common) => {
  const { images } = await look(options);
  if (options.json) printJson(images.map(render.imageJson));
  else process.stdout.write(`${render.renderImages(images, new Date(), terminalWidth())}\n`);
});

on("prune", "remove all but the newest of each release and host")
  .option("--keep <number>", "how many stay of each", count, 2)
  .option("--yes", "without asking")
  .action(async (options: Common & { readonly keep: number; readonly yes?: true }) => {
    const { clouds, images } = await look(options);
    await remove(clouds, beyond(images, options.keep), options);
  });

on("remove", "remove one")
  .argument("<id>", "of scripts/image list")
  .option("--yes", "without asking")
  .action(async (id: string, options: Common & { readonly yes?: true }) => {
    const { clouds, images } = await look(options);
    const image = images.find((one) => one.id === id);
    if (!image) throw new Mistake(`there is no image ${id} of this project: see scripts/image list`);
    await remove(clouds, [image], options);
  });

function on(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option("--json", "one JSON document on standard output, everything else on standard error")
    .option("--sandbox", "on the cloud inside this machine")
    .option(
      "--like <stack>",
      "take cloud, place and credentials from Pulumi.<stack>.yaml; default: test, or staging",
    )
    .addOption(new Option("--cloud <cloud>", "where; default: as that stack").choices(["hetzner", "aws"]));
}

/** Settings of the stack that the builder resembles, or whose clouds are meant. */
function likeSettings(
  stacks: Stacks,
  { like, release, cloud, set = [] }: Common & Partial<Pick<BakeArguments, "release" | "set">>,
): Promise<StackSettings> {
  const asked = [...set, ...(release ? [`release=${release}`] : [])];
  return settingsLike(stacks, like ?? defaultLike(), { asked, cloud });
}

async function look(options: Common): Promise<{
  readonly clouds: readonly Servers[];
  readonly images: readonly Image[];
}> {
  if (options.like !== undefined) assertLike(options.like);
  const stacks = await openStacks(options.sandbox ?? false, process.stderr);
  const settings = await likeSettings(stacks, options);
  const clouds = openImages(settings, options.cloud, process.env);
  const lists = await Promise.all(clouds.map((cloud) => imagesAt(cloud, stacks.project)));
  return { clouds, images: lists.flat() };
}

async function remove(
  clouds: readonly Servers[],
  images: readonly Image[],
  { json, yes }: { readonly json?: true; readonly yes?: true },
): Promise<void> {
  if (images.length > 0) {
    const question = `Remove ${images.length === 1 ? `image ${images[0]!.id}` : `${images.length} images`} for good? Servers made from them stay as they are.`;
    if (
      !(await agree(yes, question, render.renderImages(images, new Date(), terminalWidth(process.stderr))))
    ) {
      process.exitCode = FAILED;
      return;
    }
  }
  for (const image of images) {
    await clouds.find(({ cloud }) => cloud === image.cloud)?.remove(image.id);
    say(`image ${image.id} removed`);
  }
  if (json) printJson(images.map(render.imageJson));
  else if (images.length === 0) process.stdout.write("No image to remove.\n");
  process.exitCode = FINE;
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError(`${text} is no number of images from 1 on.`);
}

const interrupted = takeInterrupts();

void runCommand(program, process.argv);
