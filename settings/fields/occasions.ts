import { textThat, type Fields } from "./field";

const EXAMPLE = "2026-12-01";

const occasion = textThat((value) =>
  /^[\x20-\x7e]{1,100}$/.test(value) ? undefined : "must be at most 100 ASCII characters",
);

export const occasions = {
  upgrade: {
    type: "string",
    example: EXAMPLE,
    description:
      "Any text, e.g. a date. A new one runs the installer again and so upgrades BigBlueButton within its release.",
    schema: occasion,
  },
  rotateTurnSecret: {
    type: "string",
    example: EXAMPLE,
    description:
      "Any text, e.g. a date. A new one makes a new TURN secret on both servers; the former one is taken for two days more.",
    schema: occasion,
  },
  rotateSharedSecret: {
    type: "string",
    example: EXAMPLE,
    description:
      "Any text, e.g. a date. A new one makes a new API secret, to be told to every front end. A pool takes the former one for two days more.",
    schema: occasion,
  },
  duringMeetings: {
    type: "string",
    example: EXAMPLE,
    description:
      "Allows one change to interrupt running meetings: the same text as the new value of the setting that asks for the change (upgrade, rotateTurnSecret, rotateSharedSecret, serverType, turnServerType), or the text that a refusal names for a change of meetings or branding. It counts for that one change; to set or remove it changes nothing. Not set: refused.",
    schema: occasion,
  },
} as const satisfies Fields;
