import type { Settings } from "../config";
import type { Cloud } from "./clouds";
import { hetznerDns } from "./hetznerDns";
import { hetznerHosts } from "./hetznerHost";

/** Hetzner Cloud, in the project that the token belongs to. */
export function hetznerCloud({ labels }: Settings): Cloud {
  return {
    // The API itself says what it lacks for a host, in one answer.
    findHosts: () => Promise.resolve((operatorKey) => hetznerHosts(labels, operatorKey)),
    findZone: hetznerDns,
  };
}
