import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createAwsApi, REGION, type AwsApi, type Fault } from "../../../sandbox/aws";
import type { Context } from "../../../sandbox/engine/driver";
import { aws } from "../../../sandbox/engine/drivers/aws";
import { session } from "../../../sandbox/engine/drivers/aws/client";
import { MOTO_PYTHON } from "../../../sandbox/paths";
import { RecordingRuntime, type Json } from "../hetzner/harness";

const credentials = { accessKeyId: "AKIAENGINETESTS00000", secretAccessKey: "e".repeat(40) };

/** The sandbox's AWS, moto behind it, on the loopback; its machine notes what it would do. */
export class Account {
  readonly recorder = new RecordingRuntime();
  private readonly directory = mkdtempSync(join(tmpdir(), "aws-"));
  private readonly requestLog = join(this.directory, "requests.jsonl");
  private api: AwsApi | undefined;
  url = "";

  async start(): Promise<void> {
    if (!existsSync(MOTO_PYTHON))
      throw new Error(`${MOTO_PYTHON} is missing: run scripts/test, which installs it`);
    this.api = await createAwsApi({
      stateFile: join(this.directory, "state.json"),
      requestLog: this.requestLog,
      metadataLog: join(this.directory, "imds.jsonl"),
      credentials,
      runtime: this.recorder.runtime,
      python: MOTO_PYTHON,
      delays: { instance: 50, volume: 50, dns: 50 },
    });
    this.url = await this.api.app.listen({ host: "127.0.0.1", port: 0 });
  }

  async close(): Promise<void> {
    await aws.close?.();
    await this.api?.app.close();
    rmSync(this.directory, { recursive: true });
  }

  get env(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: this.url,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
  }

  context(name: string): Context {
    return {
      env: this.env,
      config: { region: REGION },
      projectDir: ".",
      name,
      log: () => {},
      timeout: undefined,
    };
  }

  /** What was asked for that changes something, as "ec2:RunInstances", and how it ended where it failed. */
  changes(): string[] {
    return readFileSync(this.requestLog, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Json)
      .filter(({ mutating }) => mutating === true)
      .map(({ path, note }) => (note === undefined ? path : `${path} ${note}`) as string);
  }

  async arm(fault: Fault): Promise<void> {
    const response = await this.ask("POST", "/_faults", JSON.stringify(fault));
    if (response.status !== 201) throw new Error(await response.text());
  }

  /** Until every change that was on its way is made: changes are made one after the other, this one the last. */
  async settled(): Promise<void> {
    const { ec2 } = await session(this.context("settled"));
    await ec2.deleteKeyPair({ KeyName: "of-nobody" });
  }

  /** Ids of everything that was made since the account began. */
  async objects(): Promise<Json> {
    return ((await (await this.ask("GET", "/_objects")).json()) as Json).objects;
  }

  private ask(method: string, path: string, body?: string): Promise<Response> {
    const headers = { authorization: `Bearer ${credentials.secretAccessKey}` };
    return fetch(this.url + path, { method, headers, body });
  }
}
