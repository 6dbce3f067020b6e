import { find, locations, serverTypes } from "../catalogue";
import { ApiError, notFound } from "../errors";
import { listAnswer } from "../pagination";
import { renderLocation, renderPricing, renderServerType } from "../renderCatalogue";
import type { ById, Routes } from "../routes";

/** Locations, server types and their prices. */
export const catalogueRoutes: Routes = (app) => {
  app.get("/locations", (request) => listAnswer(request, "locations", locations.map(renderLocation)));
  app.get<ById>("/locations/:id", ({ params: { id } }) => {
    const location = find(locations, Number(id));
    if (!location) throw notFound("location", id);
    return { location: renderLocation(location) };
  });
  app.get("/datacenters", () => {
    throw new ApiError("deprecated_api_endpoint", "datacenters were removed on 2026-10-01: use /locations");
  });

  app.get("/server_types", (request) =>
    listAnswer(request, "server_types", serverTypes.map(renderServerType)),
  );
  app.get<ById>("/server_types/:id", ({ params: { id } }) => {
    const type = find(serverTypes, Number(id));
    if (!type) throw notFound("server type", id);
    return { server_type: renderServerType(type) };
  });
  app.get("/pricing", () => ({ pricing: renderPricing(serverTypes) }));
};
