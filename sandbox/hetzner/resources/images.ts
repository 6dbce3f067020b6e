import type { CommandTable } from "../actions";
import { images, serverTypes } from "../catalogue";
import type { Cloud } from "../cloud";
import { ApiError, notFound, unsupported } from "../errors";
import { findImage } from "../images";
import { checkLabels } from "../labels";
import type { Labels, Server, Snapshot, State } from "../model";
import { listAnswer, queryOne } from "../pagination";
import { renderImage, renderSnapshot, renderSystemImage } from "../renderImage";
import { actionAnswer, type ById, byId, type Routes } from "../routes";
import { flag, labels, object, optionalObject, text } from "../schemas";
import { type Store, takeId } from "../store";

const create = optionalObject({ type: { enum: ["snapshot", "backup"] }, description: text, labels });
const update = object({ description: text, type: { enum: ["snapshot"] }, labels });
const protection = object({ delete: flag });

interface Creation {
  readonly type?: "snapshot" | "backup";
  readonly description?: string;
  readonly labels?: Labels;
}

/** System images, and the project's snapshots. Backups are not emulated, so lists of them are empty. */
export const imageRoutes: Routes = (app, cloud) => {
  const { store, actions } = cloud;

  app.get("/images", (request) => {
    const deprecatedToo = queryOne(request, "include_deprecated")?.toLowerCase() === "true";
    const bound = queryOne(request, "bound_to") !== undefined;
    const all = [
      ...images
        .filter(({ deprecated }) => deprecatedToo || deprecated === null)
        .map((image) => renderSystemImage(image)),
      ...Object.values(store.state.snapshots)
        .filter(({ deleted }) => deleted === null)
        .map((snapshot) => renderSnapshot(cloud, snapshot)),
    ];
    return listAnswer(request, "images", bound ? [] : all, ["type", "status", "architecture"]);
  });

  app.get<ById>("/images/:id", ({ params: { id } }) => {
    const image = findImage(store.state, Number(id));
    if (!image || ("deleted" in image && image.deleted !== null)) throw notFound("image", id);
    return { image: renderImage(cloud, image.id) };
  });

  app.put<ById<{ description?: string; labels?: Labels }>>(
    "/images/:id",
    { schema: { body: update } },
    (request) => {
      const { description, labels: wanted } = request.body;
      const id = store.change((state) => {
        const snapshot = snapshotById(state, request.params.id);
        if (wanted) snapshot.labels = checkLabels(wanted);
        if (description !== undefined) snapshot.description = description;
        return snapshot.id;
      });
      return { image: renderImage(cloud, id) };
    },
  );

  app.delete<ById>("/images/:id", async (request, reply) => {
    const { id, deleteProtected } = snapshotById(store.state, request.params.id);
    if (deleteProtected) throw new ApiError("protected", `image ${id} is protected against deletion`);
    actions.assertUnlocked(store.state, { type: "image", id });
    await removeSnapshot(cloud, id);
    return reply.code(204).send();
  });

  app.post<ById<{ delete?: boolean }>>(
    "/images/:id/actions/change_protection",
    { schema: { body: protection } },
    (request, reply) => {
      const action = store.change((state) => {
        const { id, deleteProtected } = snapshotById(state, request.params.id);
        const params = { protected: request.body.delete ?? deleteProtected };
        return actions.begin(state, "change_protection", [{ type: "image", id }], { params });
      });
      return reply.code(201).send(actionAnswer(action));
    },
  );

  app.post<ById<Creation | null>>(
    "/servers/:id/actions/create_image",
    { schema: { body: create } },
    (request, reply) => {
      if (request.body?.type === "backup") throw unsupported("an image of type backup");
      const made = store.change((state) => {
        const server = byId("server", state.servers, request);
        actions.assertUnlocked(state, { type: "server", id: server.id });
        const snapshot = newSnapshot(cloud, state, server, request.body ?? {});
        const resources = [
          { type: "server", id: server.id },
          { type: "image", id: snapshot.id },
        ] as const;
        return { id: snapshot.id, action: actions.begin(state, "create_image", resources) };
      });
      return reply.code(201).send({ image: renderImage(cloud, made.id), ...actionAnswer(made.action) });
    },
  );
};

function newSnapshot(cloud: Cloud, state: State, server: Server, body: Creation): Snapshot {
  const type = serverTypes.find(({ name }) => name === server.serverType);
  const image = findImage(state, server.image);
  if (!type || !image) throw new Error(`server ${server.id} has an unknown type or image`);
  const snapshot: Snapshot = {
    id: takeId(state),
    description: body.description ?? "",
    labels: checkLabels(body.labels),
    created: cloud.clock().toISOString(),
    createdFrom: { id: server.id, name: server.name },
    diskSize: server.primaryDiskSize,
    version: image.version,
    architecture: type.architecture,
    bytes: null,
    deleteProtected: false,
    deleted: null,
  };
  state.snapshots[snapshot.id] = snapshot;
  return snapshot;
}

/** Snapshot of that id. @throws for a system image, which nobody may change, and for an unknown one */
function snapshotById(state: State, id: string): Snapshot {
  const image = findImage(state, Number(id));
  if (!image || ("deleted" in image && image.deleted !== null)) throw notFound("image", id);
  if ("flavor" in image) throw new ApiError("forbidden", `image ${id} is a system image`);
  return image;
}

/** Removes a snapshot. Servers that were made from it go on. */
export async function removeSnapshot({ store, runtime, clock }: Cloud, id: number): Promise<void> {
  await runtime.deleteSnapshot(String(id));
  store.change((state) => {
    const snapshot = state.snapshots[id];
    if (snapshot) snapshot.deleted = clock().toISOString();
  });
}

/** Effects of the actions of images. */
export const imageCommands: CommandTable = {
  create_image: {
    locks: true,
    async perform({ store, runtime }, action) {
      const [server, image] = action.resources;
      if (!server || !image) throw new Error(`action ${action.id} names no server and image`);
      const bytes = await runtime.createSnapshot(String(image.id), String(server.id));
      changeSnapshot(store, image.id, (snapshot) => (snapshot.bytes = bytes));
    },
  },
  "image:change_protection": {
    locks: false,
    async perform({ store }, action) {
      changeSnapshot(store, action.resources[0]?.id ?? 0, (snapshot) => {
        snapshot.deleteProtected = action.params["protected"] === true;
      });
    },
  },
};

function changeSnapshot(store: Store, id: number, change: (snapshot: Snapshot) => void): void {
  store.change((state) => {
    const snapshot = state.snapshots[id];
    if (!snapshot) throw notFound("image", id);
    change(snapshot);
  });
}
