import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";

import type { StorageBoxSettings } from "../../settings";
import { setCommand } from "../../settings/remedies";
import type { ChildOptions } from "../host";
import { named, ownerName } from "../names";
import type { MadeStorageBox } from "../storageBox";
import { hetznerLabels } from "./labels";
import { leftoverCheck } from "./leftovers";
import { hetznerLookUp } from "./lookUp";

/**
 * Plan of the box's own snapshots: a day each, at noon UTC, when the night's backup is done. Nobody can delete them over SSH.
 * Each type of box keeps at least this number.
 */
const SNAPSHOTS = { maxSnapshots: 10, hour: 12, minute: 0 };

/**
 * Looks up a type of Storage Box.
 *
 * @param labels Labels of the deployment.
 * @returns a function that makes the box
 * @throws LookUpError for an unknown type, or without a token that opens a project
 */
export async function findStorageBox(
  box: StorageBoxSettings,
  labels: Readonly<Record<string, string>>,
  opts: ChildOptions,
): Promise<() => MadeStorageBox> {
  await hetznerLookUp(
    () => hcloud.getStorageBoxType({ name: box.type }, opts),
    (answer) => ({
      key: "backup.boxType",
      reason: `is ${box.type}, which could not be read at Hetzner: ${answer}`,
      remedy: `one of those that the console offers, e.g. ${setCommand("--path 'backup.boxType'", "bx11")}`,
    }),
  );
  return () => makeStorageBox(box, labels, opts);
}

/** Makes a Storage Box, with the password and the key of its account. As long as it is protected, so are these. */
function makeStorageBox(
  box: StorageBoxSettings,
  labels: Readonly<Record<string, string>>,
  { parent }: ChildOptions,
): MadeStorageBox {
  const name = named("bbb-backup-box", labels);
  const protect = box.protected;
  const key = new tls.PrivateKey(`${name}-key`, { algorithm: "ED25519" }, { parent, protect });
  // What Hetzner asks for: 12 to 128 characters, one at least of each kind.
  const password = new random.RandomPassword(
    `${name}-password`,
    { length: 64, minLower: 1, minUpper: 1, minNumeric: 1, minSpecial: 1, overrideSpecial: "-_.+" },
    { parent, protect },
  );
  const { server, username } = new hcloud.StorageBox(
    name,
    {
      name: `${ownerName(labels)}-backup`,
      storageBoxType: box.type,
      location: box.location,
      password: pulumi.secret(password.result),
      sshKeys: [key.publicKeyOpenssh.apply((line) => line.trim())],
      accessSettings: {
        reachableExternally: box.reachableExternally,
        sshEnabled: true,
        sambaEnabled: false,
        webdavEnabled: false,
        zfsEnabled: false,
      },
      snapshotPlan: SNAPSHOTS,
      deleteProtection: protect,
      labels: hetznerLabels({ ...labels, role: "backup" }),
    },
    {
      parent,
      protect,
      hooks: { beforeCreate: [leftoverCheck(labels, { parent })] },
      // Each of them would replace the box, with all that is in it.
      ignoreChanges: ["sshKeys", "location"],
    },
  );
  return {
    server,
    username,
    owner: { publicKey: key.publicKeyOpenssh, privateKey: pulumi.secret(key.privateKeyOpenssh) },
    protected: protect,
  };
}
