import type * as pulumi from "@pulumi/pulumi";

import type { Host } from "../clouds/host";
import type { Settings } from "../settings";
import type { HostSteps } from "../steps/hostSteps";

/**
 * Attaches a host's recordings volume as soon as the host can be reached. It waits for no record: what is protected stays
 * at a destroy with all that it waits for, and a name that stayed would lead people to a server without TURN.
 *
 * @returns the attachment; undefined without a volume, or where the cloud attaches it with the server
 */
export function attachRecordings(
  steps: HostSteps,
  { dataDevice: device, attachVolume }: Host,
  parent: pulumi.Resource,
): pulumi.Resource | undefined {
  // The volume that the host has may be another, or one that the settings no longer want.
  return attachVolume?.(
    steps.runBeforeChange(
      "recordings-release",
      { script: "unmount-recordings.sh", flags: { detach: true, device } },
      parent,
    ),
  );
}

/** Mounts a host's recordings volume, if it has one. @param more Flags of the step beside the volume's own. */
export function mountRecordings(
  steps: HostSteps,
  { dataDevice: device }: Host,
  { recordings }: Pick<Settings, "recordings">,
  attached: pulumi.Resource | undefined,
  parent: pulumi.Resource,
  more: Readonly<Record<string, string | true | undefined>> = {},
): void {
  if (!device) return;
  steps.run(
    "recordings",
    {
      script: "recordings.sh",
      // The size of the stack's own volume re-runs the step, which enlarges the file system.
      flags: { device, "size-gb": recordings?.kind === "new" ? recordings.sizeGb : undefined, ...more },
      dependsOn: attached ? [attached] : [],
    },
    parent,
  );
}
