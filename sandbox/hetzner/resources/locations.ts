import { find, locations } from "../catalogue";
import { ApiError, notFound } from "../errors";
import { listAnswer } from "../pagination";
import { renderLocation } from "../renderCatalogue";
import type { Routes } from "../routes";

export const locationRoutes: Routes = (app) => {
  app.get("/locations", (request, reply) =>
    listAnswer(request, reply, "locations", locations.map(renderLocation)),
  );
  app.get<{ Params: { id: string } }>("/locations/:id", (request) => {
    const location = find(locations, Number(request.params.id));
    if (!location) throw notFound("location", request.params.id);
    return { location: renderLocation(location) };
  });
  const removed = (): never => {
    throw new ApiError("deprecated_api_endpoint", "datacenters were removed on 2026-10-01: use /locations");
  };
  app.get("/datacenters", removed);
  app.get("/datacenters/:id", removed);
};
