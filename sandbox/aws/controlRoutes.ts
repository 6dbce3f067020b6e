import type { FastifyInstance } from "fastify";

import type { RequestLog } from "../hetzner/requestLog";
import type { Cloud } from "./cloud";
import type { ArmedFaults } from "../faults";
import type { Fault } from "./faults";
import { listObjects } from "./objects";

export interface Control {
  readonly cloud: Cloud;
  readonly faults: ArmedFaults<Fault>;
  readonly log: RequestLog;
  /** Secret of the account's access key. */
  readonly secret: string;
}

/**
 * The sandbox's own switches, not in the request log, with the secret access key as bearer token: POST, GET,
 * DELETE /_faults (faults.ts; DELETE returns those that did not happen); GET /_objects lists everything that exists beside what was there before anything
 * was deployed; GET /_requests returns the counters; GET /_ready answers once the account is there.
 */
export function controlRoutes(app: FastifyInstance, { cloud, faults, log, secret }: Control): void {
  app.register((routes, _options, done) => {
    routes.addHook("onRequest", (request, reply, next) => {
      if (request.headers.authorization === `Bearer ${secret}`) next();
      else void reply.code(401).send({ error: "the secret access key is wanted as bearer token" });
    });
    routes.get("/_ready", () => ({ ready: true }));
    routes.get("/_requests", () => log.counters);
    routes.get("/_objects", async () => ({ objects: await listObjects(cloud) }));
    routes.get("/_faults", () => ({ faults: faults.list() }));
    routes.post("/_faults", (request, reply) => {
      faults.arm(readFault(request.body));
      return reply.code(201).send({ faults: faults.list() });
    });
    routes.delete("/_faults", () => ({ unused: faults.clear() }));
    done();
  });
}

function readFault(body: unknown): Fault {
  const fault = JSON.parse(String(body)) as Partial<Fault>;
  if (typeof fault.action !== "string") throw new Error("a fault needs the action that it is to hit");
  return fault as Fault;
}
