import { timingSafeEqual } from "node:crypto";

import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";

import type { CloudRuntime } from "../runtime";
import { Actions, type CommandTable } from "./actions";
import { type Cloud, Publisher } from "./cloud";
import { controlRoutes } from "./controlRoutes";
import { ApiError, fromValidation } from "./errors";
import { Faults } from "./faults";
import { isMutating, notEmulated, RequestLog } from "./requestLog";
import { actionRoutes } from "./resources/actions";
import { catalogueRoutes } from "./resources/catalogue";
import { firewallCommands, firewallRoutes } from "./resources/firewalls";
import { imageCommands, imageRoutes } from "./resources/images";
import { placementGroupRoutes } from "./resources/placementGroups";
import { primaryIpCommands, primaryIpRoutes } from "./resources/primaryIps";
import { recordSetRoutes } from "./resources/recordSets";
import { serverActionRoutes } from "./resources/serverActions";
import { serverRoutes } from "./resources/servers";
import { sshKeyRoutes } from "./resources/sshKeys";
import { storageBoxCommands, storageBoxRoutes } from "./resources/storageBoxes";
import { volumeCommands, volumeRoutes } from "./resources/volumes";
import { zoneCommands, zoneRoutes } from "./resources/zones";
import { reverseDnsCommands } from "./reverseDns";
import type { Routes } from "./routes";
import { serverCommands } from "./serverCommands";
import { Store } from "./store";

export interface HetznerApiOptions {
  /** File of the project, mode 0600; made when absent. */
  readonly stateFile: string;
  /** File for one JSON object a line, see requestLog.ts. */
  readonly requestLog: string;
  /** Token of requests: exactly 64 characters, as the real provider requires. */
  readonly token: string;
  /** Makes the project's servers, volumes, zones … */
  readonly runtime: CloudRuntime;
  /** Clock. @default the machine's */
  readonly clock?: () => Date;
  /** Name servers of new zones, with a final dot. @default the sandbox's */
  readonly nameServers?: readonly string[];
  /** Faults from the start; POST /_faults arms more. */
  readonly faults?: Faults;
}

const resources: readonly Routes[] = [
  actionRoutes,
  serverRoutes,
  serverActionRoutes,
  sshKeyRoutes,
  firewallRoutes,
  placementGroupRoutes,
  primaryIpRoutes,
  volumeRoutes,
  zoneRoutes,
  recordSetRoutes,
  catalogueRoutes,
  imageRoutes,
  storageBoxRoutes,
];

const commands: CommandTable = {
  ...serverCommands,
  ...imageCommands,
  ...firewallCommands,
  ...primaryIpCommands,
  ...volumeCommands,
  ...zoneCommands,
  ...storageBoxCommands,
  ...reverseDnsCommands,
};

/**
 * Part of the Hetzner Cloud API that this project uses, below /v1, with the Storage Boxes that Hetzner has at another host, and the sandbox's switches beside it
 * (controlRoutes.ts). Not listening yet. Once ready it continues the actions that an earlier process left.
 */
export function createHetznerApi(options: HetznerApiOptions): FastifyInstance {
  if (options.token.length !== 64) {
    throw new Error(`the API token has ${options.token.length} characters; Hetzner's have 64`);
  }
  const clock = options.clock ?? (() => new Date());
  const store = new Store(options.stateFile);
  const log = new RequestLog(options.requestLog);
  const faults = options.faults ?? new Faults();
  const actions = new Actions(
    store,
    commands,
    clock,
    (command) => faults.forAction(command) ?? { delayMs: 0 },
    ({ id, command, error }) => log.event("action failed", { action: id, command, error }),
  );
  const cloud: Cloud = {
    store,
    runtime: options.runtime,
    actions,
    publish: new Publisher(store, options.runtime),
    clock,
    nameServers: options.nameServers ?? ["ns1.sandbox.test.", "ns2.sandbox.test."],
  };

  const app = fastify({
    bodyLimit: 1024 * 1024,
    ajv: {
      customOptions: { allErrors: true, coerceTypes: false, removeAdditional: false, allowUnionTypes: true },
    },
    schemaErrorFormatter: fromValidation,
  });
  acceptEmptyBodies(app);
  answerErrors(app, log);
  logRequests(app, log);
  authenticate(app, options.token);
  injectFaults(app, faults, log);
  app.register(
    (api, _options, done) => {
      for (const routes of resources) routes(api, cloud);
      done();
    },
    { prefix: "/v1" },
  );
  controlRoutes(app, cloud, faults, log);
  app.addHook("onReady", (done) => {
    actions.resume(cloud);
    done();
  });
  app.addHook("onClose", (_app, done) => {
    actions.stop();
    done();
  });
  return app;
}

/** Accepts empty bodies: half of the action endpoints are called without one, with or without a content type. */
function acceptEmptyBodies(app: FastifyInstance): void {
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    if (body.length === 0) return done(null, null);
    try {
      done(null, JSON.parse(body.toString()));
    } catch {
      done(new ApiError("json_error", "the request's body is not valid JSON"));
    }
  });
}

const notes = new WeakMap<FastifyRequest, string>();

function answerErrors(app: FastifyInstance, log: RequestLog): void {
  app.setNotFoundHandler((request, reply) => {
    notes.set(request, notEmulated);
    const unknown = new ApiError(
      "not_found",
      `${request.method} ${pathOf(request)} is not emulated by the sandbox`,
    );
    return reply.code(unknown.status).send(unknown.body());
  });
  app.setErrorHandler((error: FastifyError | ApiError, request, reply) => {
    const answer = error instanceof ApiError ? error : fromFramework(error);
    if (answer.status === 500) log.event("exception", { path: pathOf(request), error: error.stack });
    return reply.code(answer.status).send(answer.body());
  });
}

function fromFramework(error: FastifyError): ApiError {
  const status = error.statusCode ?? 500;
  return status < 500
    ? new ApiError("invalid_input", error.message, null, status)
    : new ApiError("server_error", "the emulator failed, see the request log");
}

function logRequests(app: FastifyInstance, log: RequestLog): void {
  app.addHook("onResponse", (request, reply, done) => {
    if (!isControl(request)) logRequest(log, request, reply.statusCode);
    done();
  });
}

function logRequest(log: RequestLog, request: FastifyRequest, status: number): void {
  const query = request.url.split("?")[1];
  const note = notes.get(request);
  log.request({
    at: new Date().toISOString(),
    method: request.method,
    path: pathOf(request),
    ...(query ? { query } : {}),
    status,
    userAgent: request.headers["user-agent"] ?? "",
    mutating: isMutating(request.method),
    ...(note ? { note } : {}),
  });
}

function authenticate(app: FastifyInstance, token: string): void {
  const expected = Buffer.from(`Bearer ${token}`);
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-correlation-id", request.id);
    const given = Buffer.from(request.headers.authorization ?? "");
    const known = given.length === expected.length && timingSafeEqual(given, expected);
    done(known ? undefined : new ApiError("unauthorized", "unable to authenticate"));
  });
}

function injectFaults(app: FastifyInstance, faults: Faults, log: RequestLog): void {
  app.addHook("onRequest", async (request, reply: FastifyReply) => {
    const mishap = isControl(request) ? undefined : faults.forRequest(request.method, request.url);
    if (!mishap) return;
    notes.set(request, "injected fault");
    if (mishap.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, mishap.delayMs));
    if (mishap.closeConnection) {
      logRequest(log, request, 0);
      reply.hijack();
      request.raw.socket.destroy();
      return;
    }
    const { error, html } = mishap;
    if (error && html !== undefined) return reply.code(error.status).type("text/html").send(html);
    if (error) throw new ApiError(error.code, error.message, null, error.status);
  });
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?")[0] ?? request.url;
}

function isControl(request: FastifyRequest): boolean {
  return request.url.startsWith("/_");
}
