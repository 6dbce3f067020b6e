/** Functions that the drivers of both clouds share. */
import { randomBytes } from "node:crypto";

import { PartialCreate, type Created } from "../driver";
import type { Values } from "../wire";

/** Gives an unset `key` the value `<logical name>-<7 hex digits>` once. */
export function autoNamed(key: string) {
  return (inputs: Values, old: Values | undefined, name: string): Values => {
    if (inputs[key] !== undefined) return {};
    const kept = Array.isArray(old?.__defaults) && old.__defaults.includes(key) ? old[key] : undefined;
    return { [key]: kept ?? `${name}-${randomBytes(4).toString("hex").slice(0, 7)}`, __defaults: [key] };
  };
}

/** Returns the members that are set, for a request's body. */
export function set(body: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    Object.entries(body).filter(([, value]) => value !== undefined && value !== null),
  );
}

export function withoutDefaults({ __defaults: _defaults, ...inputs }: Values): Values {
  return inputs;
}

/** True when one of the inputs differs between two states. */
export function changed(old: Values, now: Values, ...keys: readonly string[]): boolean {
  return keys.some((key) => JSON.stringify(old[key] ?? null) !== JSON.stringify(now[key] ?? null));
}

/** Runs the rest of a create once the object exists: a failure leaves it in the checkpoint. */
export async function afterCreate(
  id: number | string,
  inputs: Values,
  rest: () => Promise<Created>,
): Promise<Created> {
  try {
    return await rest();
  } catch (error) {
    throw new PartialCreate({ id: String(id), outputs: withoutDefaults(inputs) }, error);
  }
}

/** Repeats while `retried` says so, up to `tries` times, waiting 1, 2, 4, 8, … s (at most a minute). */
export async function retrying<T>(
  tries: number,
  retried: (error: unknown) => boolean,
  action: () => Promise<T>,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await action();
    } catch (error) {
      if (tried >= tries || !retried(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(2 ** (tried - 1), 60) * 1000));
    }
  }
}

/** Returns a call's answer; undefined when its error says that the object doesn't exist. */
export function unless(isNotFound: (error: unknown) => boolean) {
  return async <T>(action: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await action();
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
}
