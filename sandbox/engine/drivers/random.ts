/**
 * Part of @pulumi/random 4.21 that the program and the benchmark use: everything is made once, and anew when an input
 * changes. The ids are the real provider's: the result itself in plain text, except for a password.
 */
import { randomInt, randomUUID } from "node:crypto";

import type { Driver } from "../driver";
import type { Values } from "../wire";

const CLASSES = {
  upper: { minimum: "minUpper", characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
  lower: { minimum: "minLower", characters: "abcdefghijklmnopqrstuvwxyz" },
  numeric: { minimum: "minNumeric", characters: "0123456789" },
  special: { minimum: "minSpecial", characters: "!@#$%&*()-_=+[]{}<>:?" },
} as const;

/** Makes a password of the requested classes, with at least so many characters of each, in random order. */
export function password(inputs: Values): string {
  const classes = Object.entries(CLASSES)
    .filter(([name]) => (name === "numeric" ? (inputs.numeric ?? inputs.number) : inputs[name]) !== false)
    .map(([name, { minimum, characters }]) => ({
      minimum: Number(inputs[minimum] ?? 0),
      characters: name === "special" ? String(inputs.overrideSpecial ?? characters) : characters,
    }));
  const pick = (from: string) => from[randomInt(from.length)] ?? "";
  const least = classes.flatMap(({ minimum, characters }) =>
    Array.from({ length: minimum }, () => pick(characters)),
  );
  const all = classes.map(({ characters }) => characters).join("");
  const length = Number(inputs.length);
  if (all === "") throw new Error("a random text needs at least one class of characters");
  if (least.length > length)
    throw new Error(`length ${length} is less than the sum of the minimums, ${least.length}`);
  const result = [...least, ...Array.from({ length: length - least.length }, () => pick(all))];
  for (let index = result.length - 1; index > 0; index--) {
    const other = randomInt(index + 1);
    [result[index], result[other]] = [result[other] ?? "", result[index] ?? ""];
  }
  return result.join("");
}

const passwordKeys = [
  ...["length", "keepers", "lower", "upper", "number", "numeric", "special", "overrideSpecial"],
  ...["minLower", "minUpper", "minNumeric", "minSpecial"],
];

export const random: Driver = {
  version: "4.21.2",
  kinds: {
    "random:index/randomUuid:RandomUuid": {
      keys: ["keepers"],
      replaceKeys: ["keepers"],
      create: async (inputs) => {
        const result = randomUUID();
        return { id: result, outputs: { ...inputs, result } };
      },
    },
    "random:index/randomPassword:RandomPassword": {
      keys: passwordKeys,
      replaceKeys: passwordKeys,
      secretOutputs: ["result", "bcryptHash"],
      create: async (inputs) => ({ id: "none", outputs: { ...inputs, result: password(inputs) } }),
    },
  },
};
