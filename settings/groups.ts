/** Groups of options against the release: what it does not know any more or not yet. */
import { optionGroups, type GroupName, type GroupValues } from "../bigbluebutton/optionGroups";
import {
  choicesOf,
  linesOf,
  optionLines,
  type Line,
  type Option,
  type OptionValue,
} from "../bigbluebutton/options";
import { releases, type Release } from "../bigbluebutton/releases";
import type { FieldValues } from "./fields";
import { optionPath, optionRemedy, readableOptions } from "./fields/optionGroup";
import { remedyFor } from "./fields";
import type { Problem } from "./problems";
import { fromJson } from "./read";
import { removeCommand } from "./remedies";

/** Groups that are set, each valid by itself. */
export function groupsOf(values: Partial<FieldValues>): GroupValues {
  const names = Object.keys(optionGroups) as GroupName[];
  return Object.fromEntries(
    names.flatMap((name) =>
      Object.keys(values[name] ?? {}).length > 0 ? [[name, values[name]!] as const] : [],
    ),
  );
}

/**
 * Finds options, and values of some, that the release does not know.
 *
 * @param raw All settings; an option is judged even where another one of its group has a mistake.
 */
export function groupProblems(
  raw: Readonly<Record<string, unknown>>,
  { release: name }: Partial<FieldValues>,
): Problem[] {
  if (!name) return [];
  const release = releases[name];
  return (Object.keys(optionGroups) as GroupName[]).flatMap((group) => {
    const given = fromJson(raw[group]);
    const values = isMap(given) ? readableOptions(optionGroups[group], given) : {};
    if (Object.keys(values).length === 0) return [];
    const line = optionLines.find((line) => line === release.version);
    if (line === undefined) return [unknownLine(group, release)];
    return Object.entries(values).flatMap(([key, value]) =>
      optionProblems(group, key, optionGroups[group][key]!, value, line),
    );
  });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unknownLine(key: string, { name, version }: Release): Problem {
  return {
    key,
    reason: `is set, but is for BigBlueButton ${optionLines.join(" and ")}; release is ${name}, ${version}, whose files it does not know`,
    remedy: `${removeCommand(key)}, or ${remedyFor("release")}`,
  };
}

function optionProblems(
  group: string,
  key: string,
  option: Option,
  value: OptionValue,
  line: Line,
): Problem[] {
  const path = `${group}.${key}`;
  const remedy = removeCommand(optionPath(group, key));
  if (!linesOf(option).includes(line)) {
    return [{ key: path, reason: `is not known to BigBlueButton ${line}: ${option.instead}`, remedy }];
  }
  const known = choicesOf(option, line);
  if (!known) return [];
  const few = known.length < 10;
  return [value].flat().flatMap((one, i) => {
    if (known.includes(String(one))) return [];
    const list = few ? `; it has ${known.join(", ")}` : "";
    const reason = `has ${String(one)}, which BigBlueButton ${line} does not know${list}`;
    const instead = few ? optionRemedy(group, key, { ...option, example: known[0]! }) : undefined;
    const entry = typeof value === "object" ? `--path '${path}[${i}]'` : optionPath(group, key);
    return [{ key: path, reason, remedy: instead ?? removeCommand(entry) }];
  });
}
