import { renderAction } from "../actions";
import { notFound } from "../errors";
import type { Action, ResourceRef } from "../model";
import { listAnswer, queryAll } from "../pagination";
import type { Routes } from "../routes";
import { findZone } from "./zones";

const collections: Readonly<Record<string, ResourceRef["type"]>> = {
  servers: "server",
  primary_ips: "primary_ip",
  firewalls: "firewall",
  volumes: "volume",
  zones: "zone",
  images: "image",
};

/** GET /actions[/{id}], and the same below each kind of resource and each single resource. */
export const actionRoutes: Routes = (app, cloud) => {
  const all = (): Action[] => Object.values(cloud.store.state.actions);

  const list = (path: string, belongs: (action: Action, params: Record<string, string>) => boolean): void => {
    app.get(path, (request, reply) => {
      const ids = queryAll(request, "id");
      const statuses = queryAll(request, "status");
      const wanted = all().filter(
        (action) =>
          belongs(action, request.params as Record<string, string>) &&
          (ids.length === 0 || ids.includes(String(action.id))) &&
          (statuses.length === 0 || statuses.includes(action.status)),
      );
      return listAnswer(request, reply, "actions", wanted.map(renderAction));
    });
    app.get<{ Params: { action: string } }>(`${path}/:action`, (request) => {
      const found = all().find(({ id }) => String(id) === request.params.action);
      if (!found || !belongs(found, request.params)) throw notFound("action", request.params.action);
      return { action: renderAction(found) };
    });
  };

  list("/actions", () => true);
  for (const [collection, type] of Object.entries(collections)) {
    const concerns = (action: Action, id?: number): boolean =>
      action.resources.some((resource) => resource.type === type && (id === undefined || resource.id === id));
    list(`/${collection}/actions`, (action) => concerns(action));
    list(`/${collection}/:id/actions`, (action, { id = "" }) =>
      concerns(action, type === "zone" ? findZone(cloud.store.state, id).id : Number(id)),
    );
  }
};
