import { z } from "zod";

import type { Options } from "../../bigbluebutton/options";
import { pathFlag, removeCommand, setCommand } from "../remedies";

/** Declaration of a setting. The program reads it by this, and Pulumi.yaml and the docs' tables are made from it. */
export interface Field<T extends z.ZodType = z.ZodType> {
  /**
   * Type of the value in Pulumi.yaml, which has none for "boolean or object". All but strings reach the program as JSON
   * text.
   */
  readonly type: "string" | "boolean" | "integer" | "array" | "object" | "boolean or object";
  /** Type of a component's argument, in components/argumentTypes.ts. @default as `type` says */
  readonly argument?: string;
  /** Text of the docs: whole sentences. */
  readonly description: string;
  /** Checks a value that is set, by itself. */
  readonly schema: T;
  /** Requires the setting in every stack. */
  readonly required?: true;
  /** Value of a setting that is left out, as declared in Pulumi.yaml. @default the setting has no value then */
  readonly default?: string | boolean | number | readonly string[] | Readonly<Record<string, string>>;
  /** Default that Pulumi.yaml does not declare, so that the program can tell whether the setting was set. */
  readonly unset?: string;
  /** Good value. */
  readonly example?: string;
  /** Advice for a mistake, if the check itself has none. @default the command that sets `example` */
  readonly remedy?: string;
  /** Options of an object with known keys. */
  readonly options?: Options;
}

/** Settings of one topic, by their keys. */
export type Fields = Readonly<Record<string, Field>>;

/** Type of a setting's value once it is read. */
export type ValueOf<F extends Field> = F extends
  | { readonly required: true }
  | { readonly default: NonNullable<Field["default"]> }
  | { readonly unset: string }
  ? z.output<F["schema"]>
  : z.output<F["schema"]> | undefined;

/** Mistake in a value: the end of a sentence that begins with the key, and the check's advice if it has any. */
export interface Mistake {
  readonly reason: string;
  readonly remedy?: string;
}

type Found = string | Mistake | undefined;

/** Makes a check that names the mistake, and gives advice if it has better than the field's. */
export function must<T>(mistakes: (value: T) => Found | readonly Found[]) {
  return (value: T, context: z.RefinementCtx): void => {
    const found: readonly Found[] = [mistakes(value)].flat();
    for (const one of found) {
      if (one === undefined || one === "") continue;
      const { reason, remedy }: Mistake = typeof one === "string" ? { reason: one } : one;
      context.addIssue({ code: "custom", message: reason, params: { remedy } });
    }
  };
}

/** Any text, without white space around it. */
export const text = z
  .string({ error: ({ input }) => (input === undefined ? "is not set" : "must be a text") })
  .trim();

/** Text in which a check finds no mistake. */
export function textThat(mistakes: (value: string) => Found) {
  return text.superRefine(must(mistakes));
}

/** true or false. */
export const flag = z.boolean({ error: "must be true or false" });

/** Setting of type string with true or false, which can be left out. */
export const flagText = z.union(
  [z.boolean(), z.enum(["true", "false"]).transform((value) => value === "true")],
  { error: ({ input }) => `must be true or false, not ${JSON.stringify(input)}` },
);

/** Whole number in which a check finds no mistake. @param unit e.g. "days" */
export function integer(unit: string, mistakes: (value: number) => Found) {
  return z.int({ error: `must be a whole number of ${unit}` }).superRefine(must(mistakes));
}

/** One of some texts. */
export function choice<const T extends readonly [string, ...string[]]>(values: T) {
  const known = `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
  return z.enum(values, { error: ({ input }) => `must be ${known}, not ${JSON.stringify(input)}` });
}

/** List of texts; a wrong entry is reported with its place and a correct example. */
export function list(key: string, what: string, example: string) {
  const entries = z.array(z.unknown(), { error: `must be a list of ${what}` });
  const texts = must<unknown[]>((values) =>
    values.map((value, i) => {
      if (typeof value === "string" && value.trim() !== "") return undefined;
      const only = Array.isArray(value) && value.length === 1 ? (value as unknown[])[0] : undefined;
      const meant = typeof only === "string" && /^[\w.:/-]+$/.test(only) ? only : example;
      const found =
        typeof value === "string"
          ? "an empty text"
          : `${JSON.stringify(value)}, ${Array.isArray(value) ? "a list in the list" : "no text"}`;
      const entry = `--path '${key}[${i}]'`;
      return {
        reason: `has ${found} as entry number ${i + 1}, where one of the ${what} belongs`,
        remedy: `${removeCommand(entry)}, then ${setCommand(entry, meant)}`,
      };
    }),
  );
  return entries.superRefine(texts).pipe(z.array(text));
}

/** True for a URL of one of some protocols, e.g. "https:". */
export function isUrl(value: string, ...protocols: string[]): boolean {
  return URL.canParse(value) && protocols.includes(new URL(value).protocol) && !/\s/.test(value);
}

/** Command-line path of an entry of a map, e.g. `--path 'tags.team'`. */
export function entryPath(key: string, entry: string): string {
  return pathFlag(key, [entry]);
}

/** Checks a map of texts. Numbers and flags count as texts, since YAML and the CLI make such of what looks like one. */
export function map(key: string, what: string, example: string) {
  const entries = z.record(z.string(), z.unknown(), { error: `must be a map of ${what}` });
  const texts = must<Record<string, unknown>>((values) =>
    Object.entries(values).map(([entry, value]) =>
      ["string", "number", "boolean"].includes(typeof value)
        ? undefined
        : {
            reason: `has ${JSON.stringify(value)} as the value of "${entry}", where a text belongs`,
            remedy: setCommand(entryPath(key, entry), example),
          },
    ),
  );
  return entries
    .superRefine(texts)
    .transform((values) =>
      Object.fromEntries(Object.entries(values).map(([entry, value]) => [entry, String(value)])),
    );
}
