/** Bakes images: makes a test server, seals its hosts, makes images of their disks, and takes it down. */
import { defaultRelease, releases, turnUbuntu, type ReleaseName } from "../../bigbluebutton/releases";
import { bakedLabels } from "../../clouds/bakedImages";
import { hetznerLabels } from "../../clouds/hetzner/labels";
import type { PairRole } from "../../clouds/host";
import { atCloud, textOf, type StackSettings } from "../../cli/stackFiles";
import { Failure } from "../../cli/mistake";
import { installHash } from "../../steps/installHash";
import type { Login } from "../../steps/ssh";
import { readDeployments, type Deployed } from "../check/deployed";
import type { Servers, Labels, Server } from "../servers";
import { up, type UpOptions } from "../testServers/change";
import { retire } from "../testServers/retire";
import { stackOf } from "../testServers/settings";
import { INTERRUPTED, type World } from "../testServers/world";
import { NotSealed, sealHost, type Canaries } from "./sealHost";
import { imageOf, store } from "./store";

export interface BakeOptions extends Pick<UpOptions, "release" | "cloud" | "ttl" | "set" | "like"> {
  /** Roles to make images of. */
  readonly roles: readonly PairRole[];
  /** Name of the builder. @default "image-" and the release */
  readonly name?: string;
}

/** What a bake uses beside the test servers' world; tests replace it. */
export interface Bakery {
  readonly world: World;
  /** Opens the cloud of a role's host. @throws Mistake for missing credentials */
  readonly cloudOf: (settings: StackSettings, role: PairRole) => Servers;
  readonly seal: typeof sealHost;
}

/** Baked image. */
export interface Baked {
  readonly role: PairRole;
  readonly id: string;
  readonly labels: Labels;
}

/** Time that a builder lives, from its beginning. */
const TTL = "4h";

/** Server types with the smallest disk and four cores: a copy's disk must be as large as its image's. */
const SMALLEST = { hetzner: "cx33", aws: "c7a.xlarge" } as const;

/**
 * Bakes the images. A call that was cut off is taken up by the next one with the same name: what is installed is not installed
 * again, and no second image is made.
 *
 * @throws Failure if a part of it failed; the builder then stays until its expiry
 */
export async function bake(bakery: Bakery, options: BakeOptions): Promise<readonly Baked[]> {
  const { world } = bakery;
  const { say } = world;
  const like = builderLike(await options.like());
  const cloud = (options.cloud ?? like.cloud) === "aws" ? "aws" : "hetzner";
  const set = { serverType: SMALLEST[cloud], ...options.set };
  const release = options.release ?? textOf(like.release) ?? defaultRelease;
  const name = options.name ?? `image-${release}`;
  const stack = stackOf(name);
  // Whether images can be made there at all is better known before a server is.
  const settings = { ...atCloud(like, cloud), ...set };
  for (const role of options.roles) bakery.cloudOf(settings, role);
  const before = await resumable(bakery, stack, options.roles);
  if (before !== undefined) {
    say(`${stack}: its images are there already`);
    await takeDown(world, stack);
    return before;
  }
  const made = await up(world, {
    ...{ ttl: options.ttl ?? TTL, name, release, cloud: options.cloud, set, stock: true },
    like: () => Promise.resolve(like),
  });
  if (made.problem !== undefined) throw left(stack, made.problem);
  try {
    const baked = await sealAndStore(bakery, stack, release, options.roles);
    await takeDown(world, stack);
    return baked;
  } catch (error) {
    if (error instanceof NotSealed) throw new Failure(`${error.message}\n  ${cannotBeSealedAgain(stack)}`);
    if (error instanceof Failure) throw left(stack, error.message);
    throw error;
  }
}

function left(stack: string, problem: string): Failure {
  return new Failure(
    `${problem}\n  ${stack} stays until its expiry: the same command takes it up; ./scripts/test-server down ${stack} removes it`,
  );
}

function cannotBeSealedAgain(stack: string): string {
  return `${stack} stays until its expiry, and can't be logged in to any more: the cloud's console shows the file. ./scripts/test-server down ${stack} removes it`;
}

/** Settings that a builder may take over: without an image, and without what an image must not have. */
function builderLike(like: StackSettings): StackSettings {
  const left = ["greenlight", "image", "turnImage"];
  return Object.fromEntries(Object.entries(like).filter(([key]) => !left.includes(key)));
}

/**
 * Images that a call before has made of a builder that is there still. Removes a builder that can't be taken up, being switched
 * off without an image.
 *
 * @returns undefined if the images are to be made
 */
async function resumable(
  bakery: Bakery,
  stack: string,
  roles: readonly PairRole[],
): Promise<readonly Baked[] | undefined> {
  const { world, cloudOf } = bakery;
  const { stacks, say } = world;
  if (!(await stacks.list()).some(({ name }) => name === stack)) return undefined;
  const settings = await stacks.settings(stack);
  const found: Baked[] = [];
  let off = false;
  for (const role of roles) {
    const cloud = cloudOf(settings, role);
    const server = await serverOf(world, cloud, stack, role);
    if (server === undefined) return undefined;
    const image = await imageOf(cloud, { project: stacks.project, role, server: server.id });
    if (image) {
      const { id, labels } = await cloud.available(image.id);
      found.push({ role, id, labels });
    } else off ||= server.status !== "running";
  }
  if (found.length === roles.length) return found;
  if (off || found.length > 0) {
    say(`${stack}: it was sealed before, and not all of its images were made: beginning anew`);
    await takeDown(world, stack);
  }
  return undefined;
}

async function serverOf(
  { stacks: { project } }: World,
  cloud: Servers,
  stack: string,
  role: PairRole,
): Promise<Server | undefined> {
  const [server] = await cloud.find(hetznerLabels({ project, stack, role }));
  return server;
}

async function takeDown(world: World, stack: string): Promise<void> {
  const settings = await world.stacks.settings(stack);
  world.say(`${stack}: removing`);
  const inventories = await world.inventories([settings]);
  const { outcome, reason } = await retire(world, stack, { inventories, onlyExpired: false });
  if (outcome === "removed" || outcome === "gone") return;
  throw new Failure(`${stack} was not removed: ${reason}`);
}

async function sealAndStore(
  bakery: Bakery,
  stack: string,
  release: string,
  roles: readonly PairRole[],
): Promise<readonly Baked[]> {
  const { world, cloudOf, seal } = bakery;
  const { stacks, say, now, interrupted } = world;
  const settings = await stacks.settings(stack);
  const outputs = await stacks.outputs(stack, { showSecrets: true });
  const [deployed] = readDeployments(stack, outputs);
  const built = Math.floor(now().getTime() / 1000);
  const canaries = canariesOf(deployed!, outputs);
  const orders = [];
  for (const role of roles) {
    if (interrupted()) throw new Failure(INTERRUPTED);
    const scripts = installHash(role);
    const host = loginOf(deployed!, role);
    const sealed = await seal(host, { role, release, scripts, built, canaries }, (line) =>
      say(`${stack}: ${line}`),
    );
    const labels = {
      ...bakedLabels(role, stacks.project, releases[release as ReleaseName]),
      ...(role === "turn" ? {} : { ubuntu: releases[release as ReleaseName].ubuntu }),
      ...(sealed.bbb === null ? {} : { bbb: sealed.bbb }),
      ...{ built: String(built), scripts },
    };
    orders.push({ role, labels });
  }
  return Promise.all(
    orders.map(async ({ role, labels }) => {
      const cloud = cloudOf(settings, role);
      const server = await serverOf(world, cloud, stack, role);
      if (server === undefined) throw new Failure(`the ${role} host's server is gone`);
      const what = role === "bbb" ? `BigBlueButton ${labels.bbb ?? release}` : "coturn";
      const description = `${what} on Ubuntu ${labels.ubuntu ?? turnUbuntu.ubuntu}`;
      say(`${stack}: making an image of the ${role} host's disk, which takes some minutes`);
      const { id, labels: stored } = await store(cloud, server, { role, labels, description });
      say(`${stack}: image ${id} is there`);
      return { role, id, labels: stored };
    }),
  );
}

function loginOf({ hosts, privateKey }: Deployed, role: PairRole): Login {
  const host = hosts[role];
  if (!host) throw new Failure(`the stack has no ${role} host`);
  return { ...host, privateKey };
}

/** What the builder knows and no image may have: its secrets are of no use any more, and must not look like a copy's. */
function canariesOf({ hosts, privateKey }: Deployed, outputs: Readonly<Record<string, unknown>>): Canaries {
  const { bbb, turn } = hosts;
  const given = (entries: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries(entries).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  return {
    secrets: given({
      "the shared secret": outputs.sharedSecret,
      "the TURN secret": outputs.turnSecret,
      "the deployment's SSH key": privateKey,
    }),
    names: given({
      "the BigBlueButton builder's name": bbb.request.bbbHost,
      "the TURN builder's name": bbb.request.turnHost,
      "the BigBlueButton builder's address": bbb.request.ipv4,
      "the BigBlueButton builder's private address": bbb.request.privateIpv4,
      "the TURN builder's address": turn?.request.ipv4,
      "the TURN builder's IPv6 address": turn?.request.ipv6,
    }),
  };
}
