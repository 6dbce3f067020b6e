import type { FieldValues } from "./fields";
import { entryPath } from "./fields/field";
import type { Problem } from "./problems";
import { removeCommand } from "./remedies";

/** Keys that the program sets itself, in small letters, and by which it finds what it has made. */
const OWN = ["project", "stack", "deployment", "role", "expires", "name", "snapshots"];

/** Name of a label at Hetzner Cloud, and value of one (https://docs.hetzner.cloud/reference/cloud#labels). */
const HETZNER_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const HETZNER_PREFIX = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const HETZNER_FORM = "at most 63 letters, digits and . _ -, a letter or digit at both ends";

/** Characters of keys and values that every service of AWS takes (https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html). */
const AWS_TEXT = /^[\p{L}\p{N} _.:/=+@-]*$/u;

/** Tags of a resource at AWS, beside its own {@link OWN}. */
const AWS_TAGS = 50 - OWN.length;

type Rule = (key: string, value: string) => string | undefined;

/** Finds tags that a cloud of the deployment would refuse, or that are the program's own. */
export function tagProblems(values: Partial<FieldValues>): Problem[] {
  const tags = Object.entries(values.tags ?? {});
  const clouds = cloudsOf(values);
  const rules: readonly Rule[] = [
    ownKeyProblem,
    ...(clouds.hetzner ? [hetznerProblem] : []),
    ...(clouds.aws ? [awsProblem] : []),
  ];
  const found = tags.flatMap(([key, value]) => {
    const reason = rules.map((rule) => rule(key, value)).find((reason) => reason !== undefined);
    return reason === undefined ? [] : [problem(key, reason)];
  });
  return clouds.aws ? [...found, ...awsProblems(tags.map(([key]) => key))] : found;
}

function problem(key: string, reason: string): Problem {
  return { key: "tags", reason, remedy: `${removeCommand(entryPath("tags", key))}, or another key or value` };
}

/** Clouds in which anything has labels or tags. Records in Route 53 have none. */
function cloudsOf({ cloud, turnCloud, turnStack, dns }: Partial<FieldValues>) {
  const hosts = [cloud, ...(turnStack ? [] : [turnCloud ?? cloud])];
  return { hetzner: hosts.includes("hetzner") || dns === "hetzner", aws: hosts.includes("aws") };
}

function ownKeyProblem(key: string): string | undefined {
  return OWN.includes(key.toLowerCase())
    ? `has "${key}", by which the deployment's own resources are known`
    : undefined;
}

function hetznerProblem(key: string, value: string): string | undefined {
  const parts = key.split("/");
  const name = parts.at(-1) ?? "";
  const [prefix] = parts.length > 1 ? parts : [undefined];
  if (
    parts.length > 2 ||
    !HETZNER_NAME.test(name) ||
    (prefix !== undefined && !HETZNER_PREFIX.test(prefix))
  ) {
    return `has "${key}", which is no key of a label at Hetzner Cloud: ${HETZNER_FORM}, after a domain and / if you like`;
  }
  if (prefix === "hetzner.cloud" || prefix?.endsWith(".hetzner.cloud")) {
    return `has "${key}", whose beginning Hetzner Cloud keeps for itself`;
  }
  return value === "" || HETZNER_NAME.test(value)
    ? undefined
    : `has "${value}" as ${key}, which is no value of a label at Hetzner Cloud: ${HETZNER_FORM}`;
}

function awsProblem(key: string, value: string): string | undefined {
  if (/^aws:/i.test(key)) return `has "${key}", whose beginning AWS keeps for itself`;
  const form = "letters, digits, spaces and _ . : / = + - @";
  if (key.trim() === "" || key.length > 128 || !AWS_TEXT.test(key)) {
    return `has "${key}", which is no key of a tag at AWS: 1 to 128 ${form}`;
  }
  return value.length <= 256 && AWS_TEXT.test(value)
    ? undefined
    : `has "${value}" as ${key}, which is no value of a tag at AWS: at most 256 ${form}`;
}

/** Finds what AWS would refuse of all tags together. Roles don't tell keys by the case of their letters. */
function awsProblems(keys: readonly string[]): Problem[] {
  const alike = keys.filter((key, i) =>
    keys.slice(0, i).some((other) => other.toLowerCase() === key.toLowerCase()),
  );
  const problems = alike.map((key) => problem(key, `has "${key}" twice but for the case of its letters`));
  if (keys.length <= AWS_TAGS) return problems;
  const remedy = `${removeCommand("--path 'tags.KEY'")}, for some of them`;
  const reason = `has ${keys.length}; a resource at AWS has room for ${AWS_TAGS} beside the deployment's own`;
  return [...problems, { key: "tags", reason, remedy }];
}
