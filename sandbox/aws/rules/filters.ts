import { listParam, withParams, type Call } from "../call";

/**
 * Widens a filter by a state to all that moto has, since this layer knows others; returns the test of the wanted ones.
 *
 * @param known All of moto's values.
 */
export function splitFilter(
  call: Call,
  name: string,
  known: readonly string[],
): { widened: Call; accepts: (value: string) => boolean } {
  const found = Object.entries(call.params).find(
    ([param, value]) => /^Filter\.\d+\.Name$/.test(param) && value === name,
  );
  if (!found) return { widened: call, accepts: () => true };
  const filter = found[0].replace(/\.Name$/, "");
  const wanted = listParam(call.params, `${filter}.Value`);
  const given = wanted.map((_, index) => [`${filter}.Value.${index + 1}`, undefined] as const);
  const every = known.map((value, index) => [`${filter}.Value.${index + 1}`, value] as const);
  return {
    widened: withParams(call, Object.fromEntries<string | undefined>([...given, ...every])),
    accepts: (value) => wanted.includes(value),
  };
}
