/** Functions that the hcloud resource types share. */
import type { Context } from "../../driver";
import { isObject, type Value, type Values } from "../../wire";
import { unless } from "../common";
import { Hcloud, isNotFound } from "./client";

export { afterCreate, changed, retrying, set } from "../common";

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

/** Hetzner's other API, which has the Storage Boxes. Their actions are asked for at {@link api}, as the provider does. */
export function boxApi(context: Context): Hcloud {
  return new Hcloud(context, "hetzner");
}

/** Returns an answer of the API; undefined for an object that doesn't exist. */
export const unlessGone = unless(isNotFound);

export function labelsOf(inputs: Values): Record<string, Value> {
  return isObject(inputs.labels) ? inputs.labels : {};
}

/**
 * Returns the object of that name, made by a killed update of this stack.
 * @throws one line when it lacks this stack's labels
 */
export async function ours<T extends Named>(
  context: Context,
  collection: string,
  inputs: Values,
  hcloud = api(context),
): Promise<T | undefined> {
  const answer = await hcloud.get<Record<string, T[]>>(
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
