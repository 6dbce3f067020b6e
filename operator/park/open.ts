import { Mistake } from "../../cli/mistake";
import { deploymentsOf } from "../deployments";
import { IN_SANDBOX, loadSandboxStacks, openStacks } from "../openStacks";
import { say } from "../output";
import { bigBlueButton } from "../servers/bigBlueButton";
import { openServers } from "../servers/open";
import type { StackSettings } from "../../cli/stackFiles";
import type { Stacks } from "../stacks";
import type { World } from "./world";

export interface Opened extends World {
  readonly stacks: Stacks;
  readonly settings: StackSettings;
  /** Name of the release that is deployed. */
  readonly release: string;
}

/** Opens a stack with its servers. @throws Mistake for one that is not deployed, or is a test server */
export async function openWorld(stack: string, sandbox: boolean): Promise<Opened> {
  const stacks = await openStacks(sandbox, process.stderr);
  const [deployed] = await deploymentsOf(stacks, stack);
  const written = await stacks.settings(stack);
  const settings = IN_SANDBOX ? loadSandboxStacks().opened(written) : written;
  if (settings.expires !== undefined && settings.expires !== "") {
    throw new Mistake(
      `${stack} is a test server, which removes itself: ./scripts/test-server down takes it down`,
    );
  }
  const bbb = bigBlueButton(deployed!, say);
  const { release } = deployed!.hosts.bbb.request;
  return { stacks, stack, settings, release, bbb, servers: openServers(settings, process.env), say };
}
