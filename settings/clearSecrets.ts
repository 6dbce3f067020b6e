/** Secrets that stand in clear in a stack's settings, where whoever sees the file can read them. */
import type { Problem } from "./problems";
import { secretCommand } from "./remedies";

type Configuration = Readonly<Record<string, unknown>>;

/** Keys of the providers, with the first step of the advice. */
const CREDENTIALS = ["hcloud:token", "aws:secretKey", "aws:token"];

const ANEW = "make a new one, as it may have been seen";

/** Entries of settings that must be encrypted, with the first step of the advice. */
const ENTRIES: Readonly<Record<string, string>> = {
  "alerts.email.password": "change it at the mail server, as it may have been seen",
  "backup.secretAccessKey": ANEW,
  "backup.sshKey": ANEW,
  "backup.password": ANEW,
  "greenlight.smtp.password": ANEW,
  "greenlight.openidConnect.clientSecret": ANEW,
  "dialIn.gateway.password": "change it at the provider, as it may have been seen",
};

const reason = "is in clear in the stack's settings, where whoever sees the file can read it";
const encrypts = "which asks for it and encrypts it";

/**
 * Problems of credentials of the clouds in clear.
 *
 * @param all The stack's configuration by its whole keys.
 */
export function clearCredentials(all: Configuration, isSecret: (key: string) => boolean): Problem[] {
  return CREDENTIALS.filter((key) => isGiven(all[key]) && !isSecret(key)).map((key) => ({
    key,
    elsewhere: true,
    reason,
    remedy: `revoke it, as it may have been seen, and make a new one; then pulumi config set --secret ${key}, ${encrypts}`,
  }));
}

/**
 * Problems of entries of settings in clear.
 *
 * @param settings By their plain keys; an object may be JSON text.
 * @param isSecret Tells of an entry, e.g. "alerts.email.password", whether it is encrypted.
 */
export function clearEntries(settings: Configuration, isSecret: (entry: string) => boolean): Problem[] {
  return Object.entries(ENTRIES)
    .filter(([entry]) => isGiven(entryAt(settings, entry)) && !isSecret(entry))
    .map(([key, first]) => ({ key, reason, remedy: `${first}; then ${secretCommand(key)}, ${encrypts}` }));
}

/** Warning of a webhook's URL in clear: whoever has it can write into the chat. */
export function clearAlertUrls(settings: Configuration, isSecret: (entry: string) => boolean): string[] {
  const entry = "alerts.webhook.url";
  if (!isGiven(entryAt(settings, entry)) || isSecret(entry)) return [];
  return [
    `${entry} is in clear in the stack's settings, and whoever has it can write there. ` +
      `To encrypt it: ${secretCommand(entry)}`,
  ];
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== "";
}

/** Value at the path of an entry; undefined where there is none. */
export function entryAt(settings: Configuration, entry: string): unknown {
  return entry.split(".").reduce<unknown>((value, name) => objectOf(value)[name], settings);
}

function objectOf(value: unknown): Configuration {
  try {
    const read: unknown = typeof value === "string" ? JSON.parse(value) : value;
    return typeof read === "object" && read !== null ? (read as Configuration) : {};
  } catch {
    return {};
  }
}
