import * as pulumi from "@pulumi/pulumi";

import { renderBackup } from "../bigbluebutton/backup";
import type { Backup } from "../settings";
import { randomSecret } from "./secret";
import type { VerifiedServers } from "./verification";

/**
 * Adds the step that sets up the server's backups, once the deployment is verified, and with `restoreFrom` the one that
 * brings a new server its own. Their removal from the program ends the backups; what was saved stays.
 *
 * @param name Prefix of the names of its resources.
 * @returns the password of the repository; secret
 */
export function setUpBackup(
  name: string,
  { at, restoreFrom, settings }: Backup,
  { bbb, verification }: VerifiedServers,
): pulumi.Output<string> {
  const { host, steps } = bbb;
  const generated = randomSecret(`${name}-backup-password`, "", bbb);
  const server = { server: host.server.id };
  const both = pulumi.all([settings, generated]);
  const prepared = steps.run(
    "backup",
    {
      script: "backup.sh",
      flags: { ...server, at, "after-restore": restoreFrom !== undefined },
      stdin: pulumi.secret(
        both.apply(([settings, generated]) => renderBackup(host.fqdn, settings, generated)),
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
  return pulumi.secret(both.apply(([settings, generated]) => settings.password ?? generated));
}
