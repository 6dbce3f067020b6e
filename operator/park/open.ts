import { Mistake } from "../../cli/mistake";
import { deploymentsOf } from "../deployments";
import { openStacks } from "../openStacks";
import { say } from "../output";
import { bigBlueButton } from "../servers/bigBlueButton";
import { openServers } from "../servers/open";
import type { StackSettings } from "../../cli/stackFiles";
import type { World } from "./world";

export interface Opened extends World {
  readonly settings: StackSettings;
}

/** Opens a stack with its servers. @throws Mistake for one that is not deployed, or is a test server */
export async function openWorld(stack: string, sandbox: boolean): Promise<Opened> {
  const stacks = await openStacks(sandbox, process.stderr);
  const [deployed] = await deploymentsOf(stacks, stack);
  const settings = await stacks.settings(stack);
  if (settings.expires !== undefined && settings.expires !== "") {
    throw new Mistake(
      `${stack} is a test server, which removes itself: ./scripts/test-server down takes it down`,
    );
  }
  const bbb = bigBlueButton(deployed!, say);
  return { stacks, stack, settings, bbb, servers: openServers(settings, process.env), say };
}
