import { createHmac, randomUUID } from "node:crypto";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import type { Trust } from "../bigbluebutton/meetings";

/** Server of a pool, as it asks its balancer to let it leave (scripts/host/lease_service.py, which says what is asked and answered). */
export interface LeavingServer {
  readonly fqdn: string;
  /** Secret of its own API, of which the balancer knows that it is the server's. */
  readonly secret: string;
  /** Full name of the balancer. */
  readonly balancer: string;
  readonly trust: Trust;
}

/** Reason to leave. */
export interface Leaving {
  /** Work, e.g. "changing serverType of bbb-2-host-server". */
  readonly what: string;
  /** Leaves though meetings run. */
  readonly anyway: boolean;
  /** Advice that ends a refusal. */
  readonly orAllow: string;
}

/** Ways to tell the operator, and the time between two questions, in milliseconds. */
export interface Patience {
  readonly tell: (text: string) => unknown;
  readonly warn: (text: string) => unknown;
  readonly pauseMs: number;
  /** Time for which a balancer that does not answer is asked again. */
  readonly silentMs: number;
}

const ANSWER_MS = 240_000;
const WORD_EVERY_MS = 60_000;

interface Answer {
  readonly go?: true;
  readonly despite?: string;
  readonly wait?: string;
  readonly refused?: string;
  readonly stuck?: string;
}

/**
 * Waits until a server has left its pool: not more are out than may be, and nothing runs on it. It comes back as a member, when
 * it is proven to work.
 *
 * @throws Error with the reason and what to do
 */
export async function leavePool(server: LeavingServer, leaving: Leaving, patience: Patience): Promise<void> {
  const { fqdn, balancer } = server;
  const { what, anyway, orAllow } = leaving;
  const { tell, warn, pauseMs, silentMs } = patience;
  const run = randomUUID();
  const began = Date.now();
  let answeredAt = began;
  let said = { text: "", at: 0 };
  for (;;) {
    const waited = Math.round((Date.now() - began) / 1000);
    let answer: Answer;
    try {
      answer = await ask(server, { node: fqdn, run, what, waited, anyway });
      answeredAt = Date.now();
    } catch (error) {
      const words = `${balancer} does not say whether other servers serve meanwhile (${(error as Error).message})`;
      if (anyway) return void (await warn(`${what}; ${words}: going on, as duringMeetings allows`));
      if (Date.now() - answeredAt >= silentMs) {
        throw new Error(
          `${what}, and ${words}; nothing was changed. Bring the balancer back, then run pulumi up again${orAllow}`,
          { cause: error },
        );
      }
      answer = { wait: words };
    }
    if (answer.go) {
      if (answer.despite) await warn(`${what} although, on ${fqdn}, ${answer.despite}`);
      return;
    }
    if (answer.refused !== undefined) {
      throw new Error(
        `${what}, and on ${fqdn} ${answer.refused}; nothing was changed. Run pulumi up again when they have ended${orAllow}`,
      );
    }
    if (answer.stuck !== undefined)
      throw new Error(`${what}, and too few others would serve: ${answer.stuck}; nothing was changed`);
    const wait = answer.wait ?? "";
    if (wait !== said.text || Date.now() - said.at >= WORD_EVERY_MS) {
      await tell(`${fqdn}: ${wait}`);
      said = { text: wait, at: Date.now() };
    }
    await sleep(pauseMs);
  }
}

function ask({ balancer, secret, trust }: LeavingServer, question: object): Promise<Answer> {
  const token = createHmac("sha256", secret).update("bbb-deploy lease").digest("hex");
  const signal = AbortSignal.timeout(ANSWER_MS);
  const options = { ...trust, method: "POST", signal, headers: { authorization: `Bearer ${token}` } };
  return new Promise((resolve, reject) => {
    const asked = request(`https://${balancer}/bbb-deploy/lease`, options, (response) => {
      if (response.statusCode === 200)
        text(response)
          .then((body) => resolve(JSON.parse(body) as Answer))
          .catch(reject);
      else {
        response.resume();
        const known = response.statusCode === 403 ? "it knows another secret of the server" : undefined;
        reject(new Error(known ?? `HTTP status ${response.statusCode}`));
      }
    });
    asked.on("error", (error) => reject(signal.aborted ? new Error("no answer") : error));
    asked.end(JSON.stringify(question));
  });
}
