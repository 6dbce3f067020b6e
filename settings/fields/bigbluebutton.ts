import { defaultRelease, releaseNames } from "../../bigbluebutton/releases";
import { removeCommand, setCommand } from "../remedies";
import { greenlight } from "./greenlight";
import { choice, flag, isUrl, text, textThat, must, type Fields } from "./field";

export const bigbluebutton = {
  release: {
    type: "string",
    default: defaultRelease,
    example: defaultRelease,
    description:
      "The BigBlueButton release, one of those in docs/releases.md. The default is the current stable one.",
    schema: choice(releaseNames),
  },
  allowEndOfLife: {
    type: "boolean",
    default: false,
    example: "true",
    description: "Allows a release that gets no security updates any more.",
    schema: flag,
  },
  ...greenlight,
  installerUrl: {
    type: "string",
    description: "URL of bbb-install, e.g. at a mirror, instead of the release's own. Needs installerSha256.",
    schema: textThat((value) =>
      isUrl(value, "https:", "http:") ? undefined : `"${value}" is not an http or https URL`,
    ),
    remedy: `${removeCommand("installerUrl")}, for the release's own place`,
  },
  installerSha256: {
    type: "string",
    description: "SHA-256 of the installer. Alone, it pins the release's own installer.",
    schema: text
      .transform((value) => value.toLowerCase())
      .superRefine(
        must((value) =>
          /^[0-9a-f]{64}$/.test(value) ? undefined : "must be the 64 hexadecimal digits of a SHA-256",
        ),
      ),
    remedy: `${setCommand("installerSha256", "DIGITS")}, with what sha256sum prints for the installer`,
  },
} as const satisfies Fields;
