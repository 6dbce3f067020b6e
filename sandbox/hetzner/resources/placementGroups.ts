import { ApiError, notFound } from "../errors";
import { checkLabels } from "../labels";
import type { Labels, PlacementGroup, State } from "../model";
import { assertNameFree, byId, commonRoutes, type Routes } from "../routes";
import { labels, object, plainName } from "../schemas";
import { remove, takeId } from "../store";

/** Largest number of servers in a group, and of groups in a project (https://docs.hetzner.com/cloud/placement-groups/overview). */
const limits = { servers: 10, groups: 50 } as const;

const name = plainName(255);
const create = object({ name, type: { enum: ["spread"] }, labels }, "name", "type");

export const placementGroupRoutes: Routes = (app, cloud) => {
  const { store, clock } = cloud;
  const render = ({ id, name, labels, created }: PlacementGroup): Record<string, unknown> => ({
    ...{ id, name, labels, type: "spread", created },
    servers: membersOf(store.state, id),
  });
  commonRoutes<PlacementGroup>(app, cloud, {
    kind: "placement group",
    keys: ["placement_groups", "placement_group"],
    objects: ({ placementGroups }) => placementGroups,
    render,
    name,
  });

  app.post<{ Body: { name: string; labels?: Labels } }>(
    "/placement_groups",
    { schema: { body: create } },
    (request, reply) => {
      const group = store.change((state) => {
        assertNameFree("placement group", state.placementGroups, request.body.name);
        if (Object.keys(state.placementGroups).length >= limits.groups) {
          throw new ApiError(
            "resource_limit_exceeded",
            `a project can have ${limits.groups} placement groups`,
          );
        }
        const made: PlacementGroup = {
          id: takeId(state),
          name: request.body.name,
          labels: checkLabels(request.body.labels),
          created: clock().toISOString(),
        };
        return (state.placementGroups[made.id] = made);
      });
      return reply.code(201).send({ placement_group: render(group), action: null });
    },
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
function membersOf(state: State, group: number): number[] {
  return Object.values(state.servers)
    .filter((server) => server.placementGroup === group)
    .map(({ id }) => id);
}

/** Refuses a placement group that does not exist or is full. */
export function assertRoomInGroup(state: State, group: number): void {
  if (!state.placementGroups[group]) throw notFound("placement group", group);
  if (membersOf(state, group).length < limits.servers) return;
  throw new ApiError("placement_error", `placement group ${group} has ${limits.servers} servers already`);
}
