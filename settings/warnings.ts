import { distance } from "fastest-levenshtein";

import { fields } from "./fields";
import { secretCommand, setCommand } from "./remedies";
import type { Problem } from "./problems";

/** Namespaces of the providers that the program uses, and Pulumi's own. */
const OTHERS = ["pulumi", "hcloud", "aws", "command", "random", "tls", "aws-native"];

/** Keys that must always be secrets. */
const CREDENTIALS = ["hcloud:token", "aws:secretKey", "aws:token"];

/** Whole configuration: all keys with their namespaces, e.g. "bigbluebutton:domain". */
type Configuration = Readonly<Record<string, unknown>>;

/** Warnings of settings that are not read, since their prefix only looks like this project's. */
export function prefixWarnings(all: Configuration, project: string): string[] {
  return Object.keys(all).flatMap((whole) => {
    const [, namespace, key] = /^([^:]+):(.+)$/.exec(whole) ?? [];
    if (!namespace || !key || namespace === project || OTHERS.includes(namespace)) return [];
    const near = distance(namespace.toLowerCase(), project.toLowerCase()) <= Math.max(2, project.length / 4);
    if (!near && !Object.hasOwn(fields, key)) return [];
    return [
      `${whole} is not read, since the settings' prefix is ${project}: ` +
        `${setCommand(`${project}:${key}`, "VALUE")}, and pulumi config rm ${whole}`,
    ];
  });
}

/** Warning of a stack that is a test deployment only because its environment was never set. */
export function environmentWarnings(settings: Configuration, stack: string): string[] {
  const { environment } = settings;
  const said = typeof environment === "string" && environment.trim() !== "";
  if (said || /^test/i.test(stack)) return [];
  return [
    `environment is not set, so the stack "${stack}" is a test deployment: nothing of it is protected from deletion, ` +
      `nothing is backed up, and its servers are small. For real meetings: ${setCommand("environment", "prod")}; ` +
      `if that is what it is: ${setCommand("environment", "test")}`,
  ];
}

/** Problems of credentials that are in the configuration in clear. */
export function clearCredentials(all: Configuration, isSecret: (key: string) => boolean): Problem[] {
  return CREDENTIALS.filter((key) => all[key] !== undefined && all[key] !== "" && !isSecret(key)).map(
    (key) => ({
      key,
      elsewhere: true,
      reason: "is in clear in the stack's settings, where whoever sees the file can read it",
      remedy:
        `revoke it, as it may have been seen, and make a new one; then pulumi config set --secret ${key}, ` +
        "which asks for it and encrypts it",
    }),
  );
}

/** Setting of type object as the engine hands it over: JSON text; a secret if any entry of it is encrypted. */
export interface RawGroup {
  readonly value: unknown;
  readonly isSecret: boolean;
}

/** Problem of a mail server's password in clear. */
export function clearAlerts(alerts: RawGroup): Problem[] {
  if (alerts.isSecret || entriesOf(alerts.value).email?.password === undefined) return [];
  return [
    {
      key: "alerts.email.password",
      reason: "is in clear in the stack's settings, where whoever sees the file can read it",
      remedy: `change it at the mail server, as it may have been seen; then ${secretCommand("alerts.email.password")}, which asks for it and encrypts it`,
    },
  ];
}

/** Warning of a webhook's URL in clear: whoever has it can write into the chat. */
export function clearAlertUrls(alerts: RawGroup): string[] {
  if (alerts.isSecret || entriesOf(alerts.value).webhook?.url === undefined) return [];
  return [
    "alerts.webhook.url is in clear in the stack's settings, and whoever has it can write there. " +
      `To encrypt it: ${secretCommand("alerts.webhook.url")}`,
  ];
}

/** Problems of Greenlight's secrets in clear. */
export function clearGreenlight(greenlight: RawGroup): Problem[] {
  if (greenlight.isSecret) return [];
  const { smtp, openidConnect } = entriesOf(greenlight.value);
  const given = {
    "smtp.password": smtp?.password,
    "openidConnect.clientSecret": openidConnect?.clientSecret,
  };
  return Object.entries(given).flatMap(([entry, value]) => {
    const key = `greenlight.${entry}`;
    return value === undefined
      ? []
      : [
          {
            key,
            reason: "is in clear in the stack's settings, where whoever sees the file can read it",
            remedy: `make a new one, as it may have been seen; then ${secretCommand(key)}, which asks for it and encrypts it`,
          },
        ];
  });
}

/** Problem of a telephone provider's password in clear. */
export function clearDialIn(dialIn: RawGroup): Problem[] {
  if (dialIn.isSecret || entriesOf(dialIn.value).gateway?.password === undefined) return [];
  const key = "dialIn.gateway.password";
  return [
    {
      key,
      reason: "is in clear in the stack's settings, where whoever sees the file can read it",
      remedy: `change it at the provider, as it may have been seen; then ${secretCommand(key)}, which asks for it and encrypts it`,
    },
  ];
}

/** Problems of a backup's secrets in clear. */
export function clearBackup(backup: RawGroup): Problem[] {
  if (backup.isSecret) return [];
  const entries = entriesOf(backup.value);
  return (["secretAccessKey", "sshKey", "password"] as const)
    .filter((entry) => entries[entry] !== undefined)
    .map((entry) => ({
      key: `backup.${entry}`,
      reason: "is in clear in the stack's settings, where whoever sees the file can read it",
      remedy: `make a new one, as it may have been seen; then ${secretCommand(`backup.${entry}`)}, which asks for it and encrypts it`,
    }));
}

interface Entries {
  readonly gateway?: { readonly password?: unknown };
  readonly email?: { readonly password?: unknown };
  readonly webhook?: { readonly url?: unknown };
  readonly smtp?: { readonly password?: unknown };
  readonly openidConnect?: { readonly clientSecret?: unknown };
  readonly secretAccessKey?: unknown;
  readonly sshKey?: unknown;
  readonly password?: unknown;
}

function entriesOf(value: unknown): Entries {
  try {
    const read: unknown = typeof value === "string" ? JSON.parse(value) : value;
    return typeof read === "object" && read !== null ? read : {};
  } catch {
    return {};
  }
}
