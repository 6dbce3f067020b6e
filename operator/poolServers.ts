/** Servers of a pool, asked by commands that remove them: what its own gate before a removal asks. */
import { ANY_CERTIFICATE, endMeetings } from "../bigbluebutton/meetings";
import { nodeState, runningWords, type NodeState } from "../bigbluebutton/nodeState";
import { isPool, readPool } from "./check/deployed";

/** Server of a pool. */
export interface PoolServer {
  readonly fqdn: string;
  /** @throws Error with the reason why it does not tell */
  state(): Promise<NodeState>;
  endMeetings(): Promise<void>;
}

/** What runs on a pool's servers. */
export interface PoolUse {
  /** Servers with something on them, a line each: "bbb-2.example.org: 1 meeting (2 people)". */
  readonly running: readonly string[];
  /** Servers that do not tell, with the reason. */
  readonly silent: readonly string[];
}

/** Servers of a pool by the outputs of its stack, secrets included; undefined for a stack that is none. */
export function poolServers(
  stack: string,
  outputs: Readonly<Record<string, unknown>>,
): readonly PoolServer[] | undefined {
  if (!isPool(outputs)) return undefined;
  return Object.values(readPool(stack, outputs).hosts.nodes).map(({ request }) => {
    const { bbbHost: fqdn, sharedSecret } = request;
    return {
      fqdn,
      state: () => nodeState(fqdn, sharedSecret, ANY_CERTIFICATE),
      endMeetings: () => endMeetings(`https://${fqdn}/bigbluebutton/api`, sharedSecret, ANY_CERTIFICATE),
    };
  });
}

export async function useOf(servers: readonly PoolServer[]): Promise<PoolUse> {
  const answers = await Promise.all(
    servers.map(({ fqdn, state }) =>
      state().then(
        (told) => ({ fqdn, words: runningWords(told), problem: undefined }),
        (error: unknown) => ({ fqdn, words: "", problem: (error as Error).message }),
      ),
    ),
  );
  return {
    running: answers.filter(({ words }) => words !== "").map(({ fqdn, words }) => `${fqdn}: ${words}`),
    silent: answers.flatMap(({ fqdn, problem }) =>
      problem === undefined ? [] : [`what runs on ${fqdn} is not known: ${problem}`],
    ),
  };
}
