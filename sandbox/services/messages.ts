import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

import fastify, { type FastifyInstance } from "fastify";

import type { Faults } from "../hetzner/faults";
import { SERVICE_ZONE } from "../network/addresses";
import { MESSAGES_FILE } from "../paths";
import { injectFaults } from "./faultHook";
import type { Mail } from "./mailServer";

/** Name of the mail server, which takes webhooks over HTTPS as well. */
export const MAIL_NAME = `mail.${SERVICE_ZONE}`;
export const MAIL_PORT = 587;

/** Password of every account at the mail server. */
export const MAIL_PASSWORD = "password-of-the-sandbox";

/** Request that a webhook got. */
export interface Hook {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Message that left a host, at its place in the order of their arrival. */
export type Message =
  | { readonly kind: "email"; readonly at: string; readonly email: Mail }
  | { readonly kind: "webhook"; readonly at: string; readonly webhook: Hook };

/** Keeps a message. */
export function keepMessage(message: Message): void {
  mkdirSync(dirname(MESSAGES_FILE), { recursive: true });
  appendFileSync(MESSAGES_FILE, `${JSON.stringify(message)}\n`, { mode: 0o600 });
}

/** All messages so far, the oldest first. */
export function readMessages(): Message[] {
  if (!existsSync(MESSAGES_FILE)) return [];
  const lines = readFileSync(MESSAGES_FILE, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Message);
}

/** Makes a web server that takes every request, as a chat's webhook or a dead man's switch does. */
export function createWebhook(
  tls: { readonly certificate: string; readonly privateKey: string },
  take: (hook: Hook) => void,
  faults?: Faults,
): FastifyInstance {
  const app = fastify({
    https: { cert: tls.certificate, key: tls.privateKey },
    forceCloseConnections: true,
  }) as FastifyInstance;
  if (faults) {
    injectFaults(app, faults, (reply, { status, message }) =>
      reply.code(status).type("text/plain").send(`${message}\n`),
    );
  }
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, parsed) => parsed(null, body));
  app.all("/*", ({ method, url, headers, body }, reply) => {
    take({ method, url, headers: { ...headers }, body: typeof body === "string" ? body : "" });
    return reply.type("text/plain").send("ok\n");
  });
  return app;
}

/** Renders messages for a terminal. */
export function renderMessages(messages: readonly Message[]): string {
  return messages
    .map((message) => {
      const [head, body] =
        message.kind === "email"
          ? [`e-mail to ${message.email.to.join(", ")}`, message.email.text]
          : [`${message.webhook.method} ${message.webhook.url}`, message.webhook.body];
      return `=== ${message.at}  ${head}\n${body.trimEnd()}\n`;
    })
    .join("\n");
}
