import { randomBytes } from "node:crypto";

import { renderAction } from "../actions";
import type { Cloud } from "../cloud";
import { ApiError } from "../errors";
import { checkLabels } from "../labels";
import type { Action, PrimaryIp, Server, State } from "../model";
import { renderServer } from "../renderServer";
import { actionAnswer, assertNameFree, byId, commonRoutes, type Routes } from "../routes";
import { hostName } from "../schemas";
import { checkOrder, type ServerOrder, serverOrderSchema } from "../serverOrder";
import { takeId } from "../store";
import { newPrimaryIp } from "./primaryIps";

export const serverRoutes: Routes = (app, cloud) => {
  const { store, actions } = cloud;
  commonRoutes<Server>(app, cloud, {
    kind: "server",
    keys: ["servers", "server"],
    objects: ({ servers }) => servers,
    render: (server) => renderServer(cloud, server),
    filters: ["status"],
    name: hostName,
  });

  app.post<{ Body: ServerOrder }>("/servers", { schema: { body: serverOrderSchema } }, (request, reply) => {
    const made = store.change((state) => placeOrder(cloud, state, request.body));
    return reply.code(201).send({
      server: renderServer(cloud, made.server),
      ...actionAnswer(made.action),
      next_actions: made.next.map(renderAction),
      root_password: made.server.sshPublicKeys.length > 0 ? null : randomBytes(15).toString("base64url"),
    });
  });

  app.delete("/servers/:id", (request) => {
    const action = store.change((state) => {
      const server = byId("server", state.servers, request);
      if (server.protected)
        throw new ApiError("protected", `server ${server.id} is protected against deletion`);
      actions.assertUnlocked(state, { id: server.id, type: "server" });
      server.status = "deleting";
      return actions.begin(state, "delete_server", [{ id: server.id, type: "server" }]);
    });
    return actionAnswer(action);
  });
};

function placeOrder(
  { actions, clock }: Cloud,
  state: State,
  order: ServerOrder,
): { server: Server; action: Action; next: Action[] } {
  assertNameFree("server", state.servers, order.name);
  const newLabels = checkLabels(order.labels);
  const { type, image, location, sshKeys, ips } = checkOrder(state, order, clock());
  const id = takeId(state);
  const server: Server = {
    id,
    name: order.name,
    labels: newLabels,
    created: clock().toISOString(),
    status: "initializing",
    serverType: type.name,
    image: image.id,
    location,
    userData: order.user_data ?? "",
    sshPublicKeys: sshKeys.map((key) => key.publicKey.trim()),
    primaryDiskSize: type.disk,
    backups: false,
    protected: false,
    placementGroup: order.placement_group ?? null,
    hostExists: false,
  };
  state.servers[id] = server;
  const now = clock();
  for (const kind of ["ipv4", "ipv6"] as const satisfies readonly PrimaryIp["type"][]) {
    const choice = ips[kind];
    if (choice === "none") continue;
    const ip =
      choice === "new" ? newPrimaryIp(state, now, { type: kind, location, autoDelete: true }) : choice;
    ip.assignee = id;
  }
  for (const { firewall } of order.firewalls ?? []) {
    const found = state.firewalls[firewall];
    if (found) found.targets = [...found.targets, { type: "server", server: id }];
  }

  const start = order.start_after_create !== false;
  const self = [{ id, type: "server" }] as const;
  const action = actions.begin(state, "create_server", self, { params: { start } });
  const next = start ? [actions.begin(state, "start_server", self, { after: action })] : [];
  return { server, action, next };
}
