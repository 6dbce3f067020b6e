/** Existing test servers, the expired ones among them, and orphans. Decides; calls nothing. */
import { defaultRelease } from "../../bigbluebutton/releases";
import { hetznerLabels } from "../../clouds/hetzner/labels";
import type { CloudObject } from "../inventory";
import { cloudObjectKey, keyOf } from "../inventory/keys";
import { textOf, type StackSettings } from "../../cli/stackFiles";
import type { StackInfo, StackResource } from "../stacks";
import { fromEpoch } from "./duration";

/** Prefix of the stacks of test servers. */
export const PREFIX = "test-";

/** Stack by the engine and its state. */
export interface StackView {
  readonly info: StackInfo;
  /** Settings on record; undefined without any. */
  readonly settings?: StackSettings;
  readonly resources: readonly StackResource[];
  /** Reason why its settings or its state could not be read: its content is unknown then. */
  readonly unread?: Error;
}

/**
 * State of a server.
 * - up: deployed and verified
 * - failed: its update did not come to an end
 * - updating: an update of it is running right now
 * - expired: its time is up; the next reap takes it
 * - orphaned: its resources are at the cloud, but no stack of that name is known here
 */
export type ServerState = "up" | "failed" | "updating" | "expired" | "orphaned";

/** Test server. */
export interface TestServer {
  readonly name: string;
  readonly stack: string;
  readonly state: ServerState;
  readonly expires: Date;
  readonly created?: Date;
  readonly url?: string;
  readonly release?: string;
}

/** Object at a cloud that has an expiry, but that no stack has. */
export interface Orphan {
  readonly object: CloudObject;
  readonly stack: string;
  /**
   * Kind of orphan. lost: its stack does not exist; cut off: its stack exists, but does not have this object in its
   * state.
   */
  readonly why: "lost" | "cut off";
  readonly expires: Date;
  readonly expired: boolean;
}

/** Test servers, other stacks and orphans at a time. */
export interface Survey {
  readonly servers: readonly TestServer[];
  readonly orphans: readonly Orphan[];
  /** Stacks without an expiry in their own state or in the clouds' labels: never touched. */
  readonly kept: readonly string[];
}

/** Combines the engine's stacks with the clouds' labels. */
export function survey(stacks: readonly StackView[], objects: readonly CloudObject[], now: Date): Survey {
  const orphans = findOrphans(stacks, objects, now);
  const deployed = stacks.flatMap((view) => serverOf(view, objects, now) ?? []);
  const lost = orphans.filter(({ why }) => why === "lost");
  const kept = new Set([
    ...stacks
      .filter((view) => !view.unread && expiryOf(view, objects) === undefined)
      .map(({ info }) => info.name),
    ...objects
      .filter(({ labels }) => fromEpoch(labels.expires) === undefined)
      .map(({ labels }) => labels.stack ?? "?"),
  ]);
  const names = [...new Set(lost.map(({ stack }) => stack))];
  const servers = [
    ...deployed,
    ...names.map((name) =>
      lostServer(
        name,
        lost.filter(({ stack }) => stack === name),
      ),
    ),
  ];
  return {
    servers: servers.sort((a, b) => a.expires.getTime() - b.expires.getTime()),
    orphans,
    kept: [...kept].sort(),
  };
}

/** Latest expiry in a stack's settings, its state and the clouds' labels; undefined for never. */
export function expiryOf(
  { info, settings, resources }: StackView,
  objects: readonly CloudObject[],
): Date | undefined {
  const told = [
    settings?.expires,
    ...resources.map(({ inputs }) => labelsIn(inputs).expires),
    ...objects.filter(({ labels }) => isOf(labels, info.name)).map(({ labels }) => labels.expires),
  ];
  const times = told.flatMap((text) => fromEpoch(text)?.getTime() ?? []);
  return times.length === 0 ? undefined : new Date(Math.max(...times));
}

/** Objects at the clouds that remain of a destroyed stack, and may be removed: those whose expiry has passed. */
export function leftovers(stack: string, objects: readonly CloudObject[], until: Date): CloudObject[] {
  return objects.filter(({ labels }) => {
    const expires = fromEpoch(labels.expires);
    return isOf(labels, stack) && expires !== undefined && expires <= until;
  });
}

/** Volumes of a stack without an expiry of their own: nobody has said that their content may be deleted. */
export function lastingVolumes(resources: readonly StackResource[]): StackResource[] {
  return resources.filter(
    ({ type, inputs }) =>
      (type === "hcloud:index/volume:Volume" || type === "aws:ebs/volume:Volume") &&
      fromEpoch(labelsIn(inputs).expires) === undefined,
  );
}

/** Objects at the clouds with a stack's name. */
export function objectsOf(stack: string, objects: readonly CloudObject[]): CloudObject[] {
  return objects.filter(({ labels }) => isOf(labels, stack));
}

function serverOf(view: StackView, objects: readonly CloudObject[], now: Date): TestServer | undefined {
  const expires = expiryOf(view, objects);
  if (expires === undefined) return undefined;
  const { info, settings, resources } = view;
  const outputs = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};
  const times = resources.flatMap(({ created }) => created?.getTime() ?? []);
  return {
    name: nameOf(info.name),
    stack: info.name,
    state: info.updating ? "updating" : expires <= now ? "expired" : textOf(outputs.url) ? "up" : "failed",
    expires,
    created: times.length > 0 ? new Date(Math.min(...times)) : undefined,
    url: textOf(outputs.url),
    release: textOf(outputs.release) ?? textOf(settings?.release) ?? (settings && defaultRelease),
  };
}

function findOrphans(stacks: readonly StackView[], objects: readonly CloudObject[], now: Date): Orphan[] {
  const known = new Set(stacks.flatMap(({ resources }) => resources.flatMap((one) => keyOf(one) ?? [])));
  return objects.flatMap((object) => {
    const { stack = "" } = object.labels;
    const expires = fromEpoch(object.labels.expires);
    if (stack === "" || expires === undefined || known.has(cloudObjectKey(object))) return [];
    const view = stacks.find(({ info }) => isOf(object.labels, info.name));
    // While an update runs, its state is behind what it makes.
    if (view?.info.updating || view?.unread) return [];
    return [{ object, stack, why: view ? "cut off" : "lost", expires, expired: expires <= now }] as const;
  });
}

function lostServer(stack: string, orphans: readonly Orphan[]): TestServer {
  const created = orphans.flatMap(({ object }) => object.created?.getTime() ?? []);
  return {
    name: nameOf(stack),
    stack,
    state: "orphaned",
    expires: new Date(Math.max(...orphans.map(({ expires }) => expires.getTime()))),
    created: created.length > 0 ? new Date(Math.min(...created)) : undefined,
  };
}

/** Name for the commands: "test-k3x9q2" → "k3x9q2". */
export function nameOf(stack: string): string {
  return stack.startsWith(PREFIX) ? stack.slice(PREFIX.length) : stack;
}

function labelsIn({ labels, tags }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { ...(labels as object | undefined), ...(tags as object | undefined) };
}

/** True for labels of the stack; they hold its name as far as a cloud takes it. */
function isOf(labels: Readonly<Record<string, string>>, stack: string): boolean {
  return labels.stack === stack || labels.stack === hetznerLabels({ stack }).stack;
}
