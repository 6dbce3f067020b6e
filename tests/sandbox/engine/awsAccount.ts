import { setTimeout as sleep } from "node:timers/promises";

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

  /** Resolves when no request is under way, and no instance is in an in-between state. */
  async settled(): Promise<void> {
    const { ec2 } = await session(this.context("settled"));
    const busy = [{ Name: "instance-state-name", Values: ["pending", "stopping", "shutting-down"] }];
    for (;;) {
      // Requests are answered one after the other: this one after those of a program that was killed.
      await ec2.deleteKeyPair({ KeyName: "of-nobody" });
      const { Reservations = [] } = await ec2.describeInstances({ Filters: busy });
      if (Reservations.length === 0) return;
      await sleep(50);
    }
  }

  /** All objects made since the account began. */
  async objects(): Promise<Json[]> {
    return (await this.control<{ objects: Json[] }>("GET", "/_objects")).objects;
  }
}
