import { meetingOptions } from "../../bigbluebutton/meetingOptions";
import { setCommand } from "../remedies";
import type { Fields } from "./field";
import { optionGroup } from "./optionGroup";

export const meetings = {
  meetings: {
    type: "object",
    default: {},
    options: meetingOptions,
    description:
      "Options of meetings, as a map: welcome text, recording, guests, cameras, locks, layout, limits. docs/meetings.md lists them. An option that is taken away goes back to BigBlueButton's own value.",
    schema: optionGroup("meetings", meetingOptions),
    remedy: `${setCommand("--path 'meetings.OPTION'", "VALUE")}, for each of them`,
  },
} as const satisfies Fields;
