import { z } from "zod";

import { WEBHOOK_FORMS } from "../../bigbluebutton/alerts";
import { secretCommand, setCommand } from "../remedies";
import { choice, isUrl, must, text, textThat, type Fields } from "./field";
import { group, passOn } from "./group";

const advice = (path: string, example: string) => setCommand(`--path 'alerts.${path}'`, example);
const secretAdvice = (path: string) => secretCommand(`alerts.${path}`);

/** Entry with advice of its own, for a value that is missing or wrong. */
function entry<const S extends z.ZodType>(schema: S, remedy: string) {
  return z.unknown().transform((value, context): z.output<S> => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const { path, message } of result.error.issues) {
      context.addIssue({
        code: "custom",
        path,
        message: value === undefined ? "is not set" : message,
        params: { remedy },
      });
    }
    return z.NEVER;
  });
}

const address = textThat((value) =>
  z.email().safeParse(value).success ? undefined : `"${value}" is not an e-mail address`,
);

const addresses = z
  .unknown()
  .transform((value) => (typeof value === "string" ? [value] : value))
  .pipe(
    z
      .array(address, { error: "must be an e-mail address or a list of such" })
      .min(1, "must have an address in it"),
  );

const httpsUrl = textThat((value) => (isUrl(value, "https:") ? undefined : "must be an https URL"));

const serverName = textThat((value) =>
  /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value)
    ? undefined
    : `"${value}" is not the name of a server; its port is an entry of its own`,
);

const port = z
  .int({ error: "must be a whole number, e.g. 587" })
  .superRefine(
    must((value: number) => (value >= 1 && value <= 65535 ? undefined : `is ${value}; a port is 1 to 65535`)),
  );

const entries = group("alerts", {
  email: group("alerts.email", {
    to: entry(addresses, advice("email.to[0]", "admin@school.eu")),
    from: entry(address, advice("email.from", "bbb@school.eu")),
    server: entry(serverName, advice("email.server", "smtp.school.eu")),
    port: entry(port, advice("email.port", "587")).default(587),
    user: text.optional(),
    password: z.string({ error: "must be a text" }).optional(),
  }).optional(),
  webhook: group("alerts.webhook", {
    url: entry(httpsUrl, secretAdvice("webhook.url")),
    form: entry(choice(WEBHOOK_FORMS), advice("webhook.form", "slack")),
  }).optional(),
  healthcheckUrl: entry(httpsUrl, secretAdvice("healthcheckUrl")).optional(),
  turnHealthcheckUrl: entry(httpsUrl, secretAdvice("turnHealthcheckUrl")).optional(),
});

export const alerts = {
  alerts: {
    type: "object",
    argument: "AlertsArgument",
    description:
      "Tells by e-mail or webhook when something breaks on a server, and when it is well again: email (to, from, server, port, user, password), webhook (url, form: slack, matrix, ntfy or json), healthcheckUrl and turnHealthcheckUrl (dead man's switches). Its password must be a secret; docs/alerts.md has examples. Not set: nobody is told.",
    // Mistakes between entries are told with those of each by itself.
    schema: z.unknown().transform((value, context): z.output<typeof entries> => {
      const result = entries.safeParse(value);
      for (const issue of result.error?.issues ?? []) passOn(issue, context);
      for (const { path, reason, remedy } of between(value)) {
        context.addIssue({ code: "custom", path: [...path], message: reason, params: { remedy } });
      }
      return result.success ? result.data : z.NEVER;
    }),
    remedy: secretAdvice("webhook.url"),
  },
} as const satisfies Fields;

interface Given {
  readonly email?: { readonly user?: unknown; readonly password?: unknown };
  readonly webhook?: unknown;
  readonly healthcheckUrl?: unknown;
  readonly turnHealthcheckUrl?: unknown;
}

interface EntryMistake {
  readonly path: readonly string[];
  readonly reason: string;
  readonly remedy: string;
}

function between(value: unknown): EntryMistake[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const { email, webhook, healthcheckUrl, turnHealthcheckUrl } = value as Given;
  const mistakes: EntryMistake[] = [];
  if (email === undefined && webhook === undefined && healthcheckUrl === undefined) {
    const reason = "has no way to tell anybody: none of email, webhook and healthcheckUrl";
    mistakes.push({ path: [], reason, remedy: secretAdvice("webhook.url") });
  }
  if (email?.user !== undefined && email.password === undefined) {
    mistakes.push({
      path: ["email", "password"],
      reason: "is not set, though email.user is: the two go together",
      remedy: secretAdvice("email.password"),
    });
  }
  if (email?.password !== undefined && email.user === undefined) {
    mistakes.push({
      path: ["email", "user"],
      reason: "is not set, though email.password is: the two go together",
      remedy: advice("email.user", "bbb@school.eu"),
    });
  }
  if (turnHealthcheckUrl !== undefined && turnHealthcheckUrl === healthcheckUrl) {
    mistakes.push({
      path: ["turnHealthcheckUrl"],
      reason: "is healthcheckUrl also: each server would hide that the other is dead",
      remedy: `make a second check at the service, then ${secretAdvice("turnHealthcheckUrl")}`,
    });
  }
  return mistakes;
}
