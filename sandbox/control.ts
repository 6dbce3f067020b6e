import { rmSync } from "node:fs";

import fastify, { type FastifyInstance } from "fastify";

import { type Fault, type Faults, faultSchema } from "./hetzner/faults";
import type { Zones } from "./services/zones";

/** Parts of the sandbox that can be made to fail. */
export interface Controlled {
  /** Faults by the name of the service. */
  readonly faults: Readonly<Record<string, Faults>>;
  readonly zones: Zones;
}

/**
 * Switches of the sandbox, for tests of failures: POST /faults/{service} arms a fault (see hetzner/faults.ts), GET lists
 * those that remain. DELETE /faults disarms all and returns those that did not happen. PUT and DELETE /delegations/{zone} make and remove the
 * zone's delegation.
 */
export function createControl({ faults, zones }: Controlled): FastifyInstance {
  const app = fastify();
  app.post<{ Body: Fault; Params: { service: string } }>(
    "/faults/:service",
    { schema: { body: faultSchema } },
    (request, reply) => {
      const armed = faults[request.params.service];
      if (!armed) return reply.code(404).send({ known: Object.keys(faults) });
      armed.arm(request.body);
      return reply.code(201).send({ faults: armed.list() });
    },
  );
  app.get<{ Params: { service: string } }>("/faults/:service", ({ params }, reply) => {
    const armed = faults[params.service];
    return armed ? { faults: armed.list() } : reply.code(404).send({ known: Object.keys(faults) });
  });
  app.delete("/faults", () => ({ unused: Object.values(faults).flatMap((armed) => armed.clear()) }));
  for (const [method, delegated] of [
    ["PUT", true],
    ["DELETE", false],
  ] as const) {
    app.route<{ Params: { zone: string } }>({
      method,
      url: "/delegations/:zone",
      handler: async (request, reply) => {
        await zones.delegate(request.params.zone, delegated);
        return reply.code(204).send();
      },
    });
  }
  return app;
}

/** Listens at a socket that only root can open: its directory is the sandbox's state. */
export async function listenAt(app: FastifyInstance, socket: string): Promise<void> {
  rmSync(socket, { force: true });
  await app.listen({ path: socket });
}
