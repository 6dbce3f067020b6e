/** Groups of options against the release: what it does not know any more or not yet. */
import { optionGroups, setKeysOf, type GroupName, type GroupValues } from "../bigbluebutton/optionGroups";
import {
  isIgnored,
  leaves,
  ownedByProgram,
  setTwice,
  treesOf,
  type Overridable,
} from "../bigbluebutton/overrides";
import {
  choicesOf,
  linesOf,
  optionLines,
  retirementOf,
  type Line,
  type Option,
  type OptionValue,
} from "../bigbluebutton/options";
import { releases, type Release } from "../bigbluebutton/releases";
import { dialInWordsOf } from "./dialIn";
import type { FieldValues } from "./fields";
import { entryPath } from "./fields/field";
import { optionRemedy, readableOptions } from "./fields/optionGroup";
import { remedyFor } from "./fields";
import type { Problem } from "./problems";
import { fromJson } from "./read";
import { pathFlag, removeCommand } from "./remedies";

/** Groups that are set, each valid by itself. */
export function groupsOf(values: Partial<FieldValues>): GroupValues {
  const names = [...(Object.keys(optionGroups) as GroupName[]), "overrides"] as const;
  const dialIn = dialInWordsOf(values);
  const set = names.flatMap((name) =>
    Object.keys(values[name] ?? {}).length > 0 ? [[name, values[name]!] as const] : [],
  );
  return { ...Object.fromEntries(set), ...(dialIn && { dialIn }) };
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

/** Finds overrides that the release does not take, or that the program owns. */
export function overrideProblems(values: Partial<FieldValues>): Problem[] {
  const { overrides } = groupsOf(values);
  if (!overrides || !values.release) return [];
  const release = releases[values.release];
  const line = optionLines.find((line) => line === release.version);
  if (line === undefined) return [unknownLine("overrides", release)];
  return treesOf(overrides).flatMap(([name, tree]) =>
    leaves(name, tree).flatMap(([key]) => {
      const why = overrideProblem(name, key, line);
      return why === undefined ? [] : [overrideMistake(name, key, why)];
    }),
  );
}

/** Finds keys that two settings set, in a release whose keys are known. */
export function setTwiceProblems(values: Partial<FieldValues>): Problem[] {
  const { release } = values;
  if (!release || !optionLines.some((line) => line === releases[release].version)) return [];
  return setTwice(setKeysOf(groupsOf(values))).map(([first, second]) => ({
    key: second,
    reason: `is a key that ${first} sets`,
    remedy: `leave out one of both: ${removeCommand(`--path '${first}'`)}`,
  }));
}

function overrideProblem(file: Overridable, key: readonly string[], line: Line): string | undefined {
  const owner = ownedByProgram(file, key);
  if (owner !== undefined) return `can't be set: ${owner}`;
  return isIgnored(file, key, line)
    ? `is ignored by BigBlueButton ${line}, whose clients reach LiveKit another way`
    : undefined;
}

function overrideMistake(file: string, key: readonly string[], reason: string): Problem {
  const remedy = removeCommand(pathFlag("overrides", [file, ...key]));
  return { key: ["overrides", file, ...key].join("."), reason, remedy };
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
  const remedy = removeCommand(entryPath(group, key));
  if (!linesOf(option).includes(line)) {
    return [{ key: path, reason: `is not known to BigBlueButton ${line}: ${option.instead}`, remedy }];
  }
  const known = choicesOf(option, line);
  if (!known) return [];
  const few = known.length < 10;
  return [value].flat().flatMap((one, i) => {
    if (known.includes(String(one))) return [];
    const list = few ? `; it has ${known.join(", ")}` : "";
    const why = retirementOf(option, String(one));
    const reason = `has ${String(one)}, which BigBlueButton ${line} does not know${why ? `: ${why}` : ""}${list}`;
    const instead = few ? optionRemedy(group, key, { ...option, example: known[0]! }) : undefined;
    const entry = typeof value === "object" ? `--path '${path}[${i}]'` : entryPath(group, key);
    return [{ key: path, reason, remedy: instead ?? removeCommand(entry) }];
  });
}
