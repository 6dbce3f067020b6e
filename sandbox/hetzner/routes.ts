import type { FastifyInstance, FastifyRequest } from "fastify";

import { renderAction } from "./actions";
import type { Cloud } from "./cloud";
import { notFound, notUnique } from "./errors";
import type { Action } from "./model";

/** Adds one resource's endpoints; `app` has the prefix /v1. */
export type Routes = (app: FastifyInstance, cloud: Cloud) => void;

/** Route generics of an endpoint below /{collection}/{id}. */
export interface ById<Body = unknown> {
  Params: { id: string };
  Body: Body;
}

/** Object that the path's `:id` names; throws 404 without one. Ids only: names are looked up by ?name=. */
export function byId<T>(kind: string, objects: Readonly<Record<string, T>>, request: FastifyRequest): T {
  const { id } = request.params as { id: string };
  const found = Object.hasOwn(objects, id) ? objects[id] : undefined;
  if (found === undefined) throw notFound(kind, id);
  return found;
}

/** Throws 409 when another object of the kind has the name. */
export function assertNameFree(
  kind: string,
  objects: Readonly<Record<string, { readonly id: number; readonly name: string }>>,
  name: string,
  self?: number,
): void {
  if (Object.values(objects).some((other) => other.name === name && other.id !== self)) {
    throw notUnique(kind, name);
  }
}

/** Answer of endpoints that begin one action. */
export function actionAnswer(action: Action): { action: object } {
  return { action: renderAction(action) };
}
