import { createHmac } from "node:crypto";

import { fetchText, type Trust } from "./meetings";

/** What runs on a server of a pool, by its own account (scripts/host/node_state.py). */
export interface NodeState {
  /** Undefined or null where its API does not answer. */
  readonly meetings?: readonly { readonly people: number; readonly breakout: boolean }[] | null;
  /** Recordings that are not processed yet. */
  readonly unprocessed: readonly string[];
}

/**
 * Asks a server of a pool what runs on it: what the gate before its removal asks.
 *
 * @throws Error with the reason why it does not tell
 */
export async function nodeState(fqdn: string, sharedSecret: string, trust: Trust): Promise<NodeState> {
  const token = createHmac("sha256", sharedSecret).update("bbb-deploy node state").digest("hex");
  const state = JSON.parse(
    await fetchText(`https://${fqdn}/bbb-deploy/state`, trust, { authorization: `Bearer ${token}` }),
  ) as NodeState;
  if (!state.meetings) throw new Error("its API does not answer");
  return state;
}

/** What runs, in words: "2 meetings (31 people) and 1 breakout room"; "" for nothing. */
export function runningWords({ meetings, unprocessed }: NodeState): string {
  const all = meetings ?? [];
  const rooms = all.filter(({ breakout }) => breakout).length;
  const people = all.reduce((sum, one) => sum + one.people, 0);
  const [others, left] = [all.length - rooms, unprocessed.length];
  return [
    ...(others > 0
      ? [`${counted(others, "meeting")} (${people === 1 ? "1 person" : `${people} people`})`]
      : []),
    ...(rooms > 0 ? [counted(rooms, "breakout room")] : []),
    ...(left > 0
      ? [`${counted(left, "recording")} that ${left === 1 ? "is" : "are"} not processed yet`]
      : []),
  ].join(" and ");
}

function counted(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? "" : "s"}`;
}
