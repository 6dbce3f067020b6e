import { request as httpsRequest } from "node:https";
import type { IncomingHttpHeaders } from "node:http";

import fastify, { type FastifyInstance, type FastifyReply } from "fastify";

import type { Faults } from "../hetzner/faults";
import { injectFaults } from "./faultHook";

/** Proxy in front of the certificate authority: passes everything on, except for faults. */

/** Arguments of {@link createAcmeProxy}. */
export interface AcmeProxyOptions {
  /** Certificate for its clients (PEM), with the authority's name. */
  readonly certificate: string;
  readonly privateKey: string;
  /** Address of the authority itself, which has the same certificate. */
  readonly upstream: { readonly host: string; readonly port: number; readonly ca: string };
  readonly faults: Faults;
}

/** Makes the authority's proxy. A fault's code is the last part of a problem's type, e.g. "rateLimited". */
export function createAcmeProxy(options: AcmeProxyOptions): FastifyInstance {
  const app = fastify({
    https: { cert: options.certificate, key: options.privateKey },
    forceCloseConnections: true,
  }) as FastifyInstance;
  injectFaults(app, options.faults, (reply, { code, message, status }, { retryAfter }) => {
    if (retryAfter !== undefined) reply.header("retry-after", retryAfter);
    const problem = { type: `urn:ietf:params:acme:error:${code}`, detail: message, status };
    return reply.code(status).type("application/problem+json").send(JSON.stringify(problem));
  });
  app.register((inner, _options, done) => {
    inner.removeAllContentTypeParsers();
    inner.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, parsed) => parsed(null, body));
    inner.all("/*", (request, reply) => {
      const { method, url } = request;
      const body = Buffer.isBuffer(request.body) ? request.body : undefined;
      return passOn(options, { method, url, headers: request.headers, body }, reply);
    });
    done();
  });
  return app;
}

interface Passed {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer | undefined;
}

/** Passes a request on with the client's Host: pebble makes its URLs of it. */
function passOn(
  { upstream }: AcmeProxyOptions,
  { method, url, headers, body }: Passed,
  reply: FastifyReply,
): Promise<FastifyReply> {
  return new Promise((resolve) => {
    const servername = (headers.host ?? "").replace(/:\d+$/, "");
    const { host, port, ca } = upstream;
    const passed = httpsRequest(
      { host, port, ca, servername, method, path: url, headers: { ...headers, connection: "close" } },
      (answer) => {
        const kept = { ...answer.headers };
        delete kept.connection;
        delete kept["transfer-encoding"];
        resolve(
          reply
            .code(answer.statusCode ?? 502)
            .headers(kept)
            .send(answer),
        );
      },
    );
    passed.on("error", (error) =>
      resolve(reply.code(502).type("text/plain").send(`pebble: ${error.message}\n`)),
    );
    passed.end(body);
  });
}
