import { recordingOptions } from "../../bigbluebutton/recordingOptions";
import { setCommand } from "../remedies";
import { integer, textThat, type Fields } from "./field";
import { optionGroup } from "./optionGroup";

/** Number of daily snapshots of its volumes that EC2 keeps. */
export const DEFAULT_SNAPSHOT_DAYS = 7;

export const recordings = {
  recordings: {
    type: "object",
    default: {},
    options: recordingOptions,
    description:
      "Options of recordings, as a map: days for which they are kept, mp4, workers. docs/recordings.md lists them.",
    schema: optionGroup("recordings", recordingOptions),
    remedy: `${setCommand("--path 'recordings.OPTION'", "VALUE")}, for each of them`,
  },
  recordingsGb: {
    type: "integer",
    default: 0,
    description:
      "Size in GB of the volume for recordings, 10 or more. It may grow later, never shrink. 0: recordings stay on the server's own disk. In a pool the volume is the balancer's.",
    schema: integer("gigabytes", (value) =>
      value === 0 || (value >= 10 && value <= 10240) ? undefined : `is ${value}; a volume has 10 to 10240 GB`,
    ),
    remedy: `${setCommand("recordingsGb", "100")}, or 0 for none`,
  },
  recordingsVolumeId: {
    type: "string",
    example: "ID",
    description:
      "Id of an existing volume to use for recordings instead of a new one, for a deployment whose state was lost. It is attached as it is, never formatted; recordingsGb is ignored then. On AWS vol-…, which also decides the availability zone.",
    schema: textThat((value) => (/^[\w-]+$/.test(value) ? undefined : `"${value}" is not a volume's id`)),
  },
  snapshotDays: {
    type: "integer",
    default: DEFAULT_SNAPSHOT_DAYS,
    description:
      "AWS only: number of daily snapshots of the recordings volume that are kept, in prod also of the server's own disk. 0: none. They cost extra and outlive the deployment.",
    schema: integer("days", (value) =>
      value >= 0 && value <= 1000 ? undefined : `is ${value}; from 1 to 1000 snapshots can be kept`,
    ),
    remedy: `${setCommand("snapshotDays", String(DEFAULT_SNAPSHOT_DAYS))}, or 0 for none`,
  },
} as const satisfies Fields;
