import { z } from "zod";

import { removeCommand, setCommand } from "../remedies";
import { choice, integer, must, text, textThat, type Fields } from "./field";
import { group, passOn } from "./group";

/** Form of an address that Greenlight accepts: an ending of letters, at most 255 characters. */
const EMAIL = /^[\w\-.+]+@[\w\-.]+\.[a-z]+$/i;

const shown = (path: string, value: string) => setCommand(`--path 'greenlight.${path}'`, value);

const admin = group("greenlight.admin", {
  name: text
    .superRefine(must((name) => (name.length <= 255 ? undefined : "is longer than 255 characters")))
    .default("Administrator")
    .transform((name) => name || "Administrator"),
  email: text
    .superRefine(
      must((email) =>
        EMAIL.test(email) && email.length <= 255
          ? undefined
          : {
              reason: `"${email}" is no address that Greenlight takes`,
              remedy: shown("admin.email", "YOUR-ADDRESS"),
            },
      ),
    )
    .transform((email) => email.toLowerCase()),
});

const settings = group("greenlight", {
  admin: admin.optional(),
  registration: choice(["open", "invite", "approval"]).optional(),
  defaultRole: textThat((role) =>
    role !== "" && role.length <= 255 ? undefined : "must be the name of a role",
  ).optional(),
  roomLimit: integer("rooms", (rooms) =>
    rooms >= 0 && rooms <= 100 ? undefined : `is ${rooms}; Greenlight's limit is 0 to 100`,
  ).optional(),
});

/** Settings of Greenlight; `true` has none. */
export type Greenlight = z.output<typeof settings>;

export const greenlight = {
  greenlight: {
    type: "boolean or object",
    default: false,
    example: "true",
    description:
      "Installs Greenlight, BigBlueButton's own front end. Not needed behind Moodle or another front end. true, or an object that makes its administrator and sets it up: docs/greenlight.md has the keys.",
    schema: z.unknown().transform((value, context): Greenlight | undefined => {
      if (value === false) return undefined;
      if (value === true) return {};
      if (typeof value !== "object" || Array.isArray(value)) {
        context.addIssue({ code: "custom", message: "must be true or false, or an object" });
        return z.NEVER;
      }
      const result = settings.safeParse(value);
      if (result.success) return result.data;
      for (const issue of result.error.issues) passOn(issue, context);
      return z.NEVER;
    }),
    remedy: `${setCommand("greenlight", "true")}, or ${shown("admin.email", "YOUR-ADDRESS")}, or ${removeCommand("greenlight")}`,
  },
} as const satisfies Fields;
