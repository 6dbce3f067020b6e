import type { Context, Created, Kind } from "../../driver";
import type { Value, Values } from "../../wire";
import { ApiError, type Action } from "./client";
import { afterCreate, api, changed, labelsOf, ours, retrying, set, unlessGone, type Named } from "./common";

interface Firewall extends Named {
  readonly applied_to: readonly { readonly type: string; readonly server?: { readonly id: number } }[];
}

function rulesOf(inputs: Values): object[] {
  const rules = (inputs.rules ?? []) as Values[];
  return rules.map(({ direction, sourceIps, destinationIps, protocol, port, description }) =>
    set({
      direction,
      source_ips: nonEmpty(sourceIps),
      destination_ips: nonEmpty(destinationIps),
      protocol,
      port,
      description,
    }),
  );
}

function nonEmpty(list: Value | undefined): Value | undefined {
  return Array.isArray(list) && list.length > 0 ? list : undefined;
}

async function finish(
  id: number,
  actions: readonly Action[],
  inputs: Values,
  context: Context,
): Promise<Created> {
  return afterCreate(id, inputs, async () => {
    await api(context).wait(actions);
    await api(context).get(`/firewalls/${id}`);
    return { id: String(id), outputs: inputs };
  });
}

/** Returns a firewall that must exist; the real provider panics without it. */
async function existing(id: string, context: Context): Promise<Firewall> {
  try {
    return (await api(context).get<{ firewall: Firewall }>(`/firewalls/${id}`)).firewall;
  } catch (error) {
    throw new Error(`firewall ${id} is gone from the cloud, or cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

export const firewall: Kind = {
  keys: ["name", "rules", "labels"],
  deleteBeforeReplace: true,
  create: async (inputs, context) => {
    const labels = labelsOf(inputs);
    const { firewall: made, actions } = await api(context).post<{ firewall: Firewall; actions: Action[] }>(
      "/firewalls",
      {
        name: inputs.name,
        ...(Object.keys(labels).length > 0 ? { labels } : {}),
        rules: rulesOf(inputs),
      },
    );
    return finish(made.id, actions, inputs, context);
  },
  update: async ({ id, inputs: old }, inputs, context) => {
    const hcloud = api(context);
    await existing(id, context);
    if (changed(old, inputs, "name")) await hcloud.put(`/firewalls/${id}`, { name: inputs.name });
    if (changed(old, inputs, "labels")) await hcloud.put(`/firewalls/${id}`, { labels: labelsOf(inputs) });
    const rules = rulesOf(inputs);
    // no rules at all are never sent: a fault of the provider, which leaves the old ones in force
    if (changed(old, inputs, "rules") && rules.length > 0) {
      await hcloud.act(`/firewalls/${id}/actions/set_rules`, { rules });
    }
    await existing(id, context);
    return inputs;
  },
  delete: async ({ id }, context) => {
    const hcloud = api(context);
    const { applied_to } = await existing(id, context);
    if (applied_to.length > 0) {
      const resources = applied_to.map(({ type, server }) => ({ type, server: { id: server?.id } }));
      await hcloud.act(`/firewalls/${id}/actions/remove_from_resources`, { remove_from: resources });
    }
    const inUse = (error: unknown) => error instanceof ApiError && error.code === "resource_in_use";
    await retrying(10, inUse, () => hcloud.delete(`/firewalls/${id}`));
  },
  read: async ({ id }, context) => {
    const answer = await unlessGone(() => api(context).get<{ firewall: Firewall }>(`/firewalls/${id}`));
    return answer && { name: answer.firewall.name, labels: { ...answer.firewall.labels } };
  },
  adopt: async (inputs, context) => {
    const found = await ours<Firewall>(context, "firewalls", inputs);
    return found === undefined ? undefined : finish(found.id, [], inputs, context);
  },
};

export function serverResources(ids: readonly Value[]): object[] {
  return ids.map((id) => ({ type: "server", server: { id: Number(id) } }));
}
