import { find, type Image, locations, type ServerType, serverTypes } from "./catalogue";
import { ApiError, invalidField, notFound } from "./errors";
import { imageOfOrder } from "./images";
import type { Labels, PrimaryIp, Snapshot, SshKey, State } from "./model";
import { firewallsPerServer } from "./resources/firewalls";
import { assertRoomInGroup } from "./resources/placementGroups";
import { flag, hostName, id, idOrName, labels, object } from "./schemas";

/** Body of POST /servers. */
export interface ServerOrder {
  readonly name: string;
  readonly server_type: number | string;
  readonly image: number | string;
  readonly location?: number | string;
  readonly start_after_create?: boolean;
  readonly ssh_keys?: readonly (number | string)[];
  readonly firewalls?: readonly { readonly firewall: number }[];
  readonly user_data?: string;
  readonly labels?: Labels;
  readonly placement_group?: number;
  readonly public_net?: {
    readonly enable_ipv4?: boolean;
    readonly enable_ipv6?: boolean;
    readonly ipv4?: number | null;
    readonly ipv6?: number | null;
  };
}

const list = (items: object): object => ({ type: "array", items });

export const serverOrderSchema = object(
  {
    name: hostName,
    server_type: idOrName,
    image: idOrName,
    location: idOrName,
    start_after_create: flag,
    ssh_keys: list(idOrName),
    firewalls: list(object({ firewall: id }, "firewall")),
    user_data: { type: "string" },
    labels,
    placement_group: id,
    public_net: object({
      enable_ipv4: flag,
      enable_ipv6: flag,
      ipv4: { type: ["integer", "null"] },
      ipv6: { type: ["integer", "null"] },
    }),
  },
  "name",
  "server_type",
  "image",
);

const userDataLimit = 32 * 1024;

/** Order whose references exist and can be delivered. */
export interface CheckedOrder {
  readonly type: ServerType;
  readonly image: Image | Snapshot;
  readonly location: string;
  readonly sshKeys: readonly SshKey[];
  /** An existing primary IP, a new one, or none. */
  readonly ips: Readonly<Record<PrimaryIp["type"], PrimaryIp | "new" | "none">>;
}

/** Refuses orders that the real API refuses, or that the sandbox can't deliver. */
export function checkOrder(state: State, order: ServerOrder, now: Date): CheckedOrder {
  if (Buffer.byteLength(order.user_data ?? "") > userDataLimit) {
    throw invalidField("user_data", `is longer than ${userDataLimit} bytes`);
  }
  const type = find(serverTypes, order.server_type);
  if (!type) throw invalidField("server_type", `server type '${order.server_type}' not found`);
  const location = checkLocation(state, order);
  const image = imageOfOrder(state, order.image, type, now);
  const sshKeys = (order.ssh_keys ?? []).map((wanted) => {
    const key = Object.values(state.sshKeys).find((other) => other.id === wanted || other.name === wanted);
    if (!key) throw invalidField("ssh_keys", `SSH key '${wanted}' not found`);
    return key;
  });
  const firewalls = order.firewalls ?? [];
  for (const { firewall } of firewalls) if (!state.firewalls[firewall]) throw notFound("firewall", firewall);
  if (firewalls.length > firewallsPerServer) {
    throw new ApiError("resource_limit_exceeded", `a server can have ${firewallsPerServer} firewalls`);
  }
  const ips = {
    ipv4: checkIp(state, "ipv4", order.public_net?.enable_ipv4, order.public_net?.ipv4, location),
    ipv6: checkIp(state, "ipv6", order.public_net?.enable_ipv6, order.public_net?.ipv6, location),
  };
  if (ips.ipv4 === "none" && ips.ipv6 === "none") {
    throw invalidField(
      "public_net",
      "a server without public addresses needs a network, which is not emulated",
    );
  }
  if (order.placement_group !== undefined) assertRoomInGroup(state, order.placement_group);
  assertOrderable(type, location, now);
  return { type, image, location, sshKeys, ips };
}

/** Refuses a type that a location doesn't sell, no longer sells, or has sold out. */
export function assertOrderable(type: ServerType, location: string, now: Date): void {
  const there = type.locations.find(({ name }) => name === location);
  if (!there || (there.deprecation && new Date(there.deprecation.unavailable_after) < now)) {
    throw invalidField(
      "server_type",
      `unsupported location for server type: ${type.name} is not sold in ${location}`,
    );
  }
  if (!there.available) throw new ApiError("resource_unavailable", "error during placement");
}

/** Location of the order, else that of the objects for the server, else the first one. */
function checkLocation(state: State, order: ServerOrder): string {
  if (order.location !== undefined) {
    const location = find(locations, order.location);
    if (!location) throw invalidField("location", `location '${order.location}' not found`);
    return location.name;
  }
  return state.primaryIps[order.public_net?.ipv4 ?? order.public_net?.ipv6 ?? 0]?.location ?? "fsn1";
}

function checkIp(
  state: State,
  type: PrimaryIp["type"],
  enabled: boolean | undefined,
  wanted: number | null | undefined,
  location: string,
): PrimaryIp | "new" | "none" {
  if (wanted === undefined || wanted === null) return enabled === false ? "none" : "new";
  if (enabled === false) throw invalidField(`public_net.${type}`, `enable_${type} is false`);
  const ip = state.primaryIps[wanted];
  if (!ip) throw notFound("primary IP", wanted);
  if (ip.type !== type)
    throw new ApiError("primary_ip_version_mismatch", `primary IP ${ip.id} is an ${ip.type}`);
  if (ip.assignee !== null) {
    throw new ApiError("primary_ip_assigned", `primary IP ${ip.id} is assigned to server ${ip.assignee}`);
  }
  if (ip.location !== location) {
    throw new ApiError(
      "primary_ip_datacenter_mismatch",
      `primary IP ${ip.id} is in ${ip.location}, not ${location}`,
    );
  }
  return ip;
}
