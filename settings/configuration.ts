import * as pulumi from "@pulumi/pulumi";

import { parseSettings, type Settings } from ".";
import { clearAlertUrls, clearCredentials, clearEntries } from "./clearSecrets";
import { environmentWarnings, prefixWarnings } from "./warnings";

/**
 * Reads and checks the stack's settings. The only reader of its configuration.
 *
 * @throws SettingsError listing every mistake, before any resource is registered
 */
export function loadSettings(): Settings {
  const project = pulumi.getProject();
  const stack = pulumi.getStack();
  const all = pulumi.runtime.allConfig();
  const prefix = `${project}:`;
  const own = Object.entries(all).filter(([key]) => key.startsWith(prefix));
  const raw = Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
  const secrets = secretKeys();
  // The engine tells of a setting, not of which of its entries.
  const isSecret = (entry: string) => secrets.has(prefix + entry.replace(/\..*/, ""));
  for (const warning of [
    ...prefixWarnings(all, project),
    ...environmentWarnings(raw, stack),
    ...clearAlertUrls(raw, isSecret),
  ]) {
    void pulumi.log.warn(warning);
  }
  return parseSettings(raw, {
    project,
    stack,
    elsewhere: [...clearCredentials(all, (key) => secrets.has(key)), ...clearEntries(raw, isSecret)],
  });
}

/** Keys whose values are encrypted in the stack's settings, as the engine tells the program. */
function secretKeys(): ReadonlySet<string> {
  return new Set(JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[]);
}
