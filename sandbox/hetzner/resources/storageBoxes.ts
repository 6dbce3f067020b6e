import { type CommandTable, renderAction } from "../actions";
import { BOX_ZONE, find, locations, storageBoxTypes, type StorageBoxType } from "../catalogue";
import { ApiError, invalidField, notFound } from "../errors";
import { checkLabels } from "../labels";
import type { AccessSettings, Action, Labels, ResourceRef, SnapshotPlan, State, StorageBox } from "../model";
import { listAnswer } from "../pagination";
import { renderLocation, renderStorageBoxType } from "../renderCatalogue";
import {
  actionAnswer,
  actionRoutes,
  assertNameFree,
  type ById,
  byId,
  commonRoutes,
  type Kind,
  type Routes,
} from "../routes";
import { flag, idOrName, labels, object, plainName, text } from "../schemas";
import { remove, type Store, takeId } from "../store";
import type { StorageBoxSpec } from "../../runtime";

const switches = {
  ...{ reachable_externally: flag, samba_enabled: flag, ssh_enabled: flag },
  ...{ webdav_enabled: flag, zfs_enabled: flag },
};
const name = plainName(50);
const create = object(
  {
    ...{ name, labels, password: text, storage_box_type: idOrName, location: idOrName },
    ssh_keys: { type: "array", items: text },
    access_settings: object(switches),
  },
  "name",
  "storage_box_type",
  "location",
  "password",
);
const whole = (minimum: number, maximum: number) => ({ type: "integer", minimum, maximum }) as const;
const day = (maximum: number) => ({ type: ["integer", "null"], minimum: 1, maximum }) as const;
const plan = object(
  {
    ...{ max_snapshots: whole(1, 100), minute: whole(0, 59), hour: whole(0, 23) },
    ...{ day_of_week: day(7), day_of_month: day(31) },
  },
  "max_snapshots",
  "minute",
  "hour",
);

interface Creation {
  readonly name: string;
  readonly storage_box_type: number | string;
  readonly location: number | string;
  readonly password: string;
  readonly labels?: Labels;
  readonly ssh_keys?: readonly string[];
  readonly access_settings?: Partial<AccessSettings>;
}

const allOff: AccessSettings = {
  ...{ reachable_externally: false, samba_enabled: false, ssh_enabled: false },
  ...{ webdav_enabled: false, zfs_enabled: false },
};

/** Storage Boxes and their types. Contents, subaccounts and snapshots are not emulated; of a plan only that there is one. */
export const storageBoxRoutes: Routes = (app, cloud) => {
  const { store, actions, clock } = cloud;
  const kind: Kind<StorageBox> = {
    kind: "storage box",
    keys: ["storage_boxes", "storage_box"],
    objects: ({ storageBoxes }) => storageBoxes,
    render: renderStorageBox,
    name,
  };
  commonRoutes(app, cloud, kind);
  app.get("/storage_box_types", (request) =>
    listAnswer(request, "storage_box_types", storageBoxTypes.map(renderStorageBoxType)),
  );
  app.get("/storage_boxes/actions/:id", (request) => ({
    action: renderAction(byId("action", store.state.actions, request)),
  }));

  app.post<{ Body: Creation }>("/storage_boxes", { schema: { body: create } }, (request, reply) => {
    const { body } = request;
    const type = typeOf(body.storage_box_type);
    const location = find(locations, body.location)?.name ?? "";
    if (!type.locations.includes(location))
      throw invalidField("location", `${type.name} is not offered in location '${body.location}'`);
    checkPassword(body.password);
    const { box, action } = store.change((state) => {
      assertNameFree("storage box", state.storageBoxes, body.name);
      const made: StorageBox = {
        ...{
          id: takeId(state),
          name: body.name,
          labels: checkLabels(body.labels),
          type: type.name,
          location,
        },
        sshPublicKeys: body.ssh_keys ?? [],
        access: { ...allOff, ...body.access_settings },
        ...{ snapshotPlan: null, deleteProtected: false, username: null },
        created: clock().toISOString(),
      };
      state.storageBoxes[made.id] = made;
      return { box: made, action: actions.begin(state, "create", [ref(made)]) };
    });
    return reply.code(201).send({ storage_box: renderStorageBox(box), ...actionAnswer(action) });
  });

  app.delete<ById>("/storage_boxes/:id", (request, reply) => {
    const action = store.change((state) => {
      const box = byId("storage box", state.storageBoxes, request);
      if (box.deleteProtected)
        throw new ApiError("protected", `storage box ${box.id} is protected against deletion`);
      return begin(state, box, "delete");
    });
    return reply.code(201).send(actionAnswer(action));
  });

  function begin(state: State, box: StorageBox, command: string, params: object = {}): Action {
    actions.assertUnlocked(state, ref(box));
    return actions.begin(state, command, [ref(box)], { params: { ...params } });
  }

  const actionRoute = actionRoutes(app, cloud, kind);
  actionRoute<object>("change_protection", object({ delete: flag }), (state, box, body) =>
    begin(state, box, "change_protection", body),
  );
  actionRoute<Pick<Creation, "storage_box_type">>(
    "change_type",
    object({ storage_box_type: idOrName }, "storage_box_type"),
    (state, box, body) => begin(state, box, "change_type", { type: typeOf(body.storage_box_type).name }),
  );
  actionRoute<object>("update_access_settings", object(switches), (state, box, body) =>
    begin(state, box, "update_access_settings", body),
  );
  actionRoute<SnapshotPlan>("enable_snapshot_plan", plan, (state, box, body) => {
    const most = typeOf(box.type).snapshots;
    if (body.max_snapshots > most)
      throw invalidField("max_snapshots", `${box.type} keeps ${most} snapshots at most`);
    return begin(state, box, "enable_snapshot_plan", body);
  });
};

function typeOf(wanted: number | string): StorageBoxType {
  const type = find(storageBoxTypes, wanted);
  if (!type) throw invalidField("storage_box_type", `storage box type '${wanted}' not found`);
  return type;
}

/** @see https://docs.hetzner.cloud/reference/hetzner#storage-boxes-password-policy */
function checkPassword(password: string): void {
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/];
  if (password.length < 12 || password.length > 128 || kinds.some((kind) => !kind.test(password)))
    throw invalidField("password", "the password does not meet the policy");
}

/** Effects that only the state has. */
function stateful(change: (box: StorageBox, params: Action["params"]) => void): CommandTable[string] {
  return {
    locks: true,
    perform: async ({ store }, action) => {
      store.change((state) => change(boxOf(state, action.resources), action.params));
      await Promise.resolve();
    },
  };
}

export const storageBoxCommands: CommandTable = {
  "storage_box:create": {
    locks: true,
    async perform({ store, runtime }, action) {
      const box = boxOf(store.state, action.resources);
      const username = `u${400_000 + box.id}`;
      await runtime.setStorageBox(specOf(box, username));
      store.change((state) => {
        boxOf(state, action.resources).username = username;
      });
    },
  },
  "storage_box:delete": {
    locks: true,
    async perform({ store, runtime }, { resources }) {
      const { id, username } = boxOf(store.state, resources);
      if (username !== null) await runtime.deleteStorageBox(username);
      store.change((state) => remove(state.storageBoxes, id));
    },
  },
  "storage_box:change_protection": stateful((box, params) => {
    box.deleteProtected = params["delete"] === true;
  }),
  "storage_box:change_type": stateful((box, params) => {
    box.type = String(params["type"]);
  }),
  "storage_box:enable_snapshot_plan": stateful((box, params) => {
    const { day_of_week = null, day_of_month = null, ...when } = params as unknown as SnapshotPlan;
    box.snapshotPlan = { ...when, day_of_week, day_of_month };
  }),
  "storage_box:update_access_settings": {
    locks: true,
    async perform({ store, runtime }, action) {
      const wanted = accessAfter(store, action);
      const box = boxOf(store.state, action.resources);
      await runtime.setStorageBox(specOf({ ...box, access: wanted }, box.username ?? ""));
      store.change((state) => {
        boxOf(state, action.resources).access = wanted;
      });
    },
  },
};

function accessAfter(store: Store, { resources, params }: Action): AccessSettings {
  return { ...boxOf(store.state, resources).access, ...(params as Partial<AccessSettings>) };
}

function specOf({ sshPublicKeys, access }: StorageBox, username: string): StorageBoxSpec {
  return { username, sshPublicKeys, ssh: access.ssh_enabled };
}

function boxOf(state: State, [resource]: readonly ResourceRef[]): StorageBox {
  const box = state.storageBoxes[resource?.id ?? 0];
  if (!box) throw notFound("storage box", resource?.id ?? 0);
  return box;
}

function ref(box: StorageBox): ResourceRef {
  return { id: box.id, type: "storage_box" };
}

function renderStorageBox(box: StorageBox): Record<string, unknown> {
  const { id, username } = box;
  const type = typeOf(box.type);
  return {
    ...{ id, username, name: box.name, labels: box.labels, created: box.created },
    status: username === null ? "initializing" : "active",
    storage_box_type: renderStorageBoxType(type),
    location: renderLocation(box.location),
    access_settings: box.access,
    server: username === null ? null : `${username}.${BOX_ZONE}`,
    system: username === null ? null : `${box.location.toUpperCase()}-BX1`,
    stats: { size: type.terabytes * 1024 ** 4, size_data: 0, size_snapshots: 0 },
    protection: { delete: box.deleteProtected },
    snapshot_plan: box.snapshotPlan,
  };
}
