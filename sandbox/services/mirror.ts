import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join, normalize } from "node:path";

import fastify, { type FastifyInstance } from "fastify";

import type { Faults } from "../hetzner/faults";
import { injectFaults } from "./faultHook";

/** Path of a URL below a directory; undefined for a path that is not plain. */
export function locate(directory: string, url: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(url.replace(/[?#].*$/, ""));
  } catch {
    return undefined;
  }
  if (path.includes("\0") || path.split("/").includes("..")) return undefined;
  return join(directory, normalize(path));
}

/** Web server of plain files: packages and installers. */
export function createMirror(directory: string, faults?: Faults): FastifyInstance {
  const app = fastify({ exposeHeadRoutes: true });
  if (faults) {
    injectFaults(app, faults, (reply, { status, message }) =>
      reply.code(status).type("text/plain").send(`${message}\n`),
    );
  }
  app.get("/*", async (request, reply) => {
    const file = locate(directory, request.url);
    const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
    if (file === undefined || !found?.isFile()) return reply.code(404).type("text/plain").send("not found\n");
    reply.header("content-length", found.size).header("last-modified", found.mtime.toUTCString());
    if (Date.parse(request.headers["if-modified-since"] ?? "") >= Math.floor(found.mtimeMs / 1000) * 1000) {
      return reply.removeHeader("content-length").code(304).send();
    }
    return reply.type("application/octet-stream").send(createReadStream(file));
  });
  return app;
}
