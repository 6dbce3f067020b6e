import * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";

import { setCommand } from "../../settings/remedies";
import { hostSelector } from "./labels";
import { hetznerLookUp } from "./lookUp";
import type { HostArgs } from "../host";
import { LookUpError } from "../lookUps";
import { serverTypeKeys } from "../serverTypes";

/**
 * Asks whether a host's server type can be ordered in its location now, since a server in another location is deleted
 * before the new one is ordered. A host that has such a server there needs none. An answer without locations tells
 * nothing, like that of a plan.
 *
 * @throws LookUpError for an unknown type, or one that is sold out
 */
export async function lookUpServerType(host: HostArgs, opts: pulumi.InvokeOptions): Promise<void> {
  const { role, serverType, location } = host;
  const key = serverTypeKeys[role];
  const problem = (reason: string) => ({
    key,
    reason: `is ${serverType}, ${reason}`,
    remedy: `${setCommand(key, "TYPE")} with one that the console offers in ${location}, or another ${role === "turn" ? "turnLocation" : "location"}`,
  });
  const { locations } = await hetznerLookUp(
    () => hcloud.getServerType({ name: serverType }, opts),
    (answer) => problem(`which could not be read at Hetzner Cloud: ${answer}`),
  );
  if (locations.length === 0) return;
  const there = locations.find(({ name }) => name === location);
  if (there?.available || (await hasServer(host, opts))) return;
  throw new LookUpError([
    problem(
      there && !there.isDeprecated
        ? `which is sold out at Hetzner Cloud in ${location}`
        : `which Hetzner Cloud does not offer in ${location}`,
    ),
  ]);
}

async function hasServer(host: HostArgs, opts: pulumi.InvokeOptions): Promise<boolean> {
  const { serverType, location } = host;
  const servers = await serversOf(host, opts);
  return servers.some((server) => server.serverType === serverType && server.location === location);
}

/** Asks for the servers that the deployment has for a host: one, or none yet. */
export async function serversOf(
  { labels }: HostArgs,
  opts: pulumi.InvokeOptions,
): Promise<hcloud.GetServersResult["servers"]> {
  const { servers } = await hetznerLookUp(
    () => hcloud.getServers({ withSelector: hostSelector(labels) }, opts),
    (answer) => ({
      key: "hcloud:token",
      elsewhere: true,
      reason: `does not open the project's servers: ${answer}`,
      remedy: "a token, read and write, of the project",
    }),
  );
  return servers;
}
