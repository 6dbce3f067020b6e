import { find, serverTypes } from "../catalogue";
import { ApiError, invalidField } from "../errors";
import type { Server } from "../model";
import { actionRoutes, type Routes } from "../routes";
import { flag, id, idOrName, noBody, object } from "../schemas";
import { assertOrderable } from "../serverOrder";
import { assertRoomInGroup } from "./placementGroups";
import { assertOff } from "./primaryIps";

const changeType = object({ server_type: idOrName, upgrade_disk: flag }, "server_type", "upgrade_disk");
const addToGroup = object({ placement_group: id }, "placement_group");
const protection = object({ delete: flag, rebuild: flag });

/** POST /servers/{id}/actions/*. */
export const serverActionRoutes: Routes = (app, cloud) => {
  const { actions, clock, store } = cloud;
  const actionRoute = actionRoutes(app, cloud, {
    kind: "server",
    keys: ["servers", "server"],
    objects: ({ servers }) => servers,
  });

  /** Adds one endpoint; `check` refuses, and returns the action's parameters. */
  function endpoint<Body>(
    name: string,
    command: string,
    body: object,
    check: (server: Server, body: Body) => Record<string, unknown> | undefined = () => undefined,
  ): void {
    actionRoute<Body>(name, body, (state, server, asked) => {
      const self = { id: server.id, type: "server" } as const;
      actions.assertUnlocked(state, self);
      return actions.begin(state, command, [self], { params: check(server, asked) });
    });
  }

  endpoint("poweron", "start_server", noBody);
  endpoint("poweroff", "stop_server", noBody);
  endpoint("shutdown", "shutdown_server", noBody);
  endpoint("reboot", "reboot_server", noBody);
  endpoint("enable_backup", "enable_backup", noBody);
  endpoint("disable_backup", "disable_backup", noBody);

  endpoint<{ server_type: number | string; upgrade_disk: boolean }>(
    "change_type",
    "change_server_type",
    changeType,
    (server, body) => {
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

  endpoint<{ placement_group: number }>(
    "add_to_placement_group",
    "add_to_placement_group",
    addToGroup,
    (server, { placement_group: placementGroup }) => {
      assertOff(server);
      assertRoomInGroup(store.state, placementGroup);
      return { placementGroup };
    },
  );

  endpoint<{ delete?: boolean; rebuild?: boolean }>(
    "change_protection",
    "change_protection",
    protection,
    (server, body) => {
      const wanted = body.delete ?? server.protected;
      if (wanted !== (body.rebuild ?? server.protected)) {
        throw invalidField("rebuild", "delete and rebuild protection have to be the same");
      }
      return { protected: wanted };
    },
  );
};
