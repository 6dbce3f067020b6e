import { z } from "zod";

import { overridable, type Overridable, type Tree } from "../../bigbluebutton/overrides";
import { setCommand } from "../remedies";
import type { Fields } from "./field";
import { group } from "./group";
import { UNPRINTABLE } from "./optionGroup";

const plain = [
  z.string().refine((text) => !UNPRINTABLE.test(text), "must be a text without control characters"),
  z.number(),
  z.boolean(),
] as const;

/** Value of a key of properties. */
const property = z.union(plain, { error: "must be a text, a number, true or false" });

/** Value of another key: everything that JSON has but null. */
const value: z.ZodType<Tree[string]> = z.lazy(() =>
  z.union([...plain, z.array(value), z.record(z.string(), value)], {
    error: "must be a text, a number, true, false, a list or a map, and so must be all in it",
  }),
);

/** Map of keys. The names of properties have dots in them, and plain values. */
function tree(file: Overridable) {
  return z.record(z.string().regex(/^[\w.@$-]+$/), file === "web" ? property : value, {
    error: `must be a map of ${overridable[file]}, by names without blanks`,
  });
}

const CONTENT = "must be a path, or a map with file (a path) or text";

/** Content of a file: a path on the machine that deploys, or the text itself. */
const content = {
  file: z.string().min(1).optional(),
  text: z.string().min(1).optional(),
  replace: z
    .union([z.boolean(), z.enum(["true", "false"]).transform((value) => value === "true")])
    .optional(),
};

/** Makes the schema of a file with such a content; a text alone is a path. */
function withContent<S extends z.ZodRawShape>(shape: S, keys: string) {
  const one = z.strictObject({ ...content, ...shape }, { error: `${CONTENT}; there are ${keys}` });
  return z.preprocess(
    (value) => (typeof value === "string" ? { file: value } : value),
    one.refine((value) => "file" in value !== "text" in value, CONTENT),
  );
}

const nginx = z.record(
  z.string().regex(/^(?!bbb-deploy|include_default$)[A-Za-z0-9][\w-]*$/),
  withContent({}, "file, text, replace"),
  { error: "must be a map of names, of letters, digits, - and _, that are nobody else's" },
);

const files = z.record(
  z.string(),
  withContent(
    {
      mode: z
        .union([z.string(), z.number().transform(String)])
        .refine((mode) => /^0?[0-7]{3}$/.test(mode), 'has a mode that is none, such as "644"')
        .transform((mode) => mode.slice(-3))
        .optional(),
      owner: z
        .string()
        .regex(/^[a-z_][\w.-]*:[a-z_][\w.-]*$/, "has an owner that is none, such as root:root")
        .optional(),
      restart: z.array(z.string().regex(/^[\w@.-]+$/, "has a unit to restart that is no name")).optional(),
    },
    "file, text, mode, owner, replace, restart",
  ),
  { error: "must be a map of paths" },
);

const names = Object.keys(overridable) as Overridable[];
const trees = Object.fromEntries(names.map((file) => [file, tree(file).optional()])) as Record<
  Overridable,
  z.ZodOptional<ReturnType<typeof tree>>
>;
const shape = { ...trees, nginx: nginx.optional(), files: files.optional() };

export const overrides = {
  overrides: {
    type: "object",
    default: {},
    argument: "OverridesArgument",
    description:
      "Keys of BigBlueButton's own files by their own names, for all that no other setting does, as a map by file; and whole files of your own, for nginx and others. docs/overrides.md lists the files, and the keys that can't be set.",
    schema: group("overrides", shape),
    remedy: `${setCommand("--path 'overrides.FILE.KEY'", "VALUE")}, for each of them`,
  },
} as const satisfies Fields;
