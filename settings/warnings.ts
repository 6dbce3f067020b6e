import { distance } from "fastest-levenshtein";

import { fields } from "./fields";
import { setCommand } from "./remedies";

/** Namespaces of the providers that the program uses, and Pulumi's own. */
const OTHERS = ["pulumi", "hcloud", "aws", "command", "random", "tls", "aws-native"];

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
