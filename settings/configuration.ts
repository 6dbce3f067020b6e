import * as pulumi from "@pulumi/pulumi";

import { parseSettings, type Settings } from ".";
import {
  clearAlertUrls,
  clearAlerts,
  clearBackup,
  clearCredentials,
  clearDialIn,
  clearGreenlight,
  environmentWarnings,
  prefixWarnings,
} from "./warnings";

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
  const rawGroup = (key: string) => ({ value: raw[key], isSecret: secrets.has(prefix + key) });
  const alerts = rawGroup("alerts");
  for (const warning of [
    ...prefixWarnings(all, project),
    ...environmentWarnings(raw, stack),
    ...clearAlertUrls(alerts),
  ]) {
    void pulumi.log.warn(warning);
  }
  return parseSettings(raw, {
    project,
    stack,
    elsewhere: [
      ...clearCredentials(all, (key) => secrets.has(key)),
      ...clearAlerts(alerts),
      ...clearBackup(rawGroup("backup")),
      ...clearGreenlight(rawGroup("greenlight")),
      ...clearDialIn(rawGroup("dialIn")),
    ],
  });
}

/** Keys whose values are encrypted in the stack's settings, as the engine tells the program. */
function secretKeys(): ReadonlySet<string> {
  return new Set(JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[]);
}
