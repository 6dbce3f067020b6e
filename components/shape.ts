import type { Settings } from "../settings";
import { SettingsError } from "../settings/problems";
import { setCommand } from "../settings/remedies";
import { stackOutputs, type StackOutputs } from "../clouds/stackState";

/**
 * Refuses to make a pool of a stack that is a single server, and the other way round: the public name would have to move
 * from one machine to another, with all that is on it. The outputs tell which it is: `servers` is a pool's.
 *
 * @returns the outputs of the stack's last update
 * @throws SettingsError
 */
export async function refuseOtherShape(settings: Settings): Promise<StackOutputs> {
  const { pool } = settings;
  const before = await stackOutputs();
  const wasPool = "servers" in before;
  if (!("url" in before) || wasPool === (pool !== undefined)) return before;
  const reason = pool
    ? `is ${pool.nodes}, but this stack is a single server, which cannot become a pool in place: its name would move to the balancer`
    : "is 0, but this stack is a pool, which cannot become a single server in place: its name would move from the balancer";
  const remedy =
    `${setCommand("servers", pool ? "0" : "2")}; for the other kind make a second stack, have the front ends use that ` +
    "one's URL and secret, then destroy this one";
  throw new SettingsError([{ key: "servers", reason, remedy }], settings);
}
