import { ApiError } from "../errors";
import { checkLabels } from "../labels";
import type { Labels, PlacementGroup, State } from "../model";
import { listAnswer } from "../pagination";
import { assertNameFree, type ById, byId, type Routes } from "../routes";
import { labels, object, plainName } from "../schemas";
import { remove, takeId } from "../store";

const create = object({ name: plainName(255), type: { enum: ["spread"] }, labels }, "name", "type");
const update = object({ name: plainName(255), labels });

/** Largest number of servers in one group. */
export const placementGroupCapacity = 10;

export const placementGroupRoutes: Routes = (app, { store, clock }) => {
  const render = (group: PlacementGroup): Record<string, unknown> => ({
    id: group.id,
    name: group.name,
    labels: group.labels,
    type: group.type,
    created: group.created,
    servers: membersOf(store.state, group.id),
  });

  app.get("/placement_groups", (request, reply) =>
    listAnswer(request, reply, "placement_groups", Object.values(store.state.placementGroups).map(render)),
  );

  app.post<{ Body: { name: string; labels?: Labels } }>(
    "/placement_groups",
    { schema: { body: create } },
    (request, reply) => {
      const group = store.change((state) => {
        assertNameFree("placement group", state.placementGroups, request.body.name);
        const made: PlacementGroup = {
          id: takeId(state),
          name: request.body.name,
          labels: checkLabels(request.body.labels),
          type: "spread",
          created: clock().toISOString(),
        };
        return (state.placementGroups[made.id] = made);
      });
      return reply.code(201).send({ placement_group: render(group), action: null });
    },
  );

  app.get("/placement_groups/:id", (request) => ({
    placement_group: render(byId("placement group", store.state.placementGroups, request)),
  }));

  app.put<ById<{ name?: string; labels?: Labels }>>(
    "/placement_groups/:id",
    { schema: { body: update } },
    (request) => ({
      placement_group: store.change((state) => {
        const group = byId("placement group", state.placementGroups, request);
        const name = request.body.name ?? group.name;
        assertNameFree("placement group", state.placementGroups, name, group.id);
        if (request.body.labels) group.labels = checkLabels(request.body.labels);
        group.name = name;
        return render(group);
      }),
    }),
  );

  app.delete("/placement_groups/:id", (request, reply) => {
    store.change((state) => {
      const { id } = byId("placement group", state.placementGroups, request);
      if (membersOf(state, id).length > 0) {
        throw new ApiError("resource_in_use", `placement group ${id} still has servers`);
      }
      remove(state.placementGroups, id);
    });
    return reply.code(204).send();
  });
};

/** Ids of the servers in a placement group. */
export function membersOf(state: State, group: number): number[] {
  return Object.values(state.servers)
    .filter((server) => server.placementGroup === group)
    .map(({ id }) => id);
}
