import type { CommandTable } from "../actions";
import { freeAddress, takeAddress } from "../addresses";
import { find, locations } from "../catalogue";
import type { Cloud } from "../cloud";
import { ApiError, invalidField, notFound } from "../errors";
import { checkLabels } from "../labels";
import type { Labels, PrimaryIp, ResourceRef, Server, State } from "../model";
import { listAnswer, queryOne } from "../pagination";
import { primaryIpOf } from "../published";
import { renderLocation } from "../renderCatalogue";
import { type DnsPtrChange, dnsPtrSchema, readDnsPtrChange, renderDnsPtr } from "../reverseDns";
import { actionAnswer, assertNameFree, type ById, byId, type Routes } from "../routes";
import { flag, id, idOrName, labels, noBody, object, plainName } from "../schemas";
import { remove, takeId } from "../store";

const assigneeType = { enum: ["server"] } as const;
const create = object(
  {
    name: plainName(255),
    type: { enum: ["ipv4", "ipv6"] },
    labels,
    auto_delete: flag,
    location: idOrName,
    assignee_id: { type: ["integer", "null"] },
    assignee_type: { enum: ["server", "unassigned"] },
  },
  "name",
  "type",
);
const update = object({ name: plainName(255), labels, auto_delete: flag });
const assign = object({ assignee_id: id, assignee_type: assigneeType }, "assignee_id");
const protection = object({ delete: flag });

interface Creation {
  name: string;
  type: PrimaryIp["type"];
  labels?: Labels;
  auto_delete?: boolean;
  location?: number | string;
  assignee_id?: number | null;
}

export const primaryIpRoutes: Routes = (app, { store, actions, clock, runtime }) => {
  app.get("/primary_ips", (request, reply) => {
    const ip = queryOne(request, "ip");
    const wanted = Object.values(store.state.primaryIps).filter(
      (entry) => ip === undefined || entry.ip === ip,
    );
    return listAnswer(request, reply, "primary_ips", wanted.map(renderPrimaryIp));
  });

  app.post<{ Body: Creation }>("/primary_ips", { schema: { body: create } }, (request, reply) => {
    const { body } = request;
    const made = store.change((state) => {
      assertNameFree("primary IP", state.primaryIps, body.name);
      const server = body.assignee_id ? state.servers[body.assignee_id] : undefined;
      if (body.assignee_id && !server) throw notFound("server", body.assignee_id);
      if ((server === undefined) === (body.location === undefined)) {
        throw invalidField("location", "exactly one of location and assignee_id has to be given");
      }
      const location = server?.location ?? find(locations, body.location ?? "")?.name;
      if (!location) throw invalidField("location", `location '${body.location}' not found`);
      const ip = newPrimaryIp(state, clock(), { ...body, location, autoDelete: body.auto_delete ?? false });
      ip.labels = checkLabels(body.labels);
      if (!server) return { ip, action: undefined };
      assertAssignable(state, ip, server);
      actions.assertUnlocked(state, { id: server.id, type: "server" });
      return { ip, action: actions.begin(state, "assign_primary_ip", refs(ip, server.id)) };
    });
    return reply.code(201).send({
      primary_ip: renderPrimaryIp(made.ip),
      ...(made.action ? actionAnswer(made.action) : { action: null }),
    });
  });

  app.get("/primary_ips/:id", (request) => ({
    primary_ip: renderPrimaryIp(byId("primary IP", store.state.primaryIps, request)),
  }));

  app.put<ById<{ name?: string; labels?: Labels; auto_delete?: boolean }>>(
    "/primary_ips/:id",
    { schema: { body: update } },
    (request) => ({
      primary_ip: store.change((state) => {
        const ip = byId("primary IP", state.primaryIps, request);
        const name = request.body.name ?? ip.name;
        assertNameFree("primary IP", state.primaryIps, name, ip.id);
        const autoDelete = request.body.auto_delete ?? ip.autoDelete;
        assertProtectable(autoDelete, ip.deleteProtected, "auto_delete");
        if (request.body.labels) ip.labels = checkLabels(request.body.labels);
        ip.name = name;
        ip.autoDelete = autoDelete;
        return renderPrimaryIp(ip);
      }),
    }),
  );

  app.delete("/primary_ips/:id", async (request, reply) => {
    const ip = byId("primary IP", store.state.primaryIps, request);
    if (ip.deleteProtected)
      throw new ApiError("protected", `primary IP ${ip.id} is protected against deletion`);
    if (ip.assignee !== null) {
      throw new ApiError("must_be_unassigned", `primary IP ${ip.id} is assigned to server ${ip.assignee}`);
    }
    actions.assertUnlocked(store.state, { id: ip.id, type: "primary_ip" });
    await removePrimaryIp({ store, runtime }, ip.id);
    return reply.code(204).send();
  });

  app.post<ById<{ assignee_id: number }>>(
    "/primary_ips/:id/actions/assign",
    { schema: { body: assign } },
    (request, reply) => {
      const action = store.change((state) => {
        const ip = byId("primary IP", state.primaryIps, request);
        const server = state.servers[request.body.assignee_id];
        if (!server) throw notFound("server", request.body.assignee_id);
        actions.assertUnlocked(state, ...refs(ip, server.id));
        assertAssignable(state, ip, server);
        return actions.begin(state, "assign_primary_ip", refs(ip, server.id));
      });
      return reply.code(201).send(actionAnswer(action));
    },
  );

  app.post<ById>("/primary_ips/:id/actions/unassign", { schema: { body: noBody } }, (request, reply) => {
    const action = store.change((state) => {
      const ip = byId("primary IP", state.primaryIps, request);
      if (ip.assignee === null)
        throw new ApiError("primary_ip_not_assigned", `primary IP ${ip.id} is not assigned`);
      actions.assertUnlocked(state, ...refs(ip, ip.assignee));
      const server = state.servers[ip.assignee];
      if (server) assertOff(server);
      return actions.begin(state, "unassign_primary_ip", refs(ip, ip.assignee));
    });
    return reply.code(201).send(actionAnswer(action));
  });

  app.post<ById<DnsPtrChange>>(
    "/primary_ips/:id/actions/change_dns_ptr",
    { schema: { body: dnsPtrSchema } },
    (request, reply) => {
      const action = store.change((state) => {
        const ip = byId("primary IP", state.primaryIps, request);
        const params = { primaryIp: ip.id, change: readDnsPtrChange(ip, request.body) };
        return actions.begin(state, "change_dns_ptr", [{ id: ip.id, type: "primary_ip" }], { params });
      });
      return reply.code(201).send(actionAnswer(action));
    },
  );

  app.post<ById<{ delete?: boolean }>>(
    "/primary_ips/:id/actions/change_protection",
    { schema: { body: protection } },
    (request, reply) => {
      const action = store.change((state) => {
        const ip = byId("primary IP", state.primaryIps, request);
        const wanted = request.body.delete ?? ip.deleteProtected;
        assertProtectable(ip.autoDelete, wanted, "delete");
        const params = { delete: wanted };
        return actions.begin(state, "change_protection", [{ id: ip.id, type: "primary_ip" }], { params });
      });
      return reply.code(201).send(actionAnswer(action));
    },
  );
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
