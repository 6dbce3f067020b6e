import fastify, { type FastifyInstance } from "fastify";

import { renderMetadata } from "../hosts/cloudInit";
import type { ServerSpec } from "../runtime";

/** The metadata service: tells a host about itself, which it knows by the address that the request comes from. */
export function createMetadataServer(hosts: () => readonly ServerSpec[]): FastifyInstance {
  const app = fastify();
  app.get("/*", (request, reply) => {
    const spec = hosts().find(({ addresses }) => addresses.ipv4 === request.ip);
    const path = request.url.replace(/\?.*$/, "").replace(/\/+$/, "");
    const answers = spec && renderMetadata(spec);
    if (!answers || !Object.hasOwn(answers, path))
      return reply.code(404).type("text/plain").send("not found\n");
    return reply.type("text/plain").send(answers[path]);
  });
  return app;
}
