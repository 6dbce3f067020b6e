import * as hcloud from "@pulumi/hcloud";

import type { Settings } from "../../settings";
import type { Cloud } from "../cloud";
import { hetznerAddresses } from "./addresses";
import { hetznerDns } from "./dns";
import { hetznerHosts } from "./host";
import { findBakedImage } from "./image";
import { hetznerLookUp } from "./lookUp";
import { lookUpServerType } from "./serverTypes";
import type { ChildOptions, HostArgs, LookUpOptions } from "../host";
import { waitForLookUps } from "../lookUps";
import { setCommand } from "../../settings/remedies";

/** Opens Hetzner Cloud, in the token's project. */
export function hetznerCloud(
  { labels }: Pick<Settings, "labels">,
  { scripts, ...opts }: LookUpOptions,
): Cloud {
  return {
    async findHosts(hosts) {
      // The same location is asked for once, under the name of the setting that says it first.
      const locations = new Map<string, Promise<unknown>>();
      for (const host of hosts) {
        if (!locations.has(host.location)) locations.set(host.location, lookUpLocation(host, opts));
      }
      await waitForLookUps(
        hosts.map(async (host) => {
          const asked = [locations.get(host.location)!, lookUpServerType(host, opts)];
          const [where, type] = await Promise.allSettled(asked);
          // Of a location that there is not, what it offers is no news.
          for (const found of [where, type]) if (found?.status === "rejected") throw found.reason;
        }),
      );
      const images = await waitForLookUps(
        hosts.map(async (host) => [host.role, await findBakedImage(host, scripts(host.role), opts)] as const),
      );
      return (operatorKey) => hetznerHosts(labels, operatorKey, new Map(images), opts);
    },
    findZone: (request) => hetznerDns(request, opts),
    findAddresses: () => hetznerAddresses(labels, opts),
  };
}

/** Looks up only the host's location, which shows whether the token is accepted. */
function lookUpLocation({ role, location }: HostArgs, opts: ChildOptions): Promise<hcloud.GetLocationResult> {
  return hetznerLookUp(
    () => hcloud.getLocation({ name: location }, opts),
    (answer) => ({
      key: role === "turn" ? "turnLocation" : "location",
      reason: `is ${location}, which could not be read at Hetzner Cloud: ${answer}`,
      remedy: `one of those that the console offers, e.g. ${setCommand("location", "fsn1")}`,
    }),
  );
}
