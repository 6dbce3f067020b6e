import { find, serverTypes } from "../catalogue";
import { ApiError, invalidField } from "../errors";
import type { Action, Server, State } from "../model";
import { primaryIpOf } from "../published";
import { type DnsPtrChange, dnsPtrSchema, readDnsPtrChange } from "../reverseDns";
import { actionAnswer, type ById, byId, type Routes } from "../routes";
import { flag, id, idOrName, noBody, object } from "../schemas";
import { assertOrderable, checkPlacementGroup } from "../serverOrder";
import { assertOff } from "./primaryIps";

const changeType = object({ server_type: idOrName, upgrade_disk: flag }, "server_type", "upgrade_disk");
const protection = object({ delete: flag, rebuild: flag });
const addToGroup = object({ placement_group: id }, "placement_group");

/** POST /servers/{id}/actions/*. */
export const serverActionRoutes: Routes = (app, cloud) => {
  const { store, actions, clock } = cloud;

  /** Adds one endpoint; `check` refuses, and returns the action's parameters. */
  function endpoint<Body>(
    name: string,
    command: string,
    body: object,
    check: (state: State, server: Server, body: Body) => Record<string, unknown> | undefined = () =>
      undefined,
  ): void {
    app.post<ById<Body>>(`/servers/:id/actions/${name}`, { schema: { body } }, (request, reply) => {
      const action: Action = store.change((state) => {
        const server = byId("server", state.servers, request);
        actions.assertUnlocked(state, { id: server.id, type: "server" });
        const params = check(state, server, request.body as Body);
        return actions.begin(state, command, [{ id: server.id, type: "server" }], { params });
      });
      return reply.code(201).send(actionAnswer(action));
    });
  }

  endpoint("poweron", "start_server", noBody);
  endpoint("poweroff", "stop_server", noBody);
  endpoint("shutdown", "shutdown_server", noBody);
  endpoint("reboot", "reboot_server", noBody);
  endpoint("reset", "reset_server", noBody);
  endpoint("enable_backup", "enable_backup", noBody);
  endpoint("disable_backup", "disable_backup", noBody);

  endpoint<{ server_type: number | string; upgrade_disk: boolean }>(
    "change_type",
    "change_server_type",
    changeType,
    (_state, server, body) => {
      const type = find(serverTypes, body.server_type);
      const current = find(serverTypes, server.serverType);
      if (!type) throw invalidField("server_type", `server type '${body.server_type}' not found`);
      if (type.name === server.serverType) {
        throw new ApiError("invalid_server_type", `server ${server.id} already has type ${type.name}`);
      }
      if (type.architecture !== current?.architecture) {
        throw new ApiError("invalid_server_type", `type ${type.name} has another architecture`);
      }
      if (type.disk < server.primaryDiskSize) {
        throw new ApiError(
          "invalid_server_type",
          `the disk of type ${type.name} (${type.disk} GB) is smaller than the server's (${server.primaryDiskSize} GB)`,
        );
      }
      assertOff(server);
      assertOrderable(type, server.location, clock());
      return { type: type.name, upgradeDisk: body.upgrade_disk };
    },
  );

  endpoint<{ delete?: boolean; rebuild?: boolean }>(
    "change_protection",
    "change_protection",
    protection,
    (_state, server, body) => {
      const wanted = body.delete ?? server.protected;
      if (wanted !== (body.rebuild ?? server.protected)) {
        throw invalidField("rebuild", "delete and rebuild protection have to be the same");
      }
      return { protected: wanted };
    },
  );

  endpoint<{ placement_group: number }>(
    "add_to_placement_group",
    "add_to_placement_group",
    addToGroup,
    (state, server, body) => {
      assertOff(server);
      checkPlacementGroup(state, body.placement_group);
      return { placementGroup: body.placement_group };
    },
  );
  endpoint("remove_from_placement_group", "remove_from_placement_group", noBody);

  app.post<ById<DnsPtrChange>>(
    "/servers/:id/actions/change_dns_ptr",
    { schema: { body: dnsPtrSchema } },
    (request, reply) => {
      const action = store.change((state) => {
        const server = byId("server", state.servers, request);
        const ip = primaryIpOf(state, server.id, request.body.ip.includes(":") ? "ipv6" : "ipv4");
        if (!ip) throw invalidField("ip", `'${request.body.ip}' does not belong to server ${server.id}`);
        const params = { primaryIp: ip.id, change: readDnsPtrChange(ip, request.body) };
        return actions.begin(state, "change_dns_ptr", [{ id: server.id, type: "server" }], { params });
      });
      return reply.code(201).send(actionAnswer(action));
    },
  );
};
