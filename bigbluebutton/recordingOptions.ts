/** Options of recordings: how long they are kept, and how they are processed. */
import type { Option, Options, OptionValue } from "./options";
import {
  hoursOfWorkers,
  hoursService,
  hoursTimer,
  processingHours,
  type ProcessingHours,
} from "./processingHours";
import { recordingFormats, recordingSteps, retiredFormats } from "./recordingFormats";

const days = { kind: "integer", unit: "days", least: 1, most: 36_500 } as const;

/** Renders a file from the option `hours`. */
const fromHours = (render: (hours: ProcessingHours) => string) => (value: OptionValue) =>
  render(processingHours(String(value))!);

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
  formats: {
    type: { kind: "choices", values: recordingFormats, retired: retiredFormats },
    description:
      "Formats in which a recording is published; the list replaces the default. The packages are installed from BigBlueButton's own archive. Each takes its time to process.",
    example: ["presentation", "video"],
    default: "presentation",
    at: [{ file: "recording", key: "steps", as: (value) => recordingSteps(value as readonly string[]) }],
    source: "docs: customize; issue 12241",
  },
  mp4: {
    type: { kind: "flag" },
    description:
      "Makes mp4 beside webm in the format presentation, for players of Apple's that know no webm. It takes about as long again to process. Recordings that exist stay as they are.",
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
  hours: {
    type: {
      kind: "form",
      what: "hours of the day such as 22:00-06:00, with a time zone or in UTC",
      isGood: (text) => processingHours(text) !== undefined,
    },
    description:
      "Hours in which recordings are processed, e.g. `22:00-06:00 Europe/Berlin`; UTC without a time zone. They are archived at any time, and what is at work at the end is finished.",
    example: "22:00-06:00 Europe/Berlin",
    default: "always",
    at: [
      { file: "hoursOfWorkers", key: "", as: fromHours(hoursOfWorkers) },
      { file: "hoursService", key: "", as: fromHours(hoursService) },
      { file: "hoursTimer", key: "", as: fromHours(hoursTimer) },
    ],
    source: "docs: customize; unit bbb-rap-resque-worker",
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
