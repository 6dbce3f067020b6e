import { isIP } from "node:net";

import { z } from "zod";

import { greenlightImage } from "../../bigbluebutton/greenlight";
import { dnsNameProblem } from "../formats/names";
import { removeCommand, setCommand } from "../remedies";
import { choice, flag, integer, isUrl, must, text, textThat, type Fields } from "./field";
import { group, passOn } from "./group";

/** Form of an address that Greenlight accepts: an ending of letters, at most 255 characters. */
const EMAIL = /^[\w\-.+]+@[\w\-.]+\.[a-z]+$/i;

const shown = (path: string, value: string) => setCommand(`--path 'greenlight.${path}'`, value);

const email = (path: string) =>
  text.superRefine(
    must((value) =>
      EMAIL.test(value) && value.length <= 255
        ? undefined
        : {
            reason: `"${value}" is no address that Greenlight takes`,
            remedy: shown(path, "YOUR-ADDRESS"),
          },
    ),
  );

/** Text for a line of .env, in which every reader of such files sees the same. */
const envText = text.superRefine(
  must((value) => {
    if (value === "") return "is empty";
    return /['\n\r]/.test(value)
      ? "has a ' or a line break in it, which its file .env can't hold"
      : undefined;
  }),
);

const admin = group("greenlight.admin", {
  name: text
    .superRefine(must((name) => (name.length <= 255 ? undefined : "is longer than 255 characters")))
    .default("Administrator")
    .transform((name) => name || "Administrator"),
  email: email("admin.email").transform((value) => value.toLowerCase()),
});

const smtp = group("greenlight.smtp", {
  server: envText.superRefine(
    must((value) => {
      const problem = isIP(value) === 0 ? dnsNameProblem(value.toLowerCase()) : undefined;
      return problem && { reason: `"${value}" ${problem}`, remedy: shown("smtp.server", "mail.example.org") };
    }),
  ),
  port: integer("port", (port) =>
    port >= 1 && port <= 65535 ? undefined : `is ${port}; a port is 1 to 65535`,
  ).default(587),
  security: choice(["starttls", "tls", "none"]).optional(),
  user: envText.optional(),
  password: envText.optional(),
  sender: email("smtp.sender"),
  senderName: envText.optional(),
}).superRefine(
  must(({ user, password }) =>
    (user === undefined) === (password === undefined)
      ? undefined
      : {
          reason: `has ${user === undefined ? "a password without a user" : "a user without a password"}`,
          remedy:
            user === undefined
              ? shown("smtp.user", "NAME")
              : `pulumi config set --secret --path 'greenlight.smtp.password'`,
        },
  ),
);

const openidConnect = group("greenlight.openidConnect", {
  issuer: envText.superRefine(
    must((value) => {
      if (!isUrl(value, "https:")) return `"${value}" is not an https URL`;
      return value.endsWith("/")
        ? {
            reason: `"${value}" ends with a /, without which Greenlight compares it`,
            remedy: shown("openidConnect.issuer", value.replace(/\/+$/, "")),
          }
        : undefined;
    }),
  ),
  clientId: envText,
  clientSecret: envText,
  uidField: envText.optional(),
  matchByEmail: flag.default(false),
});

const settings = group("greenlight", {
  admin: admin.optional(),
  version: text
    .superRefine(
      must((version) =>
        /^3(\.\d+){2,3}$/.test(version)
          ? undefined
          : {
              reason: `"${version}" is no version of Greenlight 3`,
              remedy: shown("version", greenlightImage.version),
            },
      ),
    )
    .optional(),
  smtp: smtp.optional(),
  openidConnect: openidConnect.optional(),
  registration: choice(["open", "invite", "approval"]).optional(),
  defaultRole: textThat((role) =>
    role !== "" && role.length <= 255 ? undefined : "must be the name of a role",
  ).optional(),
  roomLimit: integer("rooms", (rooms) =>
    rooms >= 0 && rooms <= 100 ? undefined : `is ${rooms}; Greenlight's limit is 0 to 100`,
  ).optional(),
}).superRefine(
  must(({ admin, openidConnect }) =>
    admin && openidConnect && !openidConnect.matchByEmail
      ? {
          reason:
            "has admin beside openidConnect, with which nobody signs in by a password: nobody could be that administrator",
          remedy: `${shown("openidConnect.matchByEmail", "true")}, for a provider that has verified its addresses, or ${removeCommand("--path 'greenlight.admin'")}`,
        }
      : undefined,
  ),
);

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
