import fastify, { type FastifyInstance } from "fastify";

import type { Metadata } from "../aws/imds";
import { renderMetadata } from "../hosts/cloudInit";
import type { ServerSpec } from "../runtime";

/**
 * Metadata service: tells a host about itself, and knows it by the sender's address. An EC2 instance gets EC2's
 * answers, every other host Hetzner's.
 *
 * @param ec2 undefined while there is no AWS.
 */
export function createMetadataServer(
  hosts: () => readonly ServerSpec[],
  ec2: () => Metadata | undefined = () => undefined,
): FastifyInstance {
  const app = fastify();
  app.all("/*", (request, reply) => {
    const path = request.url.replace(/\?.*$/, "");
    const { ip: source, method, headers } = request;
    const told = ec2()?.answer({ source, method, path, headers });
    if (told)
      return reply
        .code(told.status)
        .headers({ ...told.headers })
        .type("text/plain")
        .send(told.body);
    const spec = hosts().find(({ addresses }) => addresses.ipv4 === source);
    const answers = spec && renderMetadata(spec);
    const found = path.replace(/\/+$/, "");
    if (!answers || method !== "GET" || !Object.hasOwn(answers, found))
      return reply.code(404).type("text/plain").send("not found\n");
    return reply.type("text/plain").send(answers[found]);
  });
  return app;
}
