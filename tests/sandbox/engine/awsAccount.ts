import { REGION, type Fault } from "../../../sandbox/aws";
import type { Context } from "../../../sandbox/engine/driver";
import { aws } from "../../../sandbox/engine/drivers/aws";
import { session } from "../../../sandbox/engine/drivers/aws/client";
import { Account, credentials } from "../aws/harness";
import type { Json } from "../hetzner/harness";

/** The sandbox's AWS from the engine's side. */
export class EngineAccount extends Account {
  override async stop(): Promise<void> {
    await aws.close?.();
    await super.stop();
  }

  get env(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: this.endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
  }

  context(name: string): Context {
    const config = { region: REGION };
    return { env: this.env, config, projectDir: ".", name, log: () => {}, timeout: undefined };
  }

  /** Requests that change something, as "ec2:RunInstances", each with its failure if it had one. */
  changes(): string[] {
    return this.lines<Json>("requests.jsonl")
      .filter(({ mutating }) => mutating === true)
      .map(({ path, note }) => (note === undefined ? path : `${path} ${note}`) as string);
  }

  async arm(fault: Fault): Promise<void> {
    await this.control("POST", "/_faults", fault);
  }

  /** Resolves when all pending changes are made: they are made one after the other, this one the last. */
  async settled(): Promise<void> {
    const { ec2 } = await session(this.context("settled"));
    await ec2.deleteKeyPair({ KeyName: "of-nobody" });
  }

  /** All objects made since the account began. */
  async objects(): Promise<Json[]> {
    return (await this.control<{ objects: Json[] }>("GET", "/_objects")).objects;
  }
}
