import { setTimeout as sleep } from "node:timers/promises";

import type { StackSettings } from "../../cli/stackFiles";
import type { CloudName } from "../inventory";
import { openInventories } from "../inventory/open";
import { say } from "../output";
import type { Stacks } from "../stacks";
import type { World } from "./world";

/** Options of {@link openWorld}. */
export interface WorldOptions {
  /** Cloud to look at also, whatever the settings use. */
  readonly cloud?: CloudName;
  /** Settings of the stack that new test servers resemble. */
  readonly like: () => Promise<StackSettings>;
  /** @default never */
  readonly interrupted?: () => boolean;
}

/** Opens the environment of the commands about test servers. */
export function openWorld(stacks: Stacks, { cloud, like, interrupted = () => false }: WorldOptions): World {
  return {
    ...{ stacks, say, interrupted },
    inventories: async (settings) => openInventories(settings, cloud ? [cloud] : [], process.env),
    // Without its settings, there is nowhere to look but where the known ones are.
    like: () => like().catch(() => undefined),
    now: () => new Date(),
    sleep: async (seconds) => void (await sleep(seconds * 1000)),
  };
}
