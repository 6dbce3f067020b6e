/**
 * The sandbox's AWS: EC2, IAM, STS, Route 53 and DLM on one address. moto's server keeps the objects. This layer in
 * front of it checks signatures, corrects moto where AWS differs (rules/), and brings the machine to moto's state
 * (reconcile.ts, lifecycle.ts).
 */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";

import { writeAtomically } from "../hosts/files";
import { RequestLog } from "../hetzner/requestLog";
import { NAME_SERVERS } from "../services/zoneFile";
import type { CloudRuntime } from "../runtime";
import { isMutating, readCall, SERVICES, type Call, type Service } from "./call";
import { forward, look, type Cloud, type Delays } from "./cloud";
import { controlRoutes } from "./controlRoutes";
import { AwsError, renderError, type Answer } from "./errors";
import { ArmedFaults } from "../faults";
import { faultError, type Fault } from "./faults";
import { renderImages } from "./images";
import { createMetadata, type Metadata } from "./imds";
import { Journal } from "./journal";
import { Lifecycle } from "./lifecycle";
import { Moto } from "./moto";
import { noteSeeded } from "./objects";
import { reconcile } from "./reconcile";
import { recover } from "./recovery";
import { rules } from "./rules";
import { seed } from "./seed";
import { isSignedBy, readSignature } from "./signature";
import { Store } from "./state";

export type { Fault } from "./faults";

/** The one region that the sandbox has. */
export const REGION = "eu-central-1";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface AwsApiOptions {
  /** File of the account. moto's journal is beside it. */
  readonly stateFile: string;
  /** File for one JSON object a line, in the form of the Hetzner API's log. */
  readonly requestLog: string;
  /** File for one JSON object per request to the metadata service. */
  readonly metadataLog: string;
  /** The account's only access key. */
  readonly credentials: Credentials;
  /** Makes instances, volumes and zones. */
  readonly runtime: CloudRuntime;
  /** Python that has the packages of requirements.txt. */
  readonly python: string;
  /** File for the log of moto's server. @default none */
  readonly motoLog?: string;
  /** @default a third of a second each */
  readonly delays?: Partial<Delays>;
  /** @default the sandbox's */
  readonly nameServers?: readonly string[];
}

export interface AwsApi {
  /** Not listening yet. Closing it ends moto. */
  readonly app: FastifyInstance;
  /** Answers of the instance metadata service. */
  readonly metadata: Metadata;
  /** Resolves when moto ends by itself. Its memory is lost then, and only another account can go on. */
  readonly ended: Promise<void>;
}

/** Brings up the account: the existing one, or a new one. */
export async function createAwsApi(options: AwsApiOptions): Promise<AwsApi> {
  const directory = dirname(options.stateFile);
  mkdirSync(directory, { recursive: true });
  const imagesFile = join(directory, "images.json");
  writeAtomically(imagesFile, renderImages());
  const moto = await Moto.start({
    python: options.python,
    imagesFile,
    region: REGION,
    logFile: options.motoLog,
  });
  try {
    return await serve(options, moto);
  } catch (error) {
    await moto.stop();
    throw error;
  }
}

async function serve(options: AwsApiOptions, moto: Moto): Promise<AwsApi> {
  const journal = await Journal.open(join(dirname(options.stateFile), "journal.jsonl"), moto, seed);
  const log = new RequestLog(options.requestLog);
  const lane = serially();
  const cloud: Cloud = {
    region: REGION,
    store: new Store(options.stateFile),
    journal,
    runtime: options.runtime,
    delays: { instance: 300, volume: 300, image: 300, dns: 300, ...options.delays },
    nameServers: options.nameServers ?? NAME_SERVERS,
    clock: Date.now,
    exclusive: lane,
    proceed: () => lifecycle.proceed(),
  };
  const lifecycle = new Lifecycle(cloud, (event, details) => log.event(event, details));
  if (cloud.store.state.seeded.length === 0) await noteSeeded(cloud);
  await recover(cloud);
  await cloud.exclusive(() => reconcile(cloud));
  cloud.store.save();

  const app = fastify({ bodyLimit: 1024 * 1024 });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  const faults = new ArmedFaults<Fault>();
  controlRoutes(app, { cloud, faults, log, secret: options.credentials.secretAccessKey });
  app.all("/*", async (request, reply) => {
    const { call, answer } = await answerRequest(cloud, faults, log, options.credentials, request);
    log.request({
      at: new Date().toISOString(),
      method: request.method,
      path: `${call?.service ?? "unknown"}:${call?.action ?? request.url.split("?")[0]}`,
      status: answer.status,
      userAgent: request.headers["user-agent"] ?? "",
      mutating: call !== undefined && isMutating(call.action),
      ...(answer.status >= 400 ? { note: errorCode(answer) } : {}),
    });
    return send(reply, answer);
  });
  app.addHook("onClose", async () => {
    await lifecycle.stop();
    await moto.stop();
  });
  lifecycle.proceed();
  return { app, metadata: createMetadata(cloud.store, options.metadataLog), ended: moto.ended };
}

async function answerRequest(
  cloud: Cloud,
  faults: ArmedFaults<Fault>,
  log: RequestLog,
  credentials: Credentials,
  request: FastifyRequest,
): Promise<{ call?: Call; answer: Answer }> {
  const { method, url, headers } = request;
  const body = typeof request.body === "string" ? request.body : "";
  const signature = readSignature(headers.authorization ?? "");
  const service: Service = SERVICES.find((name) => name === signature?.service) ?? "ec2";
  let call: Call | undefined;
  try {
    if (signature?.keyId !== credentials.accessKeyId) throw unknownKey(service);
    if (!isSignedBy(credentials.secretAccessKey, signature, { method, url, headers, body }))
      throw wrongSecret(service);
    refuseOtherRegions(signature);
    call = readCall(signature.service, {
      method,
      path: url,
      contentType: headers["content-type"] ?? "",
      body,
    });
    const { action } = call;
    const fault = faults.take((armed) => armed.action === action);
    if (fault?.delayMs) await sleep(fault.delayMs);
    const error = fault && faultError(fault);
    if (error && !fault.afterwards) throw error;
    const answer = await carryOut(cloud, call);
    if (error) throw error;
    return { call, answer };
  } catch (error) {
    if (!(error instanceof AwsError))
      log.event("exception", { error: (error as Error).stack ?? String(error) });
    // Not a 5xx, which clients would repeat.
    const told =
      error instanceof AwsError
        ? error
        : new AwsError("SandboxFailure", `${(error as Error).message}; see the request log`);
    return { call, answer: renderError(service, told) };
  }
}

/** Runs changes one after the other, the machine's included. Reads don't wait. */
async function carryOut(cloud: Cloud, call: Call): Promise<Answer> {
  const rule = rules[`${call.service}:${call.action}`];
  if (!isMutating(call.action)) return rule ? rule(cloud, call) : look(cloud, call);
  return cloud.exclusive(async () => {
    try {
      const answer = await (rule ?? forward)(cloud, call);
      if (answer.status < 400) await reconcile(cloud, call);
      return answer;
    } finally {
      cloud.store.save();
      cloud.proceed();
    }
  });
}

/** Refuses other regions. IAM, STS and Route 53 are the same in all of them. */
function refuseOtherRegions({ service, region }: { service: string; region: string }): void {
  if (region === REGION || !["ec2", "dlm"].includes(service)) return;
  throw new AwsError("UnsupportedOperation", `the sandbox's AWS has only the region ${REGION}, no ${region}`);
}

function unknownKey(service: Service): AwsError {
  switch (service) {
    case "ec2":
      return new AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401);
    case "dlm":
      return new AwsError(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        403,
      );
    default:
      return new AwsError(
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
        403,
      );
  }
}

function wrongSecret(service: Service): AwsError {
  if (service === "ec2") return unknownKey(service);
  return new AwsError(
    service === "dlm" ? "InvalidSignatureException" : "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access " +
      "Key and signing method. Consult the service documentation for details.",
    403,
  );
}

function errorCode({ body }: Answer): string {
  return /<Code>([^<]*)|"Code":"([^"]*)/.exec(body)?.slice(1).find(Boolean) ?? "no code";
}

function send(reply: FastifyReply, { status, contentType, headers, body }: Answer): FastifyReply {
  return reply
    .code(status)
    .headers({ ...headers, "content-type": contentType })
    .send(body);
}

/** Runs tasks one after the other. */
function serially(): Cloud["exclusive"] {
  let turn: Promise<unknown> = Promise.resolve();
  return (task) => {
    const mine = turn.then(task);
    turn = mine.catch(() => undefined);
    return mine;
  };
}
