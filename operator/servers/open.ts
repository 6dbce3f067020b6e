/** Choice of the cloud of each server of a stack. */
import { defaultLocations } from "../../bigbluebutton/capacity";
import type { Role } from "../../clouds/host";
import { Mistake } from "../../cli/mistake";
import type { StackSettings } from "../../cli/stackFiles";
import { hetznerAccess, type Environment } from "../inventory/open";
import type * as Aws from "./aws";
import { hetznerServers } from "./hetzner";
import type { Servers } from ".";

/** Opens the clouds of both servers. @throws Mistake for missing credentials */
export function openServers(
  settings: StackSettings,
  environment: Environment,
): Readonly<Record<Role, Servers>> {
  const cloud = textOf(settings.cloud) ?? "hetzner";
  const turnCloud = textOf(settings.turnCloud) ?? cloud;
  const location = textOf(settings.location) ?? defaultLocations.aws;
  const turnLocation =
    textOf(settings.turnLocation) ?? (cloud === turnCloud ? location : defaultLocations.aws);
  const open = (name: string, region: string) =>
    name === "aws" ? openAws(region) : hetznerServers(hetznerAccess([settings], environment));
  return { bbb: open(cloud, location), turn: open(turnCloud, turnLocation) };
}

function openAws(region: string): Servers {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- loads AWS's clients only where they are needed
    const { awsServers } = require("./aws") as typeof Aws;
    return awsServers(region);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw new Mistake("the packages of AWS are not installed: run npm ci, without --omit=optional", {
      cause: error,
    });
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
