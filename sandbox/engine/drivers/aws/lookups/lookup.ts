/** Parts that all look-ups share: accepted arguments, filters, and one result or an error. */
import type { Filter } from "@aws-sdk/client-ec2";

import type { Context } from "../../../driver";
import { NotServed } from "../../../goal";
import type { Value, Values } from "../../../wire";
import { objects, text, texts } from "../values";

export type Lookup = (args: Values, context: Context) => Promise<Values>;

/** Makes a look-up that refuses arguments which it would have to ignore. */
export function lookup(token: string, keys: readonly string[], action: Lookup): Record<string, Lookup> {
  return {
    [token]: async (args, context) => {
      const given: Values = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null));
      const more = Object.keys(given).filter((key) => !keys.includes(key));
      if (more.length > 0) throw new NotServed(`${more.join(", ")} of ${token}`);
      return action(given, context);
    },
  };
}

/** EC2's filters from `filters` and arguments that are filters by another name; undefined without any. */
export function filtersOf(args: Values, named: Readonly<Record<string, Value | undefined>> = {}) {
  const filters: Filter[] = [
    ...Object.entries(named)
      .filter(([, value]) => value !== undefined && value !== "")
      .map(([Name, value]) => ({ Name, Values: [String(value)] })),
    ...objects(args.filters).map(({ name, values }) => ({ Name: text(name), Values: texts(values) })),
  ];
  return filters.length > 0 ? filters : undefined;
}

/** Returns the only result. @throws in the provider's words for none, and for several */
export function single<T>(found: readonly T[], what: string): T {
  const [first] = found;
  if (first === undefined) throw new Error(`no matching ${what} found`);
  if (found.length > 1) {
    throw new Error(
      `multiple ${what}s matched; use additional constraints to reduce matches to a single ${what}`,
    );
  }
  return first;
}
