import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { DLMClient } from "@aws-sdk/client-dlm";
import { EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { Route53Client } from "@aws-sdk/client-route-53";
import { STSClient } from "@aws-sdk/client-sts";

import { createAwsApi, REGION, type AwsApi, type AwsApiOptions } from "../../../sandbox/aws";
import { MOTO_PYTHON } from "../../../sandbox/paths";
import { RecordingRuntime } from "../hetzner/harness";

// Every call goes through moto, which shares the machine with all other tests.
jest.setTimeout(120_000);

export const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

export const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRvbnQtdXNlLXRoaXMta2V5LWl0LWlzLWEtdGVzdCEh";

type Clients = ReturnType<typeof makeClients>;

function makeClients(endpoint: string): {
  ec2: EC2Client;
  route53: Route53Client;
  iam: IAMClient;
  dlm: DLMClient;
  sts: STSClient;
} {
  const config = { endpoint, region: REGION, credentials, maxAttempts: 1 };
  return {
    ec2: new EC2Client(config),
    route53: new Route53Client(config),
    iam: new IAMClient(config),
    dlm: new DLMClient(config),
    sts: new STSClient(config),
  };
}

/** One emulated account in a directory of its own, real moto behind it. */
export class Account {
  readonly recorder = new RecordingRuntime();
  readonly directory = mkdtempSync(join(tmpdir(), "aws-"));
  #api: AwsApi | undefined;
  #clients: Clients | undefined;
  endpoint = "";

  constructor(private readonly options: Partial<AwsApiOptions> = {}) {}

  async start(): Promise<void> {
    if (!existsSync(MOTO_PYTHON))
      throw new Error(`${MOTO_PYTHON} is missing: run scripts/test, or setup_moto of scripts/lib/setup.sh`);
    this.#api = await createAwsApi({
      stateFile: join(this.directory, "state.json"),
      requestLog: join(this.directory, "requests.jsonl"),
      metadataLog: join(this.directory, "imds.jsonl"),
      credentials,
      runtime: this.recorder.runtime,
      python: MOTO_PYTHON,
      delays: { instance: 0, volume: 0, image: 0, dns: 0 },
      ...this.options,
    });
    this.endpoint = await this.#api.app.listen({ host: "127.0.0.1", port: 0 });
    this.#clients = makeClients(this.endpoint);
  }

  get api(): AwsApi {
    if (!this.#api) throw new Error("the account is not started");
    return this.#api;
  }

  get clients(): Clients {
    if (!this.#clients) throw new Error("the account is not started");
    return this.#clients;
  }

  async stop(): Promise<void> {
    for (const client of Object.values(this.#clients ?? {})) client.destroy();
    await this.#api?.app.close();
    this.#api = undefined;
  }

  /** Starts another process on the same state. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true });
  }

  /** Uses one of the sandbox's own switches. */
  async control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.endpoint}${path}`, {
      method,
      headers: { authorization: `Bearer ${credentials.secretAccessKey}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  lines<T>(file: string): T[] {
    const text = readFileSync(join(this.directory, file), "utf8").trim();
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as T);
  }
}

/** One account for all tests of a file. */
export function useAccount(options: Partial<AwsApiOptions> = {}): () => Account {
  let account: Account | undefined;
  beforeAll(async () => {
    account = new Account(options);
    await account.start();
  });
  afterAll(() => account?.close());
  return () => {
    if (!account) throw new Error("no account outside a test");
    return account;
  };
}

/** Polls until something is so; the test's own limit bounds it. */
export async function eventually<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
