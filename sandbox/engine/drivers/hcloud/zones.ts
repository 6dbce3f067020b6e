import type { Kind } from "../../driver";
import type { Value, Values } from "../../wire";
import type { Action } from "./client";
import { api, assertOurs, changed, labelsOf, set, unlessGone } from "./common";

interface Rrset {
  readonly ttl: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly records: readonly { readonly value: string }[];
}

const idOf = (inputs: Values) => `${String(inputs.name)}/${String(inputs.type)}`;
const collection = (inputs: Values) => `/zones/${encodeURIComponent(String(inputs.zone))}/rrsets`;
const path = (inputs: Values) =>
  `${collection(inputs)}/${encodeURIComponent(String(inputs.name))}/${String(inputs.type)}`;

function records(inputs: Values): Value[] {
  return ((inputs.records ?? []) as Values[]).map((record) => set(record) as Values);
}

export const zoneRrset: Kind = {
  keys: ["zone", "name", "type", "ttl", "records", "labels"],
  replaceKeys: ["zone", "name", "type"],
  create: async (inputs, context) => {
    await api(context).act(
      collection(inputs),
      set({
        name: inputs.name,
        type: inputs.type,
        ttl: inputs.ttl,
        labels: labelsOf(inputs),
        records: records(inputs),
      }),
    );
    return { id: idOf(inputs), outputs: inputs };
  },
  update: async ({ inputs: old }, inputs, context) => {
    const hcloud = api(context);
    if (changed(old, inputs, "ttl")) {
      await hcloud.act(`${path(inputs)}/actions/change_ttl`, { ttl: inputs.ttl ?? null });
    }
    if (changed(old, inputs, "records")) {
      await hcloud.act(`${path(inputs)}/actions/set_records`, { records: records(inputs) });
    }
    await hcloud.put(path(inputs), changed(old, inputs, "labels") ? { labels: labelsOf(inputs) } : {});
    return inputs;
  },
  delete: async ({ inputs }, context) => {
    const hcloud = api(context);
    const answer = await unlessGone(() => hcloud.delete<{ action: Action }>(path(inputs)));
    await hcloud.wait([answer?.action]);
  },
  read: async ({ inputs }, context) => {
    const answer = await unlessGone(() => api(context).get<{ rrset: Rrset }>(path(inputs)));
    if (answer === undefined) return undefined;
    const { ttl, labels, records: held } = answer.rrset;
    const values = (list: readonly { readonly value?: unknown }[]) =>
      list.map(({ value }) => String(value)).sort();
    const same = values(held).join() === values((inputs.records ?? []) as Values[]).join();
    return {
      ...(ttl === null ? {} : { ttl }),
      labels: { ...labels },
      ...(same ? {} : { records: held.map(({ value }) => ({ value })) }),
    };
  },
  adopt: async (inputs, context) => {
    const answer = await unlessGone(() => api(context).get<{ rrset: Rrset }>(path(inputs)));
    if (answer === undefined) return undefined;
    assertOurs(answer.rrset.labels, inputs, "rrsets", idOf(inputs), idOf(inputs));
    return { id: idOf(inputs), outputs: inputs };
  },
};
