import * as hcloud from "@pulumi/hcloud";

import type { Settings } from "../../settings";
import type { Cloud } from "..";
import { hetznerAddresses } from "./addresses";
import { hetznerDns } from "./dns";
import { hetznerHosts } from "./host";
import { hetznerLookUp } from "./lookUp";
import { lookUpServerType } from "./serverTypes";
import type { HostArgs } from "../host";
import { allFound } from "../lookUps";

/** Hetzner Cloud, in the project that the token belongs to. */
export function hetznerCloud({ labels }: Settings): Cloud {
  return {
    async findHosts(hosts) {
      // The same location is asked for once, under the name of the setting that says it first.
      const asked = hosts.filter(
        ({ location }, i) => hosts.findIndex((one) => one.location === location) === i,
      );
      await allFound(asked.map(lookUpLocation));
      await allFound(hosts.map(lookUpServerType));
      return (operatorKey) => hetznerHosts(labels, operatorKey);
    },
    findZone: hetznerDns,
    findAddresses: () => hetznerAddresses(labels),
  };
}

/** Asks for nothing but the host's location, and so whether anything may be asked. */
function lookUpLocation({ role, location }: HostArgs): Promise<hcloud.GetLocationResult> {
  return hetznerLookUp(
    () => hcloud.getLocation({ name: location }),
    (answer) => ({
      key: role === "turn" ? "turnLocation" : "location",
      reason: `is ${location}, which could not be read at Hetzner Cloud: ${answer}`,
      remedy: "one of those that the console offers, e.g. pulumi config set location fsn1",
    }),
  );
}
