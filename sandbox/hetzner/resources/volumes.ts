import { type CommandTable, renderAction } from "../actions";
import { find, locations, volumeSizes } from "../catalogue";
import { ApiError, invalidField, notFound, unsupported } from "../errors";
import { checkLabels } from "../labels";
import type { Labels, ResourceRef, Server, State, Volume } from "../model";
import { renderLocation } from "../renderCatalogue";
import {
  actionAnswer,
  actionRoutes,
  assertNameFree,
  byId,
  commonRoutes,
  type Kind,
  type Routes,
} from "../routes";
import { flag, id, idOrName, labels, noBody, object, volumeName } from "../schemas";
import { remove, takeId } from "../store";

const size = { type: "integer", minimum: volumeSizes.least, maximum: volumeSizes.most } as const;
const create = object(
  {
    name: volumeName,
    size,
    labels,
    location: idOrName,
    server: id,
    automount: flag,
    format: { enum: ["ext4", "xfs"] },
  },
  "name",
  "size",
);
const attach = object({ server: id, automount: flag }, "server");
const resize = object({ size }, "size");
const protection = object({ delete: flag });

/** Largest number of volumes on one server. */
const volumesPerServer = 16;

interface Creation {
  name: string;
  size: number;
  labels?: Labels;
  location?: number | string;
  server?: number;
  automount?: boolean;
  format?: "ext4" | "xfs";
}

export const volumeRoutes: Routes = (app, cloud) => {
  const { store, actions, runtime, clock } = cloud;
  const render = (volume: Volume): Record<string, unknown> => renderVolume(store.state, volume);
  const kind: Kind<Volume> = {
    kind: "volume",
    keys: ["volumes", "volume"],
    objects: ({ volumes }) => volumes,
    render,
    name: volumeName,
  };
  commonRoutes(app, cloud, kind);

  app.post<{ Body: Creation }>("/volumes", { schema: { body: create } }, (request, reply) => {
    const { body } = request;
    if (body.automount) throw unsupported("automount of volumes");
    const made = store.change((state) => {
      assertNameFree("volume", state.volumes, body.name);
      const server = body.server === undefined ? undefined : state.servers[body.server];
      if (body.server !== undefined && !server) throw notFound("server", body.server);
      if ((server === undefined) === (body.location === undefined)) {
        throw invalidField("location", "exactly one of location and server has to be given");
      }
      const location = server?.location ?? find(locations, body.location ?? "")?.name;
      if (!location) throw invalidField("location", `location '${body.location}' not found`);
      if (server) actions.assertUnlocked(state, { id: server.id, type: "server" });
      const volume: Volume = {
        id: takeId(state),
        name: body.name,
        size: body.size,
        labels: checkLabels(body.labels),
        location,
        format: body.format ?? null,
        deleteProtected: false,
        server: null,
        created: clock().toISOString(),
      };
      state.volumes[volume.id] = volume;
      const action = actions.begin(state, "create_volume", [ref(volume)]);
      const next = server
        ? [actions.begin(state, "attach_volume", refs(volume, server.id), { after: action })]
        : [];
      return { volume, action, next };
    });
    return reply.code(201).send({
      volume: render(made.volume),
      ...actionAnswer(made.action),
      next_actions: made.next.map(renderAction),
    });
  });

  app.delete("/volumes/:id", async (request, reply) => {
    const volume = byId("volume", store.state.volumes, request);
    if (volume.deleteProtected)
      throw new ApiError("protected", `volume ${volume.id} is protected against deletion`);
    actions.assertUnlocked(store.state, ref(volume));
    if (volume.server !== null) {
      throw new ApiError("resource_in_use", `volume ${volume.id} is attached to server ${volume.server}`);
    }
    await runtime.deleteVolume(String(volume.id));
    store.change((state) => remove(state.volumes, volume.id));
    return reply.code(204).send();
  });

  const actionRoute = actionRoutes(app, cloud, kind);
  actionRoute<{ server: number; automount?: boolean }>("attach", attach, (state, volume, body) => {
    if (body.automount) throw unsupported("automount of volumes");
    const server = state.servers[body.server];
    if (!server) throw notFound("server", body.server);
    assertAttachable(state, volume, server);
    actions.assertUnlocked(state, ...refs(volume, server.id));
    return actions.begin(state, "attach_volume", refs(volume, server.id));
  });
  actionRoute("detach", noBody, (state, volume) => {
    if (volume.server === null)
      throw new ApiError("volume_not_attached", `volume ${volume.id} is not attached`);
    actions.assertUnlocked(state, ...refs(volume, volume.server));
    return actions.begin(state, "detach_volume", refs(volume, volume.server));
  });
  actionRoute<{ size: number }>("resize", resize, (state, volume, body) => {
    if (body.size <= volume.size) {
      throw invalidField("size", `volume ${volume.id} has ${volume.size} GB and can only grow`);
    }
    actions.assertUnlocked(state, ref(volume));
    return actions.begin(state, "resize_volume", [ref(volume)], { params: { size: body.size } });
  });
  actionRoute<{ delete?: boolean }>("change_protection", protection, (state, volume, body) => {
    const params = { delete: body.delete ?? volume.deleteProtected };
    return actions.begin(state, "change_protection", [ref(volume)], { params });
  });
};

/** Path of the device in the guest. */
function devicePath(volume: number): string {
  return `/dev/disk/by-id/scsi-0HC_Volume_${volume}`;
}

/** Throws the errors that attaching would meet, except for locks. */
function assertAttachable(state: State, volume: Volume, server: Pick<Server, "id" | "location">): void {
  if (volume.server !== null) {
    throw new ApiError(
      "volume_already_attached",
      `volume ${volume.id} is attached to server ${volume.server}`,
    );
  }
  if (volume.location !== server.location) {
    throw invalidField(
      "server",
      `volume ${volume.id} is in ${volume.location}, the server in ${server.location}`,
    );
  }
  if (Object.values(state.volumes).filter((other) => other.server === server.id).length >= volumesPerServer) {
    throw new ApiError(
      "resource_limit_exceeded",
      `server ${server.id} already has ${volumesPerServer} volumes`,
    );
  }
}

export const volumeCommands: CommandTable = {
  create_volume: {
    locks: true,
    async perform({ store, runtime }, action) {
      const volume = volumeOf(store.state, action.resources);
      await runtime.createVolume(String(volume.id), volume.size, volume.format ?? undefined);
    },
  },
  attach_volume: {
    locks: true,
    async perform({ store, runtime }, action) {
      const { id: volume } = volumeOf(store.state, action.resources);
      const server = action.resources[1]?.id ?? 0;
      if (!store.state.servers[server]) throw notFound("server", server);
      await runtime.attachVolume(String(volume), String(server), devicePath(volume));
      store.change((state) => {
        volumeOf(state, action.resources).server = server;
      });
    },
  },
  detach_volume: {
    locks: true,
    async perform({ store, runtime }, action) {
      await runtime.detachVolume(String(volumeOf(store.state, action.resources).id));
      store.change((state) => {
        volumeOf(state, action.resources).server = null;
      });
    },
  },
  resize_volume: {
    locks: true,
    async perform({ store, runtime }, action) {
      const size = action.params["size"] as number;
      await runtime.resizeVolume(String(volumeOf(store.state, action.resources).id), size);
      store.change((state) => {
        volumeOf(state, action.resources).size = size;
      });
    },
  },
  "volume:change_protection": {
    locks: false,
    async perform({ store }, action) {
      store.change((state) => {
        volumeOf(state, action.resources).deleteProtected = action.params["delete"] === true;
      });
    },
  },
};

function volumeOf(state: State, [resource]: readonly ResourceRef[]): Volume {
  const volume = state.volumes[resource?.id ?? 0];
  if (!volume) throw notFound("volume", resource?.id ?? 0);
  return volume;
}

function ref(volume: Volume): ResourceRef {
  return { id: volume.id, type: "volume" };
}

function refs(volume: Volume, server: number): ResourceRef[] {
  return [ref(volume), { id: server, type: "server" }];
}

function renderVolume(state: State, volume: Volume): Record<string, unknown> {
  const creating = Object.values(state.actions).some(
    ({ command, status, resources }) =>
      command === "create_volume" && status === "running" && resources[0]?.id === volume.id,
  );
  return {
    id: volume.id,
    name: volume.name,
    size: volume.size,
    labels: volume.labels,
    server: volume.server,
    status: creating ? "creating" : "available",
    location: renderLocation(volume.location),
    format: volume.format,
    protection: { delete: volume.deleteProtected },
    linux_device: devicePath(volume.id),
    created: volume.created,
  };
}
