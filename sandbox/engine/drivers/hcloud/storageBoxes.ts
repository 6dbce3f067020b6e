import type { Context, Created, Kind } from "../../driver";
import { isObject, type Values } from "../../wire";
import type { Action } from "./client";
import {
  afterCreate,
  api,
  boxApi,
  changed,
  labelsOf,
  ours,
  set,
  unlessGone,
  type Named,
  type Protection,
} from "./common";

interface StorageBox extends Named {
  readonly username: string | null;
  readonly server: string | null;
  readonly system: string | null;
  readonly storage_box_type: { readonly name: string };
  readonly location: { readonly name: string };
  readonly access_settings: Readonly<Record<string, boolean>>;
  readonly protection: Protection;
  readonly snapshot_plan: SnapshotPlan | null;
}

interface SnapshotPlan {
  readonly max_snapshots: number;
  readonly minute: number;
  readonly hour: number;
}

/** Switches by the provider's names. One that is not given is off. */
const SWITCHES: Readonly<Record<string, string>> = {
  reachableExternally: "reachable_externally",
  sambaEnabled: "samba_enabled",
  sshEnabled: "ssh_enabled",
  webdavEnabled: "webdav_enabled",
  zfsEnabled: "zfs_enabled",
};

function accessOf(inputs: Values): Record<string, boolean> {
  const given = isObject(inputs.accessSettings) ? inputs.accessSettings : {};
  return Object.fromEntries(Object.entries(SWITCHES).map(([ours, theirs]) => [theirs, given[ours] === true]));
}

/** Plan in the API's words: each day. */
function planOf({ snapshotPlan }: Values): object {
  const { maxSnapshots, minute, hour } = snapshotPlan as Values;
  return { max_snapshots: maxSnapshots, minute, hour, day_of_week: null, day_of_month: null };
}

async function act(id: number | string, action: string, context: Context, body: object): Promise<void> {
  const answer = await boxApi(context).post<{ action: Action }>(
    `/storage_boxes/${id}/actions/${action}`,
    body,
  );
  await api(context).wait([answer.action]);
}

async function finish(id: number, inputs: Values, context: Context): Promise<Created> {
  return afterCreate(id, inputs, async () => {
    await act(id, "change_protection", context, { delete: inputs.deleteProtection ?? false });
    await act(id, "enable_snapshot_plan", context, planOf(inputs));
    return { id: String(id), outputs: await read(id, inputs, context) };
  });
}

async function find(id: number | string, context: Context): Promise<StorageBox | undefined> {
  const found = await unlessGone(() =>
    boxApi(context).get<{ storage_box: StorageBox }>(`/storage_boxes/${id}`),
  );
  return found?.storage_box;
}

async function read(id: number | string, inputs: Values, context: Context): Promise<Values> {
  const found = await find(id, context);
  if (found === undefined) throw new Error(`storage box ${id} is not there any more`);
  return { ...inputs, ...seen(found) };
}

/** Properties by the API's answer. It tells neither password nor keys. */
function seen(box: StorageBox): Values {
  const { snapshot_plan: plan } = box;
  const snapshotPlan = plan && {
    ...{ maxSnapshots: plan.max_snapshots, minute: plan.minute, hour: plan.hour },
  };
  return set({
    name: box.name,
    labels: { ...box.labels },
    location: box.location.name,
    storageBoxType: box.storage_box_type.name,
    username: box.username ?? "",
    server: box.server ?? "",
    system: box.system ?? "",
    accessSettings: Object.fromEntries(
      Object.entries(SWITCHES).map(([ours, theirs]) => [ours, box.access_settings[theirs] === true]),
    ),
    deleteProtection: box.protection.delete,
    snapshotPlan,
  }) as Values;
}

export const storageBox: Kind = {
  keys: [
    ...["name", "storageBoxType", "location", "password", "sshKeys", "labels"],
    ...["accessSettings", "snapshotPlan", "deleteProtection"],
  ],
  replaceKeys: ["location", "sshKeys"],
  secretOutputs: ["password"],
  deleteBeforeReplace: true,
  create: async (inputs, context) => {
    const labels = labelsOf(inputs);
    const answer = await boxApi(context).post<{ storage_box: StorageBox; action: Action }>(
      "/storage_boxes",
      set({
        name: inputs.name,
        storage_box_type: inputs.storageBoxType,
        location: inputs.location,
        labels: Object.keys(labels).length > 0 ? labels : undefined,
        password: inputs.password,
        ssh_keys: inputs.sshKeys,
        access_settings: accessOf(inputs),
      }),
    );
    const { id } = answer.storage_box;
    return afterCreate(id, inputs, async () => {
      await api(context).wait([answer.action]);
      return finish(id, inputs, context);
    });
  },
  update: async ({ id, inputs: old }, inputs, context) => {
    if (changed(old, inputs, "deleteProtection"))
      await act(id, "change_protection", context, { delete: inputs.deleteProtection ?? false });
    if (changed(old, inputs, "snapshotPlan")) await act(id, "enable_snapshot_plan", context, planOf(inputs));
    if (changed(old, inputs, "storageBoxType"))
      await act(id, "change_type", context, { storage_box_type: inputs.storageBoxType });
    if (changed(old, inputs, "accessSettings"))
      await act(id, "update_access_settings", context, accessOf(inputs));
    await boxApi(context).put(
      `/storage_boxes/${id}`,
      set({
        name: changed(old, inputs, "name") ? inputs.name : undefined,
        labels: changed(old, inputs, "labels") ? labelsOf(inputs) : undefined,
      }),
    );
    return read(id, inputs, context);
  },
  delete: async ({ id, inputs }, context) => {
    const gone = await unlessGone(async () => {
      if (inputs.deleteProtection === true) await act(id, "change_protection", context, { delete: false });
      return boxApi(context).delete<{ action: Action }>(`/storage_boxes/${id}`);
    });
    if (gone) await api(context).wait([gone.action]);
  },
  read: async ({ id }, context) => {
    const found = await find(id, context);
    return found && seen(found);
  },
  adopt: async (inputs, context) => {
    const found = await ours<StorageBox>(context, "storage_boxes", inputs, boxApi(context));
    return found === undefined ? undefined : finish(found.id, inputs, context);
  },
};
