import { find, serverTypes } from "../catalogue";
import { notFound } from "../errors";
import { listAnswer } from "../pagination";
import { renderPricing, renderServerType } from "../renderCatalogue";
import type { Routes } from "../routes";

export const serverTypeRoutes: Routes = (app) => {
  app.get("/server_types", (request, reply) =>
    listAnswer(request, reply, "server_types", serverTypes.map(renderServerType)),
  );
  app.get<{ Params: { id: string } }>("/server_types/:id", (request) => {
    const type = find(serverTypes, Number(request.params.id));
    if (!type) throw notFound("server type", request.params.id);
    return { server_type: renderServerType(type) };
  });
  app.get("/pricing", () => ({ pricing: renderPricing(serverTypes) }));
};
