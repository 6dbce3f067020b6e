/** Options of a group of settings, as plain data: what each may be, and which keys of BigBlueButton's files it sets. */
import { createHash } from "node:crypto";

import type { SetKey } from "./ownedKeys";
import { overrideFiles, type OverrideName, type OwnedValue } from "./overrideFiles";

/** Line of BigBlueButton whose options are known. */
export const optionLines = ["3.0", "4.0"] as const;
export type Line = (typeof optionLines)[number];

/** Values that differ from line to line. */
type Choices = readonly string[] | Readonly<Record<Line, readonly string[]>>;

/** Form of an option's value. */
export type OptionType =
  | { readonly kind: "flag" }
  | { readonly kind: "integer"; readonly least: number; readonly most: number; readonly unit: string }
  | { readonly kind: "text"; readonly longest: number }
  /** Path of a file on the machine that deploys, or an https URL. */
  | { readonly kind: "file" }
  /** Text that is read by `isGood`; `what` says what it is, as half a sentence. */
  | { readonly kind: "form"; readonly what: string; readonly isGood: (text: string) => boolean }
  | { readonly kind: "choice"; readonly values: Choices }
  | {
      readonly kind: "choices";
      readonly values: Choices;
      /** Values that no line knows any more, and why. */
      readonly retired?: Readonly<Record<string, string>>;
    }
  | { readonly kind: "names"; readonly what: string; readonly form: RegExp };

/** Value of an option, read. */
export type OptionValue = string | number | boolean | readonly string[];

/** Key that an option sets. */
export interface Place {
  readonly file: OverrideName;
  /** Key; in YAML the names of the maps around it, joined by dots. */
  readonly key: string;
  /**
   * Value of the key; undefined leaves it to the package.
   *
   * @default the option's own; outside of YAML as a text, lists joined by commas
   */
  readonly as?: (value: OptionValue) => OwnedValue | undefined;
}

/** Option of a group. */
export interface Option {
  readonly type: OptionType;
  /** Text of the docs: whole sentences. */
  readonly description: string;
  readonly example: OptionValue;
  /** Value of the package, where the option is left out. */
  readonly default: string;
  readonly at: readonly Place[];
  /** Lines that know it. @default all */
  readonly lines?: readonly Line[];
  /** What the other lines have in its place, as half a sentence. */
  readonly instead?: string;
  /** Sources of the keys, by their names in docs/meetings.md. */
  readonly source: string;
}

/** Options of a group by their names. */
export type Options = Readonly<Record<string, Option>>;

/** Values of a group's options. */
export type OptionValues = Readonly<Record<string, OptionValue>>;

/** Texts that an option of this type takes in a line; undefined if others do, too. */
export function choicesOf({ type }: Option, line: Line): readonly string[] | undefined {
  if (type.kind !== "choice" && type.kind !== "choices") return undefined;
  return "3.0" in type.values ? type.values[line] : type.values;
}

/** Reason why no line takes a text that earlier ones knew; undefined for any other. */
export function retirementOf({ type }: Option, value: string): string | undefined {
  const { retired = {} } = type.kind === "choices" ? type : {};
  return Object.hasOwn(retired, value) ? retired[value] : undefined;
}

/** Texts that an option takes in any line. */
export function allChoices(option: Option): readonly string[] {
  return [...new Set(optionLines.flatMap((line) => choicesOf(option, line) ?? []))];
}

/** Lines that know an option. */
export function linesOf({ lines = optionLines }: Option): readonly Line[] {
  return lines;
}

/** Keys that a group's values set. */
export function keysOf(group: string, options: Options, values: OptionValues): SetKey[] {
  return Object.entries(values).flatMap(([name, value]) =>
    options[name]!.at.flatMap(({ file, key, as }) => {
      const made = as ? as(value) : inYaml(file) ? value : plainText(value);
      return made === undefined ? [] : [{ file, key, value: made, setting: `${group}.${name}` }];
    }),
  );
}

function inYaml(file: OverrideName): boolean {
  return overrideFiles[file].format === "yaml";
}

/** Value as Java properties and the shell have it. */
function plainText(value: OptionValue): string {
  return typeof value === "object" ? value.join(",") : String(value);
}

/** Text for duringMeetings that stands for a group's present values, e.g. "meetings-3f9a2c41". */
export function textFor(group: string, values: object): string {
  return `${group}-${createHash("sha256").update(JSON.stringify(values)).digest("hex").slice(0, 8)}`;
}
