/** Texts of the docs and of Pulumi.yaml about the settings, made from their one declaration in settings/fields. */
import { stringify } from "yaml";

import { declaredDefault, fields, topics, type FieldName } from "../../settings/fields";
import type { Field } from "../../settings/fields/field";
import { table } from "./markdown";

/** Settings that almost every stack sets, in the order of the README. */
const FIRST: readonly FieldName[] = [
  ...(["domain", "email", "sshNetworks", "environment"] as const),
  ...(["cloud", "location", "serverType", "recordingsGb"] as const),
];

/** Renders the table of the settings to begin with. */
export function firstSettings(): string {
  return settingsTable(FIRST.map((key) => [key, fields[key]]));
}

/** Renders a list of the topics, and a table of all settings for each of them, under a heading. */
export function settingsByTopic(): string {
  const contents = topics.map(({ title }) => `[${title}](#${title.toLowerCase().replaceAll(" ", "-")})`);
  const tables = topics.map(({ title, fields }) => `## ${title}\n\n${settingsTable(Object.entries(fields))}`);
  return [`Topics: ${contents.join(" · ")}`, ...tables].join("\n\n");
}

function settingsTable(rows: readonly (readonly [string, Field])[]): string {
  return table(
    ["setting", "type", "default", "what"],
    rows.map(([key, field]) => [`\`${key}\``, typeName(field), defaultCell(field), field.description]),
  );
}

function typeName({ type, argument, options }: Field): string {
  if (options) return "map of options";
  if (argument !== undefined) return "object";
  return { array: "list of strings", object: "map of strings" }[type as string] ?? type;
}

function defaultCell(field: Field): string {
  if (field.required) return "**required**";
  const value = declaredDefault(field);
  const none = value === "" || (typeof value === "object" && Object.keys(value).length === 0);
  return none ? "–" : `\`${String(value)}\``;
}

/**
 * Renders the `config` block of Pulumi.yaml.
 *
 * @param base Values of an operator's own, which stand in place of defaults.
 */
export function projectConfig(base: Readonly<Record<string, unknown>>): string {
  const blocks = topics.map(({ title, fields }) => {
    const declared = Object.entries<Field>(fields).map(
      ([key, field]) => [key, declaration(field, base[key])] as const,
    );
    return indented(`# ${title}\n${stringify(Object.fromEntries(declared), { lineWidth: 0 })}`);
  });
  return `config:\n${blocks.join("")}`;
}

function declaration(field: Field, value: unknown): object {
  const { type, required, description } = field;
  return {
    ...(type !== "boolean or object" && { type }),
    ...(type === "array" && { items: { type: "string" } }),
    ...(value !== undefined ? { value } : !required && { default: declaredDefault(field) }),
    description,
  };
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
