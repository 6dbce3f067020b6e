import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { renderBackup, type StorageBoxAccess } from "../bigbluebutton/backup";
import type { MadeStorageBox } from "../clouds/storageBox";
import type { Backup } from "../settings";
import { randomSecret } from "./secret";
import type { VerifiedServers } from "./verification";

/** Outputs of a deployment that makes backups, all secret. */
export interface BackupOutputs {
  /** Password of the repository. */
  readonly backupPassword: pulumi.Output<string>;
  /** Private key that may delete in the Storage Box; undefined without one. */
  readonly backupBoxKey?: pulumi.Output<string>;
}

/**
 * Adds the step that sets up the server's backups, once the deployment is verified, and with `restoreFrom` the one that
 * brings a new server its own. Their removal from the program ends the backups; what was saved stays, but for a Storage Box
 * that is not protected.
 *
 * @param name Prefix of the names of its resources.
 * @param makeBox Makes the Storage Box, if the settings ask for one.
 */
export function setUpBackup(
  name: string,
  { at, restoreFrom, settings }: Backup,
  { bbb, verification }: VerifiedServers,
  makeBox?: () => MadeStorageBox,
): BackupOutputs {
  const { host, steps } = bbb;
  const box = makeBox?.();
  // Without its password nobody could read what a protected box keeps.
  const generated = randomSecret(`${name}-backup-password`, "", bbb, { protect: box?.protected });
  const server = { server: host.server.id };
  const both = pulumi.all([settings, generated]);
  const access = box && accessTo(box, name, bbb);
  const prepared = steps.run(
    "backup",
    {
      script: "backup.sh",
      flags: { ...server, at, "after-restore": restoreFrom !== undefined },
      stdin: pulumi.secret(
        pulumi
          .all([both, access])
          .apply(([[settings, generated], access]) => renderBackup(host.fqdn, settings, generated, access)),
      ),
      dependsOn: [verification.hosts.bbb.step.command],
      removal: { ...server, remove: true },
    },
    bbb,
  );
  if (restoreFrom !== undefined) {
    const dependsOn = [prepared.command];
    steps.run("restore", { script: "restore.sh", flags: { from: restoreFrom }, dependsOn }, bbb);
  }
  return {
    backupPassword: pulumi.secret(both.apply(([settings, generated]) => settings.password ?? generated)),
    ...(box && { backupBoxKey: box.owner.privateKey }),
  };
}

/** Access to a Storage Box, with a key for the server that may add only. */
function accessTo(
  { server, username, owner }: MadeStorageBox,
  name: string,
  parent: pulumi.Resource,
): pulumi.Output<StorageBoxAccess> {
  const adder = new tls.PrivateKey(`${name}-backup-key`, { algorithm: "ED25519" }, { parent });
  return pulumi.output({
    ...{ server, username, owner },
    adder: { publicKey: adder.publicKeyOpenssh, privateKey: adder.privateKeyOpenssh },
  });
}
