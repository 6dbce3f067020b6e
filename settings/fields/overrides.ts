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

const files = Object.keys(overridable) as Overridable[];
const shape = Object.fromEntries(files.map((file) => [file, tree(file).optional()]));

export const overrides = {
  overrides: {
    type: "object",
    default: {},
    argument: "OverridesArgument",
    description:
      "Keys of BigBlueButton's own files by their own names, for all that no other setting does, as a map by file. docs/overrides.md lists the files, and the keys that can't be set.",
    schema: group("overrides", shape),
    remedy: `${setCommand("--path 'overrides.FILE.KEY'", "VALUE")}, for each of them`,
  },
} as const satisfies Fields;
