/** Choice of a stack and of a deployment in it, for commands that ask the servers. */
import { Mistake } from "../cli/mistake";
import { isPool, readDeployments, readPool, type Deployed, type DeployedPool } from "./check/deployed";
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
 * @throws Mistake for a stack that does not exist or has nothing to ask, for a pool, and where no deployment has the name
 */
export async function deploymentsOf(
  stacks: Stacks,
  stack: string,
  name?: string,
): Promise<readonly Deployed[]> {
  const outputs = await outputsOf(stacks, stack);
  if (isPool(outputs)) {
    throw new Mistake(
      `stack ${stack} is a pool, which this command does not know: its servers come and go by the setting servers (docs/pool.md)`,
    );
  }
  const all = readDeployments(stack, outputs);
  const found = all.filter((one) => name === undefined || one.name === name);
  if (found.length > 0) return found;
  const known = all.flatMap((one) => one.name ?? []);
  throw new Mistake(
    `stack ${stack} has no deployment ${name}: ${known.length > 0 ? `there are ${known.join(", ")}` : "it is one itself"}`,
  );
}

/** The pool of a stack, secrets included; undefined for a stack of another kind. @throws Mistake for a stack that does not exist */
export async function poolOf(stacks: Stacks, stack: string): Promise<DeployedPool | undefined> {
  const outputs = await outputsOf(stacks, stack);
  return isPool(outputs) ? readPool(stack, outputs) : undefined;
}

async function outputsOf(stacks: Stacks, stack: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await stacks.outputs(stack, { showSecrets: true });
  } catch (error) {
    if (!(error instanceof StackNotFound)) throw error;
    const names = (await stacks.list()).map(({ name }) => name);
    const known = names.length > 0 ? `there are ${names.join(", ")}` : "there is none at all";
    throw new Mistake(`there is no stack ${stack}: ${known}`, { cause: error });
  }
}
