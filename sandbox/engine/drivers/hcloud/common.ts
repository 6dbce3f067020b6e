/** What the hcloud resource types share. */
import { randomBytes } from "node:crypto";

import { PartialCreate, type Context, type Created } from "../../driver";
import { isObject, type Value, type Values } from "../../wire";
import { Hcloud } from "./client";

export interface Named {
  readonly id: number;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Protection {
  readonly delete: boolean;
}

export function api(context: Context): Hcloud {
  return new Hcloud(context);
}

/** An unset name becomes `<logical name>-<7 hex digits>`, and stays that. */
export function autoName(inputs: Values, old: Values | undefined, name: string): Values {
  if (inputs.name !== undefined) return {};
  const kept = Array.isArray(old?.__defaults) && old.__defaults.includes("name") ? old.name : undefined;
  return { name: kept ?? `${name}-${randomBytes(4).toString("hex").slice(0, 7)}`, __defaults: ["name"] };
}

/** With a name of the program's own, old and new cannot exist side by side. */
export function explicitlyNamed(inputs: Values): boolean {
  return inputs.name !== undefined;
}

/** The members that are set, for a request's body. */
export function set(body: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    Object.entries(body).filter(([, value]) => value !== undefined && value !== null),
  );
}

export function labelsOf(inputs: Values): Record<string, Value> {
  return isObject(inputs.labels) ? inputs.labels : {};
}

export function withoutDefaults({ __defaults: _defaults, ...inputs }: Values): Values {
  return inputs;
}

/** Whether an input differs between two states. */
export function changed(old: Values, now: Values, ...keys: readonly string[]): boolean {
  return keys.some((key) => JSON.stringify(old[key] ?? null) !== JSON.stringify(now[key] ?? null));
}

/** Once the object exists, a failure leaves it in the checkpoint. */
export async function afterCreate(
  id: number,
  inputs: Values,
  rest: () => Promise<Created>,
): Promise<Created> {
  try {
    return await rest();
  } catch (error) {
    throw new PartialCreate({ id: String(id), outputs: withoutDefaults(inputs) }, error);
  }
}

/**
 * The object of that name, made by a killed update of this stack.
 * @throws one line where there is one that does not have our labels
 */
export async function ours<T extends Named>(
  context: Context,
  collection: string,
  inputs: Values,
): Promise<T | undefined> {
  const answer = await api(context).get<Record<string, T[]>>(
    `/${collection}?name=${encodeURIComponent(String(inputs.name))}`,
  );
  const found = answer[collection]?.[0];
  if (found !== undefined) assertOurs(found.labels, inputs, collection, String(found.id), found.name);
  return found;
}

export function assertOurs(
  labels: Readonly<Record<string, string>>,
  inputs: Values,
  collection: string,
  id: string,
  name: string,
): void {
  const wanted = Object.entries(labelsOf(inputs));
  if (wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value)) return;
  const noun = collection.replaceAll("_", "-").replace(/s$/, "");
  throw new Error(
    `${noun} "${name}" (${id}) exists, but has not this stack's labels, and the last update was killed while creating ` +
      `one of that name: remove it with \`hcloud ${noun} delete ${id}\`, then try again`,
  );
}

/** Repeat while `retried` says so, up to `tries` times, waiting 1, 2, 4, 8, … s (at most a minute). */
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
