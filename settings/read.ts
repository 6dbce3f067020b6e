import type { z } from "zod";

import { fieldNames, fields, remedyFor, type FieldName, type FieldValues } from "./fields";
import { type Field } from "./fields/field";
import { nearest } from "./nearest";
import { pathFlag, removeCommand, setCommand } from "./remedies";
import type { Problem } from "./problems";

/** Problems of keys that are no settings, with the one that was perhaps meant. */
export function unknownKeys(raw: Readonly<Record<string, unknown>>): Problem[] {
  return Object.keys(raw)
    .filter((key) => !Object.hasOwn(fields, key))
    .map((key) => {
      const near = nearest(key, fieldNames);
      return {
        key,
        reason: near ? `is no setting; did you mean ${near}?` : "is no setting",
        remedy: `${removeCommand(key)}; Pulumi.yaml lists the settings`,
      };
    });
}

/** Reads every setting by itself; one with a problem is absent from `values`. */
export function readFields(raw: Readonly<Record<string, unknown>>): {
  values: Partial<FieldValues>;
  problems: Problem[];
} {
  const values: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const key of fieldNames) {
    const field: Field = fields[key];
    const value =
      given(field.type === "string" ? raw[key] : fromJson(raw[key])) ?? field.default ?? field.unset;
    if (value === undefined) {
      if (field.required) problems.push({ key, reason: "is not set", remedy: remedyFor(key) });
      continue;
    }
    const result = field.schema.safeParse(value);
    if (result.success) {
      values[key] = result.data;
      continue;
    }
    problems.push(...result.error.issues.map((issue) => problemOf(key, issue)));
  }
  return { values, problems };
}

/** Problem of a value, or of a key in it: "greenlight.admin.email". */
function problemOf(key: FieldName, issue: z.core.$ZodIssue): Problem {
  const better = issue.code === "custom" ? (issue.params?.["remedy"] as string | undefined) : undefined;
  if (issue.path.length === 0) return { key, reason: issue.message, remedy: better ?? remedyFor(key) };
  const path = [
    key,
    ...issue.path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)),
  ].join("");
  return {
    key: path,
    reason: issue.message,
    remedy: better ?? setCommand(pathFlag(key, issue.path), "VALUE"),
  };
}

function given(value: unknown): unknown {
  const unset =
    value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
  return unset ? undefined : value;
}

/** Value of a setting that is no text, from the CLI's JSON. */
export function fromJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
