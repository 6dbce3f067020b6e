/** Schema of a setting that is a group of options, made from the group's table in bigbluebutton/. */
import { z } from "zod";

import {
  allChoices,
  retirementOf,
  type Option,
  type Options,
  type OptionValue,
  type OptionValues,
} from "../../bigbluebutton/options";
import { nearest } from "../nearest";
import { removeCommand, setCommand } from "../remedies";
import { entryPath, isUrl, must, type Mistake } from "./field";

// `pulumi config set --path` stores numbers and flags as such, or as texts.
const flag = z.union([z.boolean(), z.enum(["true", "false"]).transform((value) => value === "true")]);
const whole = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d{1,15}$/)
    .transform(Number),
]);
const text = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]);

/** Characters that no text has: controls other than tab and line break, lone surrogates, and what YAML can't have. */
export const UNPRINTABLE =
  /[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

/** Command that sets an option to its example. */
export function optionRemedy(group: string, name: string, { example }: Option): string {
  return typeof example === "object"
    ? setCommand(`--path '${group}.${name}[0]'`, shellText(example[0]!))
    : setCommand(entryPath(group, name), shellText(String(example)));
}

function shellText(value: string): string {
  return /^[\w.:/-]+$/.test(value) ? value : "TEXT";
}

/** Checks a group. Every mistake is told by its option; an unknown one with the nearest known. */
export function optionGroup(name: string, options: Options) {
  const entries = z.record(z.string(), z.unknown(), {
    error: `must be a map of options, each of those in docs/${name}.md`,
  });
  const known = Object.keys(options);
  return entries
    .superRefine((values, context) => {
      for (const [key, value] of Object.entries(values)) {
        const mistakes = Object.hasOwn(options, key)
          ? optionMistakes(name, key, options[key]!, value)
          : [unknownOption(name, key, known)];
        for (const { reason: message, remedy } of mistakes) {
          context.addIssue({ code: "custom", path: [key], message, params: { remedy } });
        }
      }
    })
    .transform((values) => readableOptions(options, values));
}

function unknownOption(group: string, key: string, known: readonly string[]): Mistake {
  const near = nearest(key, known);
  return {
    reason: near ? `is no setting; did you mean ${near}?` : "is no setting",
    remedy: `${removeCommand(entryPath(group, key))}; docs/${group}.md lists the options`,
  };
}

/** Values of the options without a mistake. */
export function readableOptions(options: Options, values: Readonly<Record<string, unknown>>): OptionValues {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => {
      const read = Object.hasOwn(options, key) ? schemaOf(options[key]!).safeParse(value) : undefined;
      return read?.success ? [[key, read.data] as const] : [];
    }),
  );
}

/** Finds what is wrong with the value of an option: of a list, each entry. */
function optionMistakes(group: string, key: string, option: Option, value: unknown): Mistake[] {
  const result = schemaOf(option).safeParse(value);
  if (result.success) return [];
  return result.error.issues.map(({ message, path: [at] }) => {
    if (typeof at !== "number" || !Array.isArray(value)) {
      return { reason: `${message}, not ${shown(value)}`, remedy: optionRemedy(group, key, option) };
    }
    return {
      reason: `${message}, not ${shown(value[at])}`,
      remedy: removeCommand(`--path '${group}.${key}[${at}]'`),
    };
  });
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Schema of one option, whose messages are the ends of sentences that begin with its name. */
function schemaOf(option: Option): z.ZodType<OptionValue> {
  const { type } = option;
  switch (type.kind) {
    case "flag":
      return withMessage(flag, "must be true or false");
    case "integer": {
      const { least, most, unit } = type;
      const range = whole.refine((value) => value >= least && value <= most);
      return withMessage(range, `must be a whole number of ${unit} from ${least} to ${most}`);
    }
    case "text":
      return withMessage(text, "must be a text").superRefine(
        must<OptionValue>((value) => textProblem(String(value), type.longest)),
      );
    case "file":
      return withMessage(text, "must be a path or an https URL").superRefine(
        must<OptionValue>((value) => fileProblem(String(value))),
      );
    case "form":
      return withMessage(text, `must be ${type.what}`).superRefine(
        must<OptionValue>((value) => (type.isGood(String(value)) ? undefined : `must be ${type.what}`)),
      );
    case "choice":
      return withMessage(text, oneOf(allChoices(option))).superRefine(
        must<OptionValue>((value) => choiceProblem(option, String(value))),
      );
    case "choices":
      return listOf((value) => choiceProblem(option, value));
    case "names":
      return listOf((value) => (type.form.test(value) ? undefined : `must be a list of ${type.what}`));
  }
}

/** Replaces all messages of a schema by one. */
function withMessage(schema: z.ZodType<OptionValue>, message: string): z.ZodType<OptionValue> {
  return z.unknown().transform((value, context) => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

function listOf(problem: (value: string) => string | undefined): z.ZodType<OptionValue> {
  return withMessage(z.array(text).min(1), "must be a list of texts").superRefine((values, context) => {
    (values as readonly string[]).forEach((value, at) => {
      const message = problem(value);
      if (message) context.addIssue({ code: "custom", message, path: [at] });
    });
  });
}

function textProblem(value: string, longest: number): string | undefined {
  if (value.length > longest) return `must have at most ${longest} characters`;
  if (UNPRINTABLE.test(value)) return "must not have control characters";
  return value.includes("${")
    ? "must not have ${, after which BigBlueButton expects one of its own settings"
    : undefined;
}

function fileProblem(value: string): string | undefined {
  if (UNPRINTABLE.test(value) || value.includes("\n")) return "must not have control characters";
  const url = /^[a-z][a-z0-9+.-]+:/i.test(value);
  // What is in nginx's configuration ends at these.
  const good = url ? isUrl(value, "https:") && !/[;{}"'\\$]/.test(value) : value.trim() !== "";
  return good ? undefined : "must be a path or an https URL";
}

function choiceProblem(option: Option, value: string): string | undefined {
  const known = allChoices(option);
  // groupProblems tells what became of a value that lines knew once.
  if (known.includes(value) || retirementOf(option, value) !== undefined) return undefined;
  const near = nearest(value, known);
  return `${oneOf(known)}${near ? ` (did you mean ${near}?)` : ""}`;
}

function oneOf(known: readonly string[]): string {
  return known.length > 9 ? "must be one of those in the docs" : `must be one of ${known.join(", ")}`;
}
