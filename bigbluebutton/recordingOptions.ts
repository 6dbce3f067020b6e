/** Options of recordings: how long they are kept, and how they are processed. */
import type { Option, Options } from "./options";

const days = { kind: "integer", unit: "days", least: 1, most: 36_500 } as const;

/** The table: one row per option. */
export const recordingOptions = {
  publishedDays: {
    type: days,
    description:
      "Days after which a recording is deleted, with its raw files, by the time at which its meeting began. Left out: recordings are kept for ever.",
    example: 180,
    default: "for ever",
    at: [
      {
        file: "cleanup",
        key: "",
        as: (value) =>
          `#!/bin/sh\nexec /usr/bin/python3 -B /usr/local/lib/bbb-deploy/remove_recordings.py --days ${String(value)}\n`,
      },
    ],
    source: "docs: customize",
  },
  rawDays: {
    type: days,
    description:
      "Days for which the raw files of a published recording are kept, from which it can be made anew. BigBlueButton's own daily clean-up deletes them.",
    example: 30,
    default: "14",
    at: [{ file: "cron", key: "published_days" }],
    source: "docs: customize; packaged cron.daily/bigbluebutton",
  },
  unrecordedDays: {
    type: days,
    description:
      "Days for which the raw files of a meeting are kept in which nobody pressed the button. Until then a recording can still be made of it.",
    example: 3,
    default: "14",
    at: [{ file: "cron", key: "unrecorded_days" }],
    source: "docs: customize; packaged cron.daily/bigbluebutton",
  },
  mp4: {
    type: { kind: "flag" },
    description:
      "Makes mp4 beside webm, for players of Apple's that know no webm. It takes about as long again to process. Recordings that exist stay as they are.",
    example: true,
    default: "false",
    at: [
      {
        file: "presentation",
        key: "video_formats",
        as: (value) => (value === true ? ["webm", "mp4"] : ["webm"]),
      },
    ],
    source: "docs: customize",
  },
  workers: {
    type: { kind: "integer", unit: "workers", least: 1, most: 32 },
    description:
      "Recordings that are processed at the same time. More take cores from meetings that run. Not together with kept events (defaultKeepEvents), for which more than one worker loses data.",
    example: 2,
    default: "1",
    at: [
      {
        file: "worker",
        key: "",
        as: (value) => `[Service]\nEnvironment=COUNT=${String(value)}\n`,
      },
    ],
    source: "docs: customize; issue 12503",
  },
} as const satisfies Readonly<Record<string, Option>> as Options;
