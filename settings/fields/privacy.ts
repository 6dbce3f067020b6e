import { privacyOptions } from "../../bigbluebutton/privacyOptions";
import { setCommand } from "../remedies";
import type { Fields } from "./field";
import { optionGroup } from "./optionGroup";

export const privacy = {
  privacy: {
    type: "object",
    default: {},
    options: privacyOptions,
    description:
      "Options of what the server keeps of people, as a map: access log, days of logs, lists of recordings. docs/privacy.md lists them.",
    schema: optionGroup("privacy", privacyOptions),
    remedy: `${setCommand("--path 'privacy.OPTION'", "VALUE")}, for each of them`,
  },
} as const satisfies Fields;
