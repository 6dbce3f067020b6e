/** Choice of a stack and of a deployment in it, for commands that ask the servers. */
import { Mistake } from "../cli/mistake";
import { readDeployments, type Deployed } from "./check/deployed";
import { StackNotFound, type Stacks } from "./stacks";

/** Name of the only stack. @param command Text of the remedy, e.g. "scripts/check". @throws Mistake where there is another number */
export async function onlyStack(stacks: Stacks, command: string): Promise<string> {
  const names = (await stacks.list()).map(({ name }) => name);
  if (names.length === 1) return names[0]!;
  throw new Mistake(
    names.length === 0
      ? "there is no stack: see pulumi stack init, or ./scripts/sandbox up"
      : `which stack? There are ${names.join(", ")}: ${command} STACK`,
  );
}

/**
 * Deployments of a stack, secrets included.
 *
 * @param name One of the components of the stack's program. @default all that there are
 * @throws Mistake for a stack that does not exist or has nothing to ask, and where no deployment has the name
 */
export async function deploymentsOf(
  stacks: Stacks,
  stack: string,
  name?: string,
): Promise<readonly Deployed[]> {
  const all = await read(stacks, stack);
  const found = all.filter((one) => name === undefined || one.name === name);
  if (found.length > 0) return found;
  const known = all.flatMap((one) => one.name ?? []);
  throw new Mistake(
    `stack ${stack} has no deployment ${name}: ${known.length > 0 ? `there are ${known.join(", ")}` : "it is one itself"}`,
  );
}

/**
 * The one deployment of a stack, for commands that change its server.
 *
 * @throws Mistake for a pool, whose servers come and go by the setting servers
 */
export async function singleDeployment(
  stacks: Stacks,
  stack: string,
  name?: string,
): Promise<readonly Deployed[]> {
  const found = await deploymentsOf(stacks, stack, name);
  if (found.some(({ hosts }) => hosts.bbb.request.pool === true)) {
    throw new Mistake(
      `stack ${stack} is a pool, which this command does not know: its servers come and go by the setting servers (docs/pool.md)`,
    );
  }
  return found;
}

async function read(stacks: Stacks, stack: string): Promise<Deployed[]> {
  try {
    return readDeployments(stack, await stacks.outputs(stack, { showSecrets: true }));
  } catch (error) {
    if (!(error instanceof StackNotFound)) throw error;
    const names = (await stacks.list()).map(({ name }) => name);
    const known = names.length > 0 ? `there are ${names.join(", ")}` : "there is none at all";
    throw new Mistake(`there is no stack ${stack}: ${known}`, { cause: error });
  }
}
