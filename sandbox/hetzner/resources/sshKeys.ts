import { createHash } from "node:crypto";

import { utils } from "ssh2";

import { ApiError, invalidField } from "../errors";
import { checkLabels } from "../labels";
import type { Labels, SshKey } from "../model";
import { assertNameFree, byId, commonRoutes, type Routes } from "../routes";
import { labels, object, plainName, text } from "../schemas";
import { remove, takeId } from "../store";

const name = plainName(255);
const create = object({ name, public_key: text, labels }, "name", "public_key");

export const sshKeyRoutes: Routes = (app, cloud) => {
  const { store, clock } = cloud;
  commonRoutes<SshKey>(app, cloud, {
    kind: "SSH key",
    keys: ["ssh_keys", "ssh_key"],
    objects: ({ sshKeys }) => sshKeys,
    render: renderSshKey,
    filters: ["fingerprint"],
    name,
  });

  app.post<{ Body: { name: string; public_key: string; labels?: Labels } }>(
    "/ssh_keys",
    { schema: { body: create } },
    (request, reply) => {
      const { name, public_key: publicKey } = request.body;
      const fingerprint = fingerprintOf(publicKey);
      const key = store.change((state) => {
        assertNameFree("SSH key", state.sshKeys, name);
        if (Object.values(state.sshKeys).some((other) => other.fingerprint === fingerprint)) {
          throw new ApiError("uniqueness_error", "SSH key with the same fingerprint already exists", {
            fields: [{ name: "public_key" }],
          });
        }
        const made: SshKey = {
          id: takeId(state),
          name,
          publicKey,
          fingerprint,
          labels: checkLabels(request.body.labels),
          created: clock().toISOString(),
        };
        return (state.sshKeys[made.id] = made);
      });
      return reply.code(201).send({ ssh_key: renderSshKey(key) });
    },
  );

  app.delete("/ssh_keys/:id", (request, reply) => {
    store.change((state) => {
      remove(state.sshKeys, byId("SSH key", state.sshKeys, request).id);
    });
    return reply.code(204).send();
  });
};

/** MD5 of the key's wire form, in colon form. */
function fingerprintOf(publicKey: string): string {
  const key = utils.parseKey(publicKey.trim());
  if (key instanceof Error || key.isPrivateKey()) {
    throw invalidField("public_key", "is not a public key in OpenSSH's one-line form");
  }
  const digest = createHash("md5").update(key.getPublicSSH()).digest("hex");
  return digest.match(/../g)?.join(":") ?? "";
}

function renderSshKey(key: SshKey): Record<string, unknown> {
  const { id, name, fingerprint, publicKey, created } = key;
  return { id, name, fingerprint, public_key: publicKey, labels: key.labels, created };
}
