import { createHash } from "node:crypto";

import { utils } from "ssh2";

import { ApiError, invalidField } from "../errors";
import { checkLabels } from "../labels";
import type { Labels, SshKey } from "../model";
import { listAnswer, queryOne } from "../pagination";
import { assertNameFree, type ById, byId, type Routes } from "../routes";
import { labels, object, plainName, text } from "../schemas";
import { remove, takeId } from "../store";

const create = object({ name: plainName(255), public_key: text, labels }, "name", "public_key");
const update = object({ name: plainName(255), labels });

export const sshKeyRoutes: Routes = (app, { store, clock }) => {
  app.get("/ssh_keys", (request, reply) => {
    const fingerprint = queryOne(request, "fingerprint");
    const wanted = Object.values(store.state.sshKeys).filter(
      (key) => fingerprint === undefined || key.fingerprint === fingerprint,
    );
    return listAnswer(request, reply, "ssh_keys", wanted.map(renderSshKey));
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

  app.get("/ssh_keys/:id", (request) => ({
    ssh_key: renderSshKey(byId("SSH key", store.state.sshKeys, request)),
  }));

  app.put<ById<{ name?: string; labels?: Labels }>>(
    "/ssh_keys/:id",
    { schema: { body: update } },
    (request) => ({
      ssh_key: store.change((state) => {
        const key = byId("SSH key", state.sshKeys, request);
        const name = request.body.name ?? key.name;
        assertNameFree("SSH key", state.sshKeys, name, key.id);
        if (request.body.labels) key.labels = checkLabels(request.body.labels);
        key.name = name;
        return renderSshKey(key);
      }),
    }),
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
