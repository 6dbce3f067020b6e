import { distance } from "fastest-levenshtein";

import { fields } from "./fields";
import { setCommand } from "./remedies";
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
