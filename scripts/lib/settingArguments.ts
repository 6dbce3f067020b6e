import type { Options, OptionType } from "../../bigbluebutton/options";
import { topics } from "../../settings/fields";
import { flagText, type Field } from "../../settings/fields/field";

const WIDTH = 118;

const TYPES = {
  string: "pulumi.Input<string>",
  boolean: "pulumi.Input<boolean>",
  integer: "pulumi.Input<number>",
  array: "pulumi.Input<pulumi.Input<string>[]>",
  object: "pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>",
  "boolean or object": "pulumi.Input<any>",
} as const;

const OPTION_TYPES: Readonly<Record<OptionType["kind"], string>> = {
  flag: TYPES.boolean,
  integer: TYPES.integer,
  text: TYPES.string,
  file: TYPES.string,
  form: TYPES.string,
  choice: TYPES.string,
  choices: TYPES.array,
  names: TYPES.array,
};

/** Renders components/settingArguments.ts: every setting as an argument of a component. */
export function settingArguments(): string {
  return [
    "// Generated from settings/fields by scripts/generate-docs.ts.",
    "/* eslint-disable @typescript-eslint/no-explicit-any -- other languages have no type of boolean or object */",
    'import type * as pulumi from "@pulumi/pulumi";',
    "",
    `import type { ${groupTypes().join(", ")} } from "./argumentTypes";`,
    "",
    "/** Every setting of a deployment, by its name in Pulumi.yaml. */",
    "export interface SettingArguments {",
    ...topics.flatMap(({ title, fields }) => [
      `  // ${title}`,
      ...Object.entries<Field>(fields).flatMap(([key, field]) => argument(key, field)),
    ]),
    "}",
    ...topics.flatMap(({ fields }) =>
      Object.entries<Field>(fields).flatMap(([key, { options }]) =>
        options ? optionArguments(key, options) : [],
      ),
    ),
    "",
  ].join("\n");
}

/** Types of the arguments that are objects with entries of their own. */
function groupTypes(): string[] {
  return topics
    .flatMap(({ fields }) => Object.values<Field>(fields).flatMap(({ argument }) => argument ?? []))
    .sort();
}

/** Renders the interface of a group's options. */
function optionArguments(key: string, options: Options): string[] {
  return [
    "",
    `/** Options of \`${key}\`; docs/${key}.md says what each is by default, and from which release on. */`,
    `export interface ${interfaceName(key)} {`,
    ...Object.entries(options).flatMap(([name, { type, description }]) => [
      ...docComment(description),
      `  readonly ${name}?: ${OPTION_TYPES[type.kind]};`,
    ]),
    "}",
  ];
}

function interfaceName(key: string): string {
  return `${key[0]!.toUpperCase()}${key.slice(1)}Options`;
}

function argument(
  key: string,
  { type, argument, schema, required, default: preset, description, options }: Field,
): string[] {
  // A text in a stack's file, where no boolean can be left out; an argument can.
  const flag = schema === flagText || schema.def === flagText.def;
  const text = flag
    ? description.replace(/^true or false: (.)/, (_all, first: string) => first.toUpperCase())
    : description;
  const known =
    preset !== undefined &&
    preset !== "" &&
    !(typeof preset === "object" && Object.keys(preset).length === 0);
  return [
    ...docComment(text, known ? `@default ${JSON.stringify(preset)}` : undefined),
    `  readonly ${key}${required ? "" : "?"}: ${options ? `pulumi.Input<${interfaceName(key)}>` : flag ? TYPES.boolean : typeOf(type, argument)};`,
  ];
}

function typeOf(type: Field["type"], argument: string | undefined): string {
  return argument === undefined ? TYPES[type] : `pulumi.Input<${argument}>`;
}

function docComment(text: string, tag?: string): string[] {
  const escaped = text.replace(/[{}@]/g, "\\$&").replaceAll("*/", "*\\/");
  if (tag === undefined && escaped.length + 9 <= WIDTH) return [`  /** ${escaped} */`];
  const lines = [""];
  for (const word of escaped.split(" ")) {
    const last = lines.at(-1)!;
    if (last !== "" && last.length + word.length + 6 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return ["  /**", ...lines.map((line) => `   * ${line}`), ...(tag ? ["   *", `   * ${tag}`] : []), "   */"];
}
