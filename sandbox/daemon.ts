/**
 * The sandbox's cloud: one process in the router's namespace that serves the emulated API, the metadata service and the
 * mirror, and runs the hosts. Its state is on disk: hosts and services outlive it, and a new daemon continues.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import type { FastifyInstance } from "fastify";

import { createAwsApi, type AwsApi, type Credentials } from "./aws";
import { createControl, listenAt } from "./control";
import { createHetznerApi } from "./hetzner";
import { Faults } from "./hetzner/faults";
import { readJson, writeAtomically } from "./hosts/files";
import { raiseInotifyLimit } from "./hosts/limits";
import { logFile } from "./hosts/processes";
import { MachineRuntime, readHosts } from "./hosts/runtime";
import { METADATA_ADDRESS, SERVICES, serviceIpv6, USER_ZONE } from "./network/addresses";
import {
  AWS_CREDENTIALS_FILE,
  AWS_METADATA_LOG,
  AWS_REQUEST_LOG,
  AWS_STATE_FILE,
  CONTROL_SOCKET,
  DAEMON_READY_FILE,
  HETZNER_STATE_FILE,
  IMAGE_FILE,
  MIRROR_DIR,
  MOTO_PYTHON,
  REQUEST_LOG,
  TOKEN_FILE,
} from "./paths";
import { ACME_PORT, createAuthority, ensureCertificate } from "./services/authority";
import { createMailServer } from "./services/mailServer";
import { createWebhook, keepMessage, MAIL_NAME, MAIL_PASSWORD, MAIL_PORT } from "./services/messages";
import { createMetadataServer } from "./services/metadata";
import { createMirror } from "./services/mirror";
import { startServices } from "./services/services";
import { Storage } from "./services/storage";
import { StorageBoxes } from "./services/storageBoxes";

/** Directories that image/build.sh printed. */
export interface Image {
  readonly base: string;
  readonly services: string;
  readonly mirror: string;
}

const twins: Server[] = [];

async function main(): Promise<void> {
  const image = readJson<Image>(IMAGE_FILE);
  if (!image || !existsSync(image.base))
    throw new Error(`${IMAGE_FILE} names no image: start the daemon by scripts/sandbox up`);
  const token = readFileSync(TOKEN_FILE, "utf8").trim();

  const faults = {
    acme: new Faults(),
    hetzner: new Faults(),
    mail: new Faults(),
    mirror: new Faults(),
    storage: new Faults(),
  };
  const mirror = createMirror(MIRROR_DIR, faults.mirror);
  const late: { aws?: LazyAws } = {};
  const metadata = createMetadataServer(
    () => readHosts().map(({ spec }) => spec),
    () => late.aws?.api?.metadata,
  );
  await listen(mirror, SERVICES.mirror, true);
  await listen(metadata, METADATA_ADDRESS, false);

  raiseInotifyLimit();
  const zones = await startServices([image.services, image.base]);
  const authority = createAuthority(faults.acme);
  await authority.listen({ host: SERVICES.acme, port: ACME_PORT });
  const webhook = await startMail(faults.mail);
  const runtime = new MachineRuntime(image.base, zones, new StorageBoxes(zones));
  await runtime.restore();
  const api = createHetznerApi({
    stateFile: HETZNER_STATE_FILE,
    requestLog: REQUEST_LOG,
    token,
    runtime,
    faults: faults.hetzner,
  });
  await api.ready();
  await ensureZone(api, token);
  await listen(api, SERVICES.api, true);
  const aws = new LazyAws(runtime);
  late.aws = aws;
  // What is deployed there goes on where it was; whoever only uses Hetzner has nothing to wait for.
  if (existsSync(AWS_STATE_FILE)) await aws.start().catch(complain);
  for (const address of [SERVICES.aws, serviceIpv6(SERVICES.aws)]) await listenPlain(aws.answer, address);
  const storage = new Storage({ python: MOTO_PYTHON, logFile: logFile("storage"), faults: faults.storage });
  await listenPlain(storage.answer, SERVICES.storage);
  const control = createControl({ faults, zones });
  await listenAt(control, CONTROL_SOCKET);
  writeAtomically(DAEMON_READY_FILE, `${process.pid}\n`);

  process.on("SIGTERM", () => {
    rmSync(DAEMON_READY_FILE, { force: true });
    for (const twin of twins) twin.close().closeAllConnections();
    const servers = [api, mirror, metadata, authority, webhook, control, ...(aws.api ? [aws.api.app] : [])];
    void Promise.all([storage, ...servers].map((server) => server.close())).then(() => process.exit(0));
  });
}

/** Starts the mail server and the web server for webhooks. @returns the latter */
async function startMail(faults: Faults): Promise<FastifyInstance> {
  const tls = await ensureCertificate("mail", MAIL_NAME, SERVICES.mail);
  const at = () => new Date().toISOString();
  const webhook = createWebhook(
    tls,
    (hook) => keepMessage({ kind: "webhook", at: at(), webhook: hook }),
    faults,
  );
  await webhook.listen({ host: SERVICES.mail, port: 443 });
  const mail = createMailServer({
    ...tls,
    password: MAIL_PASSWORD,
    take: (email) => keepMessage({ kind: "email", at: at(), email }),
  });
  await new Promise<void>((resolve, reject) => {
    mail.on("error", reject).listen(MAIL_PORT, SERVICES.mail, resolve);
  });
  mail.unref();
  return webhook;
}

/** Listens at a service's IPv4 address and, with `withIpv6`, at its IPv6 address. */
async function listen(app: FastifyInstance, address: string, withIpv6: boolean): Promise<void> {
  if (withIpv6) await listenTwin(app, serviceIpv6(address));
  await app.listen({ host: address, port: 80 });
}

async function listenTwin(app: FastifyInstance, address: string): Promise<void> {
  await app.ready();
  await listenPlain((request, response) => app.routing(request, response), address);
}

async function listenPlain(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  address: string,
): Promise<void> {
  const twin = createServer(answer);
  // As Fastify's own: Node's five seconds are over, on a busy machine, while a client is about to ask again.
  twin.keepAliveTimeout = 72_000;
  twins.push(twin);
  await new Promise<void>((resolve, reject) => {
    twin.on("error", reject).listen(80, address, resolve);
  });
}

/** The sandbox's AWS, brought up by the first request to it: it costs memory, and not everyone uses it. */
class LazyAws {
  api: AwsApi | undefined;
  #starting: Promise<AwsApi> | undefined;

  constructor(private readonly runtime: MachineRuntime) {}

  start(): Promise<AwsApi> {
    this.#starting ??= this.#bringUp().catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  async #bringUp(): Promise<AwsApi> {
    const credentials = readJson<Credentials>(AWS_CREDENTIALS_FILE);
    if (!credentials)
      throw new Error("the sandbox's AWS has no account yet: ./scripts/sandbox up --cloud aws");
    this.api = await createAwsApi({
      stateFile: AWS_STATE_FILE,
      requestLog: AWS_REQUEST_LOG,
      metadataLog: AWS_METADATA_LOG,
      credentials,
      runtime: this.runtime,
      python: MOTO_PYTHON,
      motoLog: logFile("moto"),
    });
    const { app, ended } = this.api;
    await app.ready();
    // The next request brings it up again, with all that it was told.
    void ended.then(() => {
      this.api = undefined;
      this.#starting = undefined;
      return app.close();
    });
    return this.api;
  }

  readonly answer = (request: IncomingMessage, response: ServerResponse): void => {
    this.start().then(
      ({ app }) => app.routing(request, response),
      (error: unknown) => {
        complain(error);
        response.writeHead(503, { "content-type": "text/plain" }).end(messageOf(error));
      },
    );
  };
}

function complain(error: unknown): void {
  process.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Makes the user's zone before any deployment, as at a real cloud. */
async function ensureZone(api: FastifyInstance, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "user-agent": "sandbox" };
  const found = await api.inject({ method: "GET", url: `/v1/zones?name=${USER_ZONE}`, headers });
  if (found.json<{ zones: unknown[] }>().zones.length > 0) return;
  const payload = { name: USER_ZONE, mode: "primary" };
  const made = await api.inject({ method: "POST", url: "/v1/zones", headers, payload });
  if (made.statusCode >= 300) throw new Error(`zone ${USER_ZONE}: ${made.body}`);
}

main().catch((error: unknown) => {
  complain(error);
  process.exit(1);
});
