import { setTimeout as sleep } from "node:timers/promises";

import type { FastifyInstance, FastifyReply } from "fastify";

import type { Faults, Mishap } from "../hetzner/faults";

/**
 * Applies armed faults to a server's requests before anything else.
 *
 * @param refuse Sends an error in the server's own form.
 */
export function injectFaults(
  app: FastifyInstance,
  faults: Faults,
  refuse: (reply: FastifyReply, error: NonNullable<Mishap["error"]>, mishap: Mishap) => FastifyReply,
): void {
  app.addHook("onRequest", async (request, reply) => {
    const mishap = faults.forRequest(request.method, request.url);
    if (!mishap) return;
    if (mishap.delayMs > 0) await sleep(mishap.delayMs);
    if (mishap.closeConnection) {
      reply.hijack();
      request.raw.socket.destroy();
      return;
    }
    if (mishap.error) return refuse(reply, mishap.error, mishap);
  });
}
