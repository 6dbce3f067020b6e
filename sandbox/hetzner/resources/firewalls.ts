import { type CommandTable, renderAction } from "../actions";
import type { Cloud } from "../cloud";
import { ApiError, notFound } from "../errors";
import { normaliseRules, type RuleInput, rulesSchema } from "../firewallRules";
import { checkLabels } from "../labels";
import type { Action, Firewall, FirewallRule, FirewallTarget, Labels, ResourceRef, State } from "../model";
import { firewallsOf } from "../published";
import { actionRoutes, assertNameFree, byId, commonRoutes, type Kind, type Routes } from "../routes";
import { id, labels, object, plainName } from "../schemas";
import { remove, takeId } from "../store";

/** Largest number of firewalls on one server. */
export const firewallsPerServer = 5;

interface TargetInput {
  readonly type: "server";
  readonly server: { readonly id: number };
}

const targets = {
  type: "array",
  items: object({ type: { enum: ["server"] }, server: object({ id }, "id") }, "type", "server"),
} as const;
const name = plainName(128);
const create = object({ name, labels, rules: rulesSchema }, "name");
const setRules = object({ rules: rulesSchema }, "rules");
const applyTo = object({ apply_to: targets }, "apply_to");
const removeFrom = object({ remove_from: targets }, "remove_from");

interface Creation {
  name: string;
  labels?: Labels;
  rules?: RuleInput[];
}

export const firewallRoutes: Routes = (app, cloud) => {
  const { store, actions, clock } = cloud;
  const kind: Kind<Firewall> = {
    kind: "firewall",
    keys: ["firewalls", "firewall"],
    objects: ({ firewalls }) => firewalls,
    render: renderFirewall,
    name,
  };
  commonRoutes(app, cloud, kind);

  app.post<{ Body: Creation }>("/firewalls", { schema: { body: create } }, (request, reply) => {
    const { name, rules = [] } = request.body;
    const { firewall, begun } = store.change((state) => {
      assertNameFree("firewall", state.firewalls, name);
      const firewall: Firewall = {
        id: takeId(state),
        name,
        labels: checkLabels(request.body.labels),
        rules: normaliseRules(rules),
        targets: [],
        created: clock().toISOString(),
      };
      state.firewalls[firewall.id] = firewall;
      const params = { rules: firewall.rules };
      return { firewall, begun: actions.begin(state, "set_firewall_rules", [ref(firewall)], { params }) };
    });
    return reply.code(201).send({ firewall: renderFirewall(firewall), actions: [renderAction(begun)] });
  });

  app.delete("/firewalls/:id", (request, reply) => {
    store.change((state) => {
      const firewall = byId("firewall", state.firewalls, request);
      if (firewall.targets.length > 0) {
        throw new ApiError("resource_in_use", `firewall ${firewall.id} is still applied to a resource`);
      }
      remove(state.firewalls, firewall.id);
    });
    return reply.code(204).send();
  });

  const actionRoute = actionRoutes(app, cloud, kind);
  actionRoute<{ rules: RuleInput[] }>("set_rules", setRules, (state, firewall, body) => {
    const rules = normaliseRules(body.rules);
    const held = firewall.targets.filter(({ server }) => state.servers[server]);
    const resources = [ref(firewall), ...held.map(serverRef)];
    return [actions.begin(state, "set_firewall_rules", resources, { params: { rules } })];
  });
  actionRoute<{ apply_to: TargetInput[] }>("apply_to_resources", applyTo, (state, firewall, body) =>
    body.apply_to.map(targetOf).map((target) => {
      const { server } = target;
      if (isApplied(firewall, target)) {
        throw new ApiError(
          "firewall_already_applied",
          `firewall ${firewall.id} is already applied to server ${server}`,
        );
      }
      if (!state.servers[server]) throw notFound("server", server);
      assertRoomForFirewall(state, server);
      const resources = [ref(firewall), serverRef(target)];
      return actions.begin(state, "apply_firewall", resources, { params: { target } });
    }),
  );
  actionRoute<{ remove_from: TargetInput[] }>("remove_from_resources", removeFrom, (state, firewall, body) =>
    body.remove_from.map(targetOf).map((target) => {
      if (!isApplied(firewall, target)) {
        throw new ApiError(
          "firewall_resource_not_found",
          `firewall ${firewall.id} is not applied to server ${target.server}`,
        );
      }
      const resources = [ref(firewall), serverRef(target)];
      return actions.begin(state, "remove_firewall", resources, { params: { target } });
    }),
  );
};

/** Throws 422 for a server with the largest number of firewalls. */
function assertRoomForFirewall(state: State, server: number): void {
  if (firewallsOf(state, server).length >= firewallsPerServer) {
    throw new ApiError(
      "resource_limit_exceeded",
      `server ${server} already has ${firewallsPerServer} firewalls`,
    );
  }
}

export const firewallCommands: CommandTable = {
  set_firewall_rules: {
    locks: false,
    async perform(cloud, action) {
      await edit(cloud, action, (firewall) => {
        firewall.rules = action.params["rules"] as FirewallRule[];
      });
    },
  },
  apply_firewall: {
    locks: false,
    async perform(cloud, action) {
      const target = action.params["target"] as FirewallTarget;
      await edit(cloud, action, (firewall) => {
        if (!isApplied(firewall, target)) firewall.targets = [...firewall.targets, target];
      });
    },
  },
  remove_firewall: {
    locks: false,
    async perform(cloud, action) {
      const target = action.params["target"] as FirewallTarget;
      await edit(cloud, action, (firewall) => {
        firewall.targets = firewall.targets.filter(({ server }) => server !== target.server);
      });
    },
  },
};

/** Changes the action's firewall, then the rules of every server that had it before or has it after. */
async function edit(cloud: Cloud, action: Action, change: (firewall: Firewall) => void): Promise<void> {
  const firewallId = action.resources[0]?.id ?? 0;
  const affected = cloud.store.change((state) => {
    const firewall = state.firewalls[firewallId];
    if (!firewall) throw notFound("firewall", firewallId);
    const before = firewall.targets;
    change(firewall);
    // A resumed action may have made its change already: the servers that it names count too.
    const named = action.resources.filter(({ type }) => type === "server");
    return [...[...before, ...firewall.targets].map(({ server }) => server), ...named.map(({ id }) => id)];
  });
  await cloud.publish.firewalls(affected);
}

function targetOf({ type, server }: TargetInput): FirewallTarget {
  return { type, server: server.id };
}

function isApplied({ targets }: Firewall, { server }: FirewallTarget): boolean {
  return targets.some((other) => other.server === server);
}

function ref(firewall: Firewall): ResourceRef {
  return { id: firewall.id, type: "firewall" };
}

function serverRef({ server }: FirewallTarget): ResourceRef {
  return { id: server, type: "server" };
}

function renderFirewall({ id, name, labels, created, rules, targets }: Firewall): Record<string, unknown> {
  const applied_to = targets.map(({ type, server }) => ({ type, server: { id: server } }));
  return { id, name, labels, created, rules, applied_to };
}
