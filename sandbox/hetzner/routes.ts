import type { FastifyInstance, FastifyRequest } from "fastify";

import { renderAction } from "./actions";
import type { Cloud } from "./cloud";
import { notFound, notUnique } from "./errors";
import { checkLabels } from "./labels";
import type { Action, Labels, State } from "./model";
import { listAnswer } from "./pagination";
import { labels, object } from "./schemas";

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

interface Named {
  readonly id: number;
  name: string;
  labels: Labels;
}

/** Throws 409 when another object of the kind has the name. */
export function assertNameFree(
  kind: string,
  objects: Readonly<Record<string, Pick<Named, "id" | "name">>>,
  name: string,
  self?: number,
): void {
  if (Object.values(objects).some((other) => other.name === name && other.id !== self)) {
    throw notUnique(kind, name);
  }
}

/** Kind of object whose names are unique. */
export interface Kind<T extends Named, Change = object> {
  /** Its name in messages, e.g. "primary IP". */
  readonly kind: string;
  /** Its names in paths and answers, e.g. ["primary_ips", "primary_ip"]. */
  readonly keys: readonly [collection: string, member: string];
  objects(state: State): Readonly<Record<string, T>>;
  render(found: T): Record<string, unknown>;
  /** Fields of the answer that a list can be filtered by, beside the name and labels. */
  readonly filters?: readonly string[];
  /** Schema of its names. */
  readonly name: object;
  /** Further fields that can be changed: their schemas, and what is done with them. */
  readonly more?: { readonly fields: Record<string, unknown>; change(found: T, change: Change): void };
}

/** Adds the endpoints that are alike for all kinds: the list, one object, and the change of its name and labels. */
export function commonRoutes<T extends Named, Change = object>(
  app: FastifyInstance,
  { store }: Cloud,
  { kind, keys: [collection, member], objects, render, filters, name, more }: Kind<T, Change>,
): void {
  app.get(`/${collection}`, (request) =>
    listAnswer(request, collection, Object.values(objects(store.state)).map(render), filters),
  );
  app.get(`/${collection}/:id`, (request) => ({
    [member]: render(byId(kind, objects(store.state), request)),
  }));
  app.put<ById>(
    `/${collection}/:id`,
    { schema: { body: object({ name, labels, ...more?.fields }) } },
    (request) => ({
      [member]: store.change((state) => {
        const body = request.body as Partial<Pick<Named, "name" | "labels">> & Change;
        const found = byId(kind, objects(state), request);
        if (body.name !== undefined) {
          assertNameFree(kind, objects(state), body.name, found.id);
          found.name = body.name;
        }
        if (body.labels) found.labels = checkLabels(body.labels);
        more?.change(found, body);
        return render(found);
      }),
    }),
  );
}

/**
 * Returns a function that adds an endpoint of one kind's actions. `begin` runs inside `Store.change`; the answer has the
 * actions that it began.
 */
export function actionRoutes<T extends Named>(
  app: FastifyInstance,
  { store }: Cloud,
  { kind, keys: [collection], objects }: Pick<Kind<T>, "kind" | "keys" | "objects">,
) {
  return <Body = unknown>(
    name: string,
    body: object,
    begin: (state: State, found: T, body: Body) => Action | Action[],
  ): void => {
    app.post<ById<Body>>(`/${collection}/:id/actions/${name}`, { schema: { body } }, (request, reply) => {
      const begun = store.change((state) =>
        begin(state, byId(kind, objects(state), request), request.body as Body),
      );
      return reply
        .code(201)
        .send(Array.isArray(begun) ? { actions: begun.map(renderAction) } : actionAnswer(begun));
    });
  };
}

/** Answer of endpoints that begin one action. */
export function actionAnswer(action: Action): { action: object } {
  return { action: renderAction(action) };
}
