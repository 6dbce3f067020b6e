import { ApiError, invalidField } from "./errors";
import type { Labels } from "./model";

const name = /^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$/;
const prefix = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** Refuses labels that the real API refuses: key `[prefix/]name`, value empty or like a name, at most 63 each. */
export function checkLabels(labels: Labels | undefined): Labels {
  for (const [key, value] of Object.entries(labels ?? {})) {
    const parts = key.split("/");
    const [keyPrefix, keyName] = parts.length === 1 ? [undefined, key] : [parts[0], parts[1]];
    if (
      parts.length > 2 ||
      !name.test(keyName ?? "") ||
      (keyPrefix !== undefined && !prefix.test(keyPrefix))
    ) {
      throw invalidField("labels", `label key '${key}' is not of the form [prefix/]name`);
    }
    if (keyPrefix === "hetzner.cloud" || keyPrefix?.endsWith(".hetzner.cloud")) {
      throw invalidField("labels", `label key '${key}' has a reserved prefix`);
    }
    if (value !== "" && !name.test(value)) {
      throw invalidField("labels", `value '${value}' of label '${key}' has illegal characters or length`);
    }
  }
  return labels ?? {};
}

type Term = (labels: Labels) => boolean;

/** Parses `a=b`, `a==b` and `a in (b,c)`, the forms in use; commas mean "and". */
export function parseSelector(selector: string): Term {
  const terms = selector
    .split(/,(?![^(]*\))/)
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => parseTerm(text, selector));
  return (labels) => terms.every((term) => term(labels));
}

const key = "[^\\s=!,()]+";
const oneOf = new RegExp(`^(${key})\\s+in\\s*\\(([^()]*)\\)$`);
const equality = new RegExp(`^(${key})\\s*==?\\s*([^\\s=!,()]*)$`);

function parseTerm(text: string, selector: string): Term {
  const set = oneOf.exec(text);
  if (set) {
    const [, label = "", list = ""] = set;
    const values = list.split(",").map((value) => value.trim());
    return (labels) => values.includes(labels[label] ?? "");
  }
  const equal = equality.exec(text);
  if (equal) {
    const [, label = "", value] = equal;
    return (labels) => labels[label] === value;
  }
  throw new ApiError("invalid_input", `invalid label selector '${selector}': can't read '${text}'`, {
    fields: [{ name: "label_selector", messages: [`can't read '${text}'`] }],
  });
}
