/** Images that scripts/image bakes: their labels, and what speaks against one. */
import * as pulumi from "@pulumi/pulumi";

import { turnUbuntu, type Release } from "../bigbluebutton/releases";
import { removeCommand, setCommand } from "../settings/remedies";
import type { Problem } from "../settings/problems";
import type { HostArgs, Role } from "./host";
import { serverTypeKeys } from "./serverTypes";

/** Days after which an image is told to be old: each copy of it first fetches all updates since. */
const OLD_DAYS = 90;

/** Baked image at a cloud. */
export interface BakedImage {
  /** Id for the order of a server. */
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Labels by which an image for a host of a role is found. A TURN server is independent of BigBlueButton's release. */
export function bakedLabels(
  role: Role,
  project: string,
  release: Pick<Release, "name">,
): Readonly<Record<string, string>> {
  return {
    project,
    image: role,
    ...(role === "bbb" ? { release: release.name } : { ubuntu: turnUbuntu.ubuntu }),
  };
}

/** Setting that names the image of a host. */
export function imageKey(role: Role): "image" | "turnImage" {
  return role === "bbb" ? "image" : "turnImage";
}

/** Problem of a host whose image is to be a baked one, of which there is none. */
export function noBakedImage({ role, baked, cloud, location, image }: HostArgs): Problem {
  const key = imageKey(role);
  const where = cloud === "aws" ? ` in ${location}` : "";
  return {
    key,
    reason: `is baked, and there is no image of ${labelText(baked!.labels)} at ${cloud}${where}`,
    remedy: `./scripts/image bake ${baked!.bakeArguments} makes one; or ${setCommand(key, "baked-or-stock")}, which takes ${image} where there is none`,
  };
}

/** Facts about a host for which an image was found. */
export interface Judged {
  /** GB of the server type's disk, if known. */
  readonly diskGb?: number;
  readonly now: Date;
  /** Hash of the scripts that install on such a host. */
  readonly scripts: string;
}

/** Problem, warnings and notes about making a new server from an image. */
function judgeImage(
  { role, serverType, image: stock }: HostArgs,
  { id, labels }: BakedImage,
  { diskGb, now, scripts }: Judged,
): { readonly problem?: Problem; readonly warnings: readonly string[]; readonly notes: readonly string[] } {
  const key = imageKey(role);
  const needed = Number(labels.disk);
  const days = Math.floor((now.getTime() / 1000 - Number(labels.built)) / 86_400);
  return {
    problem:
      diskGb !== undefined && needed > diskGb
        ? {
            key,
            reason: `leads to the image ${id}, which needs a disk of ${needed} GB, and ${serverType} has ${diskGb} GB`,
            remedy: `${setCommand(serverTypeKeys[role], "TYPE")} with a larger disk, or ${removeCommand(key)} for ${stock}`,
          }
        : undefined,
    warnings:
      days > OLD_DAYS
        ? [
            `${key}: the image ${id} was baked ${days} days ago. A new server from it fetches all updates since; ./scripts/image bake makes a new one`,
          ]
        : [],
    notes:
      labels.scripts && labels.scripts !== scripts
        ? [
            `${key}: the image ${id} was baked by another version of this project, which the steps make up for`,
          ]
        : [],
  };
}

/**
 * Chooses what a host's server is made from.
 *
 * @param found Newest fitting image; undefined if there is none.
 * @param exists Tells whether the host has its server already, which keeps its own disk whatever is chosen.
 * @returns the id of the image; undefined for the host's `image`
 */
export async function chooseImage(
  host: HostArgs,
  found: BakedImage | undefined,
  judged: Judged,
  exists: () => Promise<boolean>,
): Promise<{ readonly id?: string; readonly problem?: Problem }> {
  const { baked, image } = host;
  const key = imageKey(host.role);
  if (!found) {
    if (await exists()) return {};
    if (baked!.required) return { problem: noBakedImage(host) };
    await pulumi.log.info(
      `${key}: there is no image of ${labelText(baked!.labels)}, so the server is made from ${image}, and everything is installed on it; ` +
        `./scripts/image bake ${baked!.bakeArguments} makes one`,
    );
    return {};
  }
  const { problem, warnings, notes } = judgeImage(host, found, judged);
  const remarks = problem !== undefined || warnings.length > 0 || notes.length > 0;
  if (remarks && (await exists())) return { id: found.id };
  for (const warning of warnings) await pulumi.log.warn(warning);
  for (const note of notes) await pulumi.log.info(note);
  return problem ? { problem } : { id: found.id };
}

/** Image in words: "jammy-30 for bbb". */
function labelText({ image, release, ubuntu }: Readonly<Record<string, string>>): string {
  return `${release ?? `Ubuntu ${ubuntu}`} for ${image === "bbb" ? "BigBlueButton" : "TURN"}`;
}
