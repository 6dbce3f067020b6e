/**
 * Part of @pulumi/random 4.21: everything is made once, and anew when an input changes. The ids are the real
 * provider's: the result itself in plain text, except for a password.
 */
import { randomBytes, randomInt, randomUUID } from "node:crypto";

import type { Driver, Kind } from "../driver";
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

const textKeys = [
  ...["length", "keepers", "lower", "upper", "number", "numeric", "special", "overrideSpecial"],
  ...["minLower", "minUpper", "minNumeric", "minSpecial"],
];

function textKind(id: (result: string) => string, secretOutputs: readonly string[]): Kind {
  return {
    keys: textKeys,
    replaceKeys: textKeys,
    secretOutputs,
    create: async (inputs) => {
      const result = password(inputs);
      return { id: id(result), outputs: { ...inputs, result } };
    },
  };
}

export const random: Driver = {
  version: "4.21.2",
  kinds: {
    "random:index/randomBytes:RandomBytes": {
      keys: ["length", "keepers"],
      replaceKeys: ["length", "keepers"],
      secretOutputs: ["base64", "hex"],
      create: async (inputs) => {
        const bytes = randomBytes(Number(inputs.length));
        return {
          id: bytes.toString("base64"),
          outputs: { ...inputs, base64: bytes.toString("base64"), hex: bytes.toString("hex") },
        };
      },
    },
    "random:index/randomId:RandomId": {
      keys: ["byteLength", "keepers", "prefix"],
      replaceKeys: ["byteLength", "keepers", "prefix"],
      create: async (inputs) => {
        const bytes = randomBytes(Number(inputs.byteLength));
        const prefix = String(inputs.prefix ?? "");
        const forms = {
          b64Std: prefix + bytes.toString("base64"),
          b64Url: prefix + bytes.toString("base64url"),
          dec: prefix + BigInt(`0x${bytes.toString("hex")}`).toString(),
          hex: prefix + bytes.toString("hex"),
        };
        return { id: bytes.toString("base64url"), outputs: { ...inputs, ...forms } };
      },
    },
    "random:index/randomUuid:RandomUuid": {
      keys: ["keepers"],
      replaceKeys: ["keepers"],
      create: async (inputs) => {
        const result = randomUUID();
        return { id: result, outputs: { ...inputs, result } };
      },
    },
    "random:index/randomPassword:RandomPassword": textKind(() => "none", ["result", "bcryptHash"]),
    "random:index/randomString:RandomString": textKind((result) => result, []),
  },
};
