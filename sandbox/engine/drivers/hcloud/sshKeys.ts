import type { Created, Kind } from "../../driver";
import type { Values } from "../../wire";
import { api, changed, labelsOf, ours, unlessGone, type Named } from "./common";

interface SshKey extends Named {
  readonly fingerprint: string;
  readonly public_key: string;
}

function created({ id, fingerprint }: SshKey, inputs: Values): Created {
  return { id: String(id), outputs: { ...inputs, fingerprint } };
}

export const sshKey: Kind = {
  keys: ["name", "publicKey", "labels"],
  replaceKeys: ["publicKey"],
  create: async (inputs, context) => {
    const { ssh_key } = await api(context).post<{ ssh_key: SshKey }>("/ssh_keys", {
      name: inputs.name,
      public_key: inputs.publicKey,
      labels: labelsOf(inputs),
    });
    return created(ssh_key, inputs);
  },
  update: async ({ id, inputs: old, outputs }, inputs, context) => {
    const body = {
      ...(changed(old, inputs, "name") ? { name: inputs.name } : {}),
      ...(changed(old, inputs, "labels") ? { labels: labelsOf(inputs) } : {}),
    };
    await api(context).put(`/ssh_keys/${id}`, body);
    return { ...outputs, ...inputs };
  },
  delete: async ({ id }, context) => {
    await unlessGone(() => api(context).delete(`/ssh_keys/${id}`));
  },
  read: async ({ id }, context) => {
    const answer = await unlessGone(() => api(context).get<{ ssh_key: SshKey }>(`/ssh_keys/${id}`));
    return answer && { name: answer.ssh_key.name, labels: { ...answer.ssh_key.labels } };
  },
  adopt: async (inputs, context) => {
    const found = await ours<SshKey>(context, "ssh_keys", inputs);
    return found === undefined ? undefined : created(found, inputs);
  },
};
