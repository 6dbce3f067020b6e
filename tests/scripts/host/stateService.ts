/** A server's service that tells its state: node_state.py, as its unit runs it. */
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "../../support/freePort";
import { SCRIPTS, type FakeHost } from "./scripts";

export interface StateService {
  readonly port: number;
  readonly process: ChildProcess;
}

/** Starts the service, and waits until it answers. @param api URL of the server's API @throws where it ended, with its words */
export async function serveState(host: FakeHost, api: string): Promise<StateService> {
  const port = await freePort();
  const env = { BBB_DEPLOY_API: api, BBB_DEPLOY_STATE_PORT: String(port) };
  const process = host.start(["/usr/bin/python3", "-B", `${SCRIPTS}/node_state.py`, "--serve"], env);
  let said = "";
  process.stderr!.on("data", (text: Buffer) => (said += text.toString()));
  for (let i = 0; i < 600; i++) {
    if (process.exitCode !== null) throw new Error(`node_state.py ended with ${process.exitCode}: ${said}`);
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer !== undefined) return { port, process };
    await sleep(50);
  }
  process.kill();
  throw new Error(`node_state.py does not answer: ${said}`);
}
