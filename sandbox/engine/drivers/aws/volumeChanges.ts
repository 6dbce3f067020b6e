import type { ModifyVolumeCommandInput } from "@aws-sdk/client-ec2";

import type { Context } from "../../driver";
import { session } from "./client";
import { waitFor } from "./waiting";

/** Changes a disk in use. AWS accepts one change of a volume every six hours. */
export async function modifyVolume(
  id: string,
  context: Context,
  change: Omit<ModifyVolumeCommandInput, "VolumeId">,
): Promise<void> {
  const { ec2 } = await session(context);
  await ec2.modifyVolume({ VolumeId: id, ...change });
  await waitFor(
    {
      what: `EBS Volume (${id}) update`,
      until: ["optimizing", "completed"], // it has its new size while it is still optimized
      through: ["modifying"],
      minutes: 10,
    },
    context,
    async () => {
      const { VolumesModifications = [] } = await ec2.describeVolumesModifications({ VolumeIds: [id] });
      const latest = [...VolumesModifications].sort(
        (a, b) => (b.StartTime?.getTime() ?? 0) - (a.StartTime?.getTime() ?? 0),
      )[0];
      return latest?.ModificationState;
    },
  );
}
