import type { Context, Created, Kind } from "../../driver";
import type { Values } from "../../wire";
import { api, changed, labelsOf, ours, unlessGone, type Named } from "./common";

interface PlacementGroup extends Named {
  readonly servers: readonly number[];
}

const path = (id: number | string) => `/placement_groups/${id}`;

function created({ id, servers }: PlacementGroup, inputs: Values): Created {
  return { id: String(id), outputs: { ...inputs, servers: [...servers] } };
}

async function read(id: string, context: Context): Promise<PlacementGroup> {
  return (await api(context).get<{ placement_group: PlacementGroup }>(path(id))).placement_group;
}

export const placementGroup: Kind = {
  keys: ["name", "type", "labels"],
  create: async (inputs, context) => {
    const labels = labelsOf(inputs);
    const { placement_group } = await api(context).post<{ placement_group: PlacementGroup }>(
      "/placement_groups",
      {
        name: inputs.name,
        ...(Object.keys(labels).length > 0 ? { labels } : {}),
        type: inputs.type,
      },
    );
    return created(placement_group, inputs);
  },
  update: async ({ id, inputs: old }, inputs, context) => {
    await read(id, context);
    if (changed(old, inputs, "name")) await api(context).put(path(id), { name: inputs.name });
    if (changed(old, inputs, "labels")) await api(context).put(path(id), { labels: labelsOf(inputs) });
    return created(await read(id, context), inputs).outputs;
  },
  // The provider does not bear one that is gone.
  delete: async ({ id }, context) => {
    await api(context).delete(path(id));
  },
  read: async ({ id }, context) => {
    const found = await unlessGone(() => read(id, context));
    return found && { name: found.name, labels: { ...found.labels } };
  },
  adopt: async (inputs, context) => {
    const found = await ours<PlacementGroup>(context, "placement_groups", inputs);
    return found === undefined ? undefined : created(found, inputs);
  },
};
