import type { CommandTable } from "../actions";
import { freeAddress, takeAddress } from "../addresses";
import { find, locations } from "../catalogue";
import type { Cloud } from "../cloud";
import { ApiError, invalidField, notFound } from "../errors";
import { checkLabels } from "../labels";
import type { Labels, PrimaryIp, ResourceRef, Server, State } from "../model";
import { primaryIpOf } from "../published";
import { renderLocation } from "../renderCatalogue";
import { type DnsPtrChange, dnsPtrSchema, readDnsPtrChange, renderDnsPtr } from "../reverseDns";
import { actionRoutes, assertNameFree, byId, commonRoutes, type Kind, type Routes } from "../routes";
import { flag, id, idOrName, labels, noBody, object, plainName } from "../schemas";
import { remove, takeId } from "../store";

const assigneeType = { enum: ["server"] } as const;
const name = plainName(255);
const create = object(
  { name, type: { enum: ["ipv4", "ipv6"] }, labels, auto_delete: flag, location: idOrName },
  "name",
  "type",
  "location",
);
const assign = object({ assignee_id: id, assignee_type: assigneeType }, "assignee_id");
const protection = object({ delete: flag });

interface Creation {
  name: string;
  type: PrimaryIp["type"];
  labels?: Labels;
  auto_delete?: boolean;
  location: number | string;
}

export const primaryIpRoutes: Routes = (app, cloud) => {
  const { store, actions, clock } = cloud;
  const kind: Kind<PrimaryIp, { auto_delete?: boolean }> = {
    kind: "primary IP",
    keys: ["primary_ips", "primary_ip"],
    objects: ({ primaryIps }) => primaryIps,
    render: renderPrimaryIp,
    filters: ["ip"],
    name,
    more: {
      fields: { auto_delete: flag },
      change: (ip, { auto_delete: autoDelete = ip.autoDelete }) => {
        assertProtectable(autoDelete, ip.deleteProtected, "auto_delete");
        ip.autoDelete = autoDelete;
      },
    },
  };
  commonRoutes(app, cloud, kind);

  app.post<{ Body: Creation }>("/primary_ips", { schema: { body: create } }, (request, reply) => {
    const { body } = request;
    const ip = store.change((state) => {
      assertNameFree("primary IP", state.primaryIps, body.name);
      const location = find(locations, body.location)?.name;
      if (!location) throw invalidField("location", `location '${body.location}' not found`);
      const made = newPrimaryIp(state, clock(), { ...body, location, autoDelete: body.auto_delete ?? false });
      made.labels = checkLabels(body.labels);
      return made;
    });
    return reply.code(201).send({ primary_ip: renderPrimaryIp(ip), action: null });
  });

  app.delete("/primary_ips/:id", async (request, reply) => {
    const ip = byId("primary IP", store.state.primaryIps, request);
    if (ip.deleteProtected)
      throw new ApiError("protected", `primary IP ${ip.id} is protected against deletion`);
    if (ip.assignee !== null) {
      throw new ApiError("must_be_unassigned", `primary IP ${ip.id} is assigned to server ${ip.assignee}`);
    }
    actions.assertUnlocked(store.state, { id: ip.id, type: "primary_ip" });
    await removePrimaryIp(cloud, ip.id);
    return reply.code(204).send();
  });

  const actionRoute = actionRoutes(app, cloud, kind);
  actionRoute<{ assignee_id: number }>("assign", assign, (state, ip, body) => {
    const server = state.servers[body.assignee_id];
    if (!server) throw notFound("server", body.assignee_id);
    actions.assertUnlocked(state, ...refs(ip, server.id));
    assertAssignable(state, ip, server);
    return actions.begin(state, "assign_primary_ip", refs(ip, server.id));
  });
  actionRoute("unassign", noBody, (state, ip) => {
    if (ip.assignee === null)
      throw new ApiError("primary_ip_not_assigned", `primary IP ${ip.id} is not assigned`);
    actions.assertUnlocked(state, ...refs(ip, ip.assignee));
    const server = state.servers[ip.assignee];
    if (server) assertOff(server);
    return actions.begin(state, "unassign_primary_ip", refs(ip, ip.assignee));
  });
  actionRoute<DnsPtrChange>("change_dns_ptr", dnsPtrSchema, (state, ip, body) => {
    const params = { primaryIp: ip.id, change: readDnsPtrChange(ip, body) };
    return actions.begin(state, "change_dns_ptr", [{ id: ip.id, type: "primary_ip" }], { params });
  });
  actionRoute<{ delete?: boolean }>("change_protection", protection, (state, ip, body) => {
    const params = { delete: body.delete ?? ip.deleteProtected };
    assertProtectable(ip.autoDelete, params.delete, "delete");
    return actions.begin(state, "change_protection", [{ id: ip.id, type: "primary_ip" }], { params });
  });
};

/** Makes a primary IP with a fresh address; without a name its id becomes the name. Call inside `Store.change`. */
export function newPrimaryIp(
  state: State,
  now: Date,
  wanted: { name?: string; type: PrimaryIp["type"]; location: string; autoDelete: boolean },
): PrimaryIp {
  const number = takeId(state);
  const ip: PrimaryIp = {
    id: number,
    name: wanted.name ?? `primary_ip-${number}`,
    type: wanted.type,
    ip: takeAddress(state, wanted.type),
    location: wanted.location,
    labels: {},
    autoDelete: wanted.autoDelete,
    deleteProtected: false,
    assignee: null,
    reverseNames: {},
    created: now.toISOString(),
  };
  return (state.primaryIps[number] = ip);
}

/** Removes a primary IP, assigned or not, with its reverse names, and gives its address back. */
export async function removePrimaryIp(
  { store, runtime }: Pick<Cloud, "store" | "runtime">,
  id: number,
): Promise<void> {
  const names = store.change((state) => {
    const ip = state.primaryIps[id];
    if (!ip) return [];
    freeAddress(state, ip);
    remove(state.primaryIps, id);
    return Object.keys(ip.reverseNames);
  });
  for (const address of names) await runtime.setReverseDns(address, undefined);
}

export const primaryIpCommands: CommandTable = {
  assign_primary_ip: {
    locks: true,
    perform: async (cloud, action) => setAssignee(cloud, action.resources, action.resources[1]?.id ?? null),
  },
  unassign_primary_ip: {
    locks: true,
    perform: async (cloud, action) => setAssignee(cloud, action.resources, null),
  },
  "primary_ip:change_protection": {
    locks: false,
    async perform({ store }, action) {
      store.change((state) => {
        const ip = state.primaryIps[action.resources[0]?.id ?? 0];
        if (ip) ip.deleteProtected = action.params["delete"] === true;
      });
    },
  },
};

async function setAssignee(
  cloud: Cloud,
  [ip, server]: readonly ResourceRef[],
  to: number | null,
): Promise<void> {
  cloud.store.change((state) => {
    const found = state.primaryIps[ip?.id ?? 0];
    if (!found) throw notFound("primary IP", ip?.id ?? 0);
    found.assignee = to;
  });
  if (server) await cloud.publish.addresses(server.id);
}

function assertAssignable(state: State, ip: PrimaryIp, server: Server): void {
  if (ip.assignee !== null) {
    throw new ApiError(
      "primary_ip_already_assigned",
      `primary IP ${ip.id} is assigned to server ${ip.assignee}`,
    );
  }
  if (ip.location !== server.location) {
    throw new ApiError(
      "primary_ip_datacenter_mismatch",
      `primary IP ${ip.id} is in ${ip.location}, server ${server.id} in ${server.location}`,
    );
  }
  if (primaryIpOf(state, server.id, ip.type)) {
    throw new ApiError(
      `server_has_${ip.type}`,
      `server ${server.id} already has a primary ${ip.type} address`,
    );
  }
  assertOff(server);
}

/** Throws 422 unless the server is powered off. */
export function assertOff(server: Server): void {
  if (server.status !== "off")
    throw new ApiError("server_not_stopped", `server ${server.id} has to be powered off first`);
}

function assertProtectable(autoDelete: boolean, deleteProtected: boolean, field: string): void {
  if (autoDelete && deleteProtected) {
    throw invalidField(field, "delete protection and auto_delete exclude each other");
  }
}

function refs(ip: PrimaryIp, server: number): ResourceRef[] {
  return [
    { id: ip.id, type: "primary_ip" },
    { id: server, type: "server" },
  ];
}

function renderPrimaryIp(ip: PrimaryIp): Record<string, unknown> {
  return {
    id: ip.id,
    name: ip.name,
    type: ip.type,
    ip: ip.ip,
    labels: ip.labels,
    protection: { delete: ip.deleteProtected },
    dns_ptr: renderDnsPtr(ip),
    assignee_id: ip.assignee,
    assignee_type: ip.assignee === null ? "unassigned" : "server",
    auto_delete: ip.autoDelete,
    blocked: false,
    created: ip.created,
    location: renderLocation(ip.location),
  };
}
