import { type CommandTable, renderAction } from "../actions";
import type { Cloud } from "../cloud";
import { ApiError, invalidField, notFound } from "../errors";
import { normaliseRules, type RuleInput, rulesSchema } from "../firewallRules";
import { checkLabels, parseSelector } from "../labels";
import type { Action, Firewall, FirewallRule, FirewallTarget, Labels, ResourceRef, State } from "../model";
import { listAnswer } from "../pagination";
import { firewallsOf, serversOf } from "../published";
import { assertNameFree, type ById, byId, type Routes } from "../routes";
import { id, labels, object, plainName, text } from "../schemas";
import { remove, takeId } from "../store";

/** Largest number of firewalls on one server. */
export const firewallsPerServer = 5;

interface TargetInput {
  readonly type: "server" | "label_selector";
  readonly server?: { readonly id: number };
  readonly label_selector?: { readonly selector: string };
}

const targets = {
  type: "array",
  items: object(
    {
      type: { enum: ["server", "label_selector"] },
      server: object({ id }, "id"),
      label_selector: object({ selector: text }, "selector"),
    },
    "type",
  ),
} as const;
const create = object({ name: plainName(128), labels, rules: rulesSchema, apply_to: targets }, "name");
const update = object({ name: plainName(128), labels });
const setRules = object({ rules: rulesSchema }, "rules");
const applyTo = object({ apply_to: targets }, "apply_to");
const removeFrom = object({ remove_from: targets }, "remove_from");

interface Creation {
  name: string;
  labels?: Labels;
  rules?: RuleInput[];
  apply_to?: TargetInput[];
}

export const firewallRoutes: Routes = (app, { store, actions, clock }) => {
  const render = (firewall: Firewall): Record<string, unknown> => renderFirewall(store.state, firewall);
  const answer = (begun: Action[]): object => ({ actions: begun.map(renderAction) });

  app.get("/firewalls", (request, reply) =>
    listAnswer(request, reply, "firewalls", Object.values(store.state.firewalls).map(render)),
  );

  app.post<{ Body: Creation }>("/firewalls", { schema: { body: create } }, (request, reply) => {
    const { name, rules = [], apply_to: wanted = [] } = request.body;
    const made = store.change((state) => {
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
      const begun = [
        actions.begin(state, "set_firewall_rules", [ref(firewall)], { params: { rules: firewall.rules } }),
        ...apply(state, firewall, wanted),
      ];
      return { firewall, begun };
    });
    return reply.code(201).send({ firewall: render(made.firewall), ...answer(made.begun) });
  });

  app.get("/firewalls/:id", (request) => ({
    firewall: render(byId("firewall", store.state.firewalls, request)),
  }));

  app.put<ById<{ name?: string; labels?: Labels }>>(
    "/firewalls/:id",
    { schema: { body: update } },
    (request) => ({
      firewall: store.change((state) => {
        const firewall = byId("firewall", state.firewalls, request);
        const name = request.body.name ?? firewall.name;
        assertNameFree("firewall", state.firewalls, name, firewall.id);
        if (request.body.labels) firewall.labels = checkLabels(request.body.labels);
        firewall.name = name;
        return render(firewall);
      }),
    }),
  );

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

  app.post<ById<{ rules: RuleInput[] }>>(
    "/firewalls/:id/actions/set_rules",
    { schema: { body: setRules } },
    (request, reply) => {
      const begun = store.change((state) => {
        const firewall = byId("firewall", state.firewalls, request);
        const rules = normaliseRules(request.body.rules);
        const held = firewall.targets.flatMap((target) => serversOf(state, target));
        const resources: ResourceRef[] = [
          ref(firewall),
          ...held.map((s) => ({ id: s.id, type: "server" as const })),
        ];
        return [actions.begin(state, "set_firewall_rules", resources, { params: { rules } })];
      });
      return reply.code(201).send(answer(begun));
    },
  );

  app.post<ById<{ apply_to: TargetInput[] }>>(
    "/firewalls/:id/actions/apply_to_resources",
    { schema: { body: applyTo } },
    (request, reply) => {
      const begun = store.change((state) =>
        apply(state, byId("firewall", state.firewalls, request), request.body.apply_to),
      );
      return reply.code(201).send(answer(begun));
    },
  );

  app.post<ById<{ remove_from: TargetInput[] }>>(
    "/firewalls/:id/actions/remove_from_resources",
    { schema: { body: removeFrom } },
    (request, reply) => {
      const begun = store.change((state) => {
        const firewall = byId("firewall", state.firewalls, request);
        return request.body.remove_from.map((input) => {
          const target = readTarget(input, "remove_from");
          assertApplied(state, firewall, target);
          return actions.begin(state, "remove_firewall", refs(firewall, target), { params: { target } });
        });
      });
      return reply.code(201).send(answer(begun));
    },
  );

  function apply(state: State, firewall: Firewall, wanted: readonly TargetInput[]): Action[] {
    return wanted.map((input) => {
      const target = readTarget(input, "apply_to");
      if (firewall.targets.some((other) => sameTarget(other, target))) {
        throw new ApiError(
          "firewall_already_applied",
          `firewall ${firewall.id} is already applied to ${say(target)}`,
        );
      }
      if (target.type === "server") {
        if (!state.servers[target.server]) throw notFound("server", target.server);
        assertRoomForFirewall(state, target.server);
      }
      return actions.begin(state, "apply_firewall", refs(firewall, target), { params: { target } });
    });
  }
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
        const others = firewall.targets.filter((other) => !sameTarget(other, target));
        firewall.targets = [...others, target];
      });
    },
  },
  remove_firewall: {
    locks: false,
    async perform(cloud, action) {
      const target = action.params["target"] as FirewallTarget;
      await edit(cloud, action, (firewall) => {
        firewall.targets = firewall.targets.filter((other) => !sameTarget(other, target));
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
    const before = firewall.targets.flatMap((target) => serversOf(state, target));
    change(firewall);
    const after = firewall.targets.flatMap((target) => serversOf(state, target));
    // A resumed action may have made its change already: the servers that it names count too.
    const named = action.resources.filter(({ type }) => type === "server");
    return [...before, ...after, ...named].map((server) => server.id);
  });
  await cloud.publish.firewalls(affected);
}

function readTarget(input: TargetInput, field: string): FirewallTarget {
  if (input.type === "server") {
    if (!input.server) throw invalidField(`${field}.server`, "Missing data for required field.");
    return { type: "server", server: input.server.id };
  }
  if (!input.label_selector)
    throw invalidField(`${field}.label_selector`, "Missing data for required field.");
  parseSelector(input.label_selector.selector);
  return { type: "label_selector", selector: input.label_selector.selector };
}

function assertApplied(state: State, firewall: Firewall, target: FirewallTarget): void {
  if (firewall.targets.some((other) => sameTarget(other, target))) return;
  const byLabel =
    target.type === "server" && firewallsOf(state, target.server).some((other) => other.id === firewall.id);
  throw byLabel
    ? new ApiError(
        "firewall_managed_by_label_selector",
        `firewall ${firewall.id} is on ${say(target)} by a label`,
      )
    : new ApiError("firewall_resource_not_found", `firewall ${firewall.id} is not applied to ${say(target)}`);
}

function sameTarget(left: FirewallTarget, right: FirewallTarget): boolean {
  return say(left) === say(right);
}

function say(target: FirewallTarget): string {
  return target.type === "server" ? `server ${target.server}` : `label selector '${target.selector}'`;
}

function ref(firewall: Firewall): ResourceRef {
  return { id: firewall.id, type: "firewall" };
}

function refs(firewall: Firewall, target: FirewallTarget): ResourceRef[] {
  return [
    ref(firewall),
    ...(target.type === "server" ? [{ id: target.server, type: "server" as const }] : []),
  ];
}

function renderFirewall(state: State, firewall: Firewall): Record<string, unknown> {
  return {
    id: firewall.id,
    name: firewall.name,
    labels: firewall.labels,
    created: firewall.created,
    rules: firewall.rules,
    applied_to: firewall.targets.map((target) =>
      target.type === "server"
        ? { type: "server", server: { id: target.server } }
        : {
            type: "label_selector",
            label_selector: { selector: target.selector },
            applied_to_resources: serversOf(state, target).map((server) => ({
              type: "server",
              server: { id: server.id },
            })),
          },
    ),
  };
}
