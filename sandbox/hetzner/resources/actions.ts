import { renderAction } from "../actions";
import { listAnswer } from "../pagination";
import { byId, type Routes } from "../routes";

/** GET /actions[/{id}]. */
export const actionRoutes: Routes = (app, { store }) => {
  app.get("/actions", (request) =>
    listAnswer(request, "actions", Object.values(store.state.actions).map(renderAction), ["id", "status"]),
  );
  app.get("/actions/:id", (request) => ({
    action: renderAction(byId("action", store.state.actions, request)),
  }));
};
