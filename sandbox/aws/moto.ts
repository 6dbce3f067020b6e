import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

import type { Call } from "./call";
import type { Answer } from "./errors";

const START_MS = 60_000;
const ANSWER_MS = 60_000;

/** Parts of a request that moto needs. */
export type Wire = Pick<Call, "method" | "path" | "contentType" | "body"> & {
  readonly service: Call["service"] | "s3";
};

export interface MotoOptions {
  /** The Python that moto is installed for, see requirements.txt. */
  readonly python: string;
  /** JSON file of the machine images that exist, see images.ts. @default moto's own */
  readonly imagesFile?: string;
  readonly region: string;
  /** File for the server's log. @default none */
  readonly logFile?: string;
}

/** moto's server: a child process on the loopback that ends with this one and then forgets everything. */
export class Moto {
  readonly #agent = new Agent({ keepAlive: true });
  #stopping = false;
  /** Resolves when the server ends without a request to end. */
  readonly ended: Promise<void>;

  private constructor(
    private readonly process: ChildProcessByStdio<Writable, Readable, null>,
    /** Port on the loopback. */
    readonly port: number,
    private readonly region: string,
  ) {
    this.ended = new Promise((resolve) => {
      process.on("exit", () => {
        if (!this.#stopping) resolve();
      });
    });
  }

  static async start({ python, imagesFile, region, logFile }: MotoOptions): Promise<Moto> {
    const log = openSync(logFile ?? "/dev/null", "a", 0o600);
    const child = spawn(python, [join(__dirname, "moto_server.py")], {
      cwd: "/",
      env: {
        PATH: "/usr/bin:/bin",
        LANG: "C.UTF-8",
        PYTHONDONTWRITEBYTECODE: "1",
        PYTHONHASHSEED: "0",
        ...(imagesFile !== undefined && { MOTO_AMIS_PATH: imagesFile }),
        MOTO_ENABLE_AMI_VALIDATION: "1",
        MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION: "1",
        MOTO_ENABLE_KEYPAIR_VALIDATION: "1",
        MOTO_IAM_LOAD_MANAGED_POLICIES: "true",
      },
      stdio: ["pipe", "pipe", log],
    }) as ChildProcessByStdio<Writable, Readable, null>;
    closeSync(log);
    const ended = new Promise<never>((_resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) =>
        reject(
          new Error(
            `moto's server ended with exit code ${code} as it started${logFile ? `; see ${logFile}` : ""}`,
          ),
        ),
      );
    });
    ended.catch(() => undefined);
    const timer = setTimeout(() => child.kill("SIGKILL"), START_MS);
    try {
      const [line] = (await Promise.race([once(createInterface(child.stdout), "line"), ended])) as [string];
      return new Moto(child, Number(line), region);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends one request, as if the account's owner had signed it. */
  send(wire: Wire): Promise<Answer> {
    const scope = `sandbox/20260101/${this.region}/${wire.service}/aws4_request`;
    return this.#exchange(wire, {
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
      ...(wire.contentType === "" ? {} : { "content-type": wire.contentType }),
    });
  }

  /** Sets the number from which moto derives every later id, name and address. */
  async seed(number: number): Promise<void> {
    const { status, body } = await this.#exchange(
      { method: "POST", path: `/moto-api/seed?a=${number}`, body: "" },
      {},
    );
    if (status !== 200) throw new Error(`moto takes no seed: ${status} ${body}`);
  }

  #exchange(
    { method, path, body }: Pick<Wire, "method" | "path" | "body">,
    headers: Record<string, string>,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: "127.0.0.1",
          port: this.port,
          method,
          path,
          agent: this.#agent,
          timeout: ANSWER_MS,
          headers: { ...headers, "content-length": Buffer.byteLength(body) },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("error", reject);
          incoming.on("end", () =>
            resolve({
              status: incoming.statusCode ?? 0,
              contentType: incoming.headers["content-type"] ?? "text/xml",
              body: Buffer.concat(chunks).toString("utf8"),
            }),
          );
        },
      );
      outgoing.on("timeout", () => outgoing.destroy(new Error(`moto does not answer ${method} ${path}`)));
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#agent.destroy();
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, "exit");
    this.process.stdin.end();
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(timer);
  }
}
