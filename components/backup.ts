import * as pulumi from "@pulumi/pulumi";

import { renderBackup, type BackupSettings } from "../bigbluebutton/backup";
import type { BbbServer } from "./bbbServer";
import { randomSecret } from "./secret";
import type { Verification } from "./verification";

/** Arguments of {@link setUpBackup}. */
export interface BackupArgs {
  readonly bbb: BbbServer;
  readonly verification: Verification;
}

/**
 * Adds the step that sets up the server's backups, once the deployment is verified. Its removal from the program ends them;
 * what was saved stays.
 *
 * @param name Prefix of the names of its resources.
 * @returns the password of the repository; secret
 */
export function setUpBackup(
  name: string,
  settings: pulumi.Output<BackupSettings>,
  { bbb, verification }: BackupArgs,
): pulumi.Output<string> {
  const { host } = bbb;
  const generated = randomSecret(`${name}-backup-password`, "", bbb);
  const server = { server: host.server.id };
  bbb.steps.run(
    "backup",
    {
      script: "backup.sh",
      flags: { ...server, at: pulumi.unsecret(settings.apply(({ at }) => at)) },
      stdin: pulumi.secret(
        pulumi
          .all([settings, generated])
          .apply(([settings, generated]) => renderBackup(host.fqdn, settings, generated)),
      ),
      dependsOn: [verification.hosts.bbb.step.command],
      removal: { ...server, remove: true },
    },
    bbb,
  );
  return pulumi.secret(
    pulumi.all([settings, generated]).apply(([settings, generated]) => settings.password ?? generated),
  );
}
