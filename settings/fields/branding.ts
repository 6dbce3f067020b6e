import { brandingOptions } from "../../bigbluebutton/brandingOptions";
import { setCommand } from "../remedies";
import type { Fields } from "./field";
import { optionGroup } from "./optionGroup";

export const branding = {
  branding: {
    type: "object",
    default: {},
    options: brandingOptions,
    description:
      "Look of the client and of the first page, as a map of options: logo, icon, title, slides, CSS, footer, first page. docs/branding.md lists them. A file is a path on the machine that deploys, from the project's folder, or an https URL.",
    schema: optionGroup("branding", brandingOptions),
    remedy: `${setCommand("--path 'branding.OPTION'", "VALUE")}, for each of them`,
  },
} as const satisfies Fields;
