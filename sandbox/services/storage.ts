import {
  request as forward,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { Moto } from "../aws/moto";
import { readSignature } from "../aws/signature";
import type { Faults } from "../hetzner/faults";
import { SERVICE_ZONE } from "../network/addresses";

/** Name of the S3 storage, over plain HTTP. */
export const STORAGE_NAME = `storage.${SERVICE_ZONE}`;

/** The one bucket that exists. */
export const BUCKET = "backups";

/** Access keys; only the id is looked at. `addOnly` may delete nothing but locks, as a policy at a cloud would have it. */
export const STORAGE_KEYS = { full: "STORAGEFULL", addOnly: "STORAGEADDONLY" } as const;

/** Options of a {@link Storage}. */
export interface StorageOptions {
  /** The Python that moto is installed for. */
  readonly python: string;
  readonly logFile?: string;
  readonly faults?: Faults;
}

/** S3 storage: moto's, behind the access keys. It starts with the first request, and forgets everything with the daemon. */
export class Storage {
  #starting: Promise<Moto> | undefined;

  constructor(private readonly options: StorageOptions) {}

  readonly answer: RequestListener = (request, response) => {
    const refusal = refusalOf(request);
    if (refusal) return refuse(request, response, 403, ...refusal);
    const mishap = this.options.faults?.forRequest(request.method ?? "GET", request.url ?? "/");
    if (mishap?.closeConnection) return void request.socket.destroy();
    if (mishap?.error)
      return refuse(request, response, mishap.error.status, mishap.error.code, mishap.error.message);
    Promise.all([this.#moto(), sleep(mishap?.delayMs ?? 0)]).then(
      ([moto]) => pass(moto, request, response),
      (error: unknown) => refuse(request, response, 503, "ServiceUnavailable", (error as Error).message),
    );
  };

  async close(): Promise<void> {
    await (await this.#starting?.catch(() => undefined))?.stop();
  }

  #moto(): Promise<Moto> {
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  async #start(): Promise<Moto> {
    const { python, logFile } = this.options;
    const moto = await Moto.start({ python, logFile, region: "us-east-1" });
    const { status, body } = await moto.send({
      ...{ service: "s3", method: "PUT", path: `/${BUCKET}`, contentType: "", body: "" },
    });
    if (status !== 200) throw new Error(`moto makes no bucket: ${status} ${body}`);
    return moto;
  }
}

/** Code and words of a refusal by the access key; undefined for a request that may go on. */
function refusalOf({
  method,
  url = "/",
  headers,
}: IncomingMessage): [code: string, message: string] | undefined {
  const keyId = readSignature(headers.authorization ?? "")?.keyId;
  if (keyId === undefined) return ["AccessDenied", "Access Denied."];
  if (keyId !== STORAGE_KEYS.full && keyId !== STORAGE_KEYS.addOnly) {
    return ["InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records."];
  }
  const deletes = method === "DELETE" || (method === "POST" && /[?&]delete(=|&|$)/.test(url));
  return keyId === STORAGE_KEYS.addOnly && deletes && !url.includes("/locks/")
    ? ["AccessDenied", "Access Denied."]
    : undefined;
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
): void {
  request.resume();
  response
    .writeHead(status, { "content-type": "application/xml" })
    .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
}

/** Passes a request on. moto would take the name of another host for a bucket's. */
function pass({ port }: Moto, request: IncomingMessage, response: ServerResponse): void {
  const { method, url: path } = request;
  const headers = { ...request.headers, host: `127.0.0.1:${port}` };
  const outgoing = forward({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on("error", () => response.destroy());
  request.pipe(outgoing);
}
