/** Brings a stack whose update was killed to where the next update goes on. */
import type { Inventory } from "../inventory";
import { Failure } from "../../cli/mistake";
import { StackBusy, type Stacks } from "../stacks";
import { objectsOf } from "../testServers/survey";
import { foreignRecords, planOf, type Plan } from "./plan";
import type { PendingOperation, StackState } from "./state";

/** What the command works on, so that tests can give it another. */
export interface Recovery {
  readonly stacks: Stacks;
  readonly stack: string;
  readonly inventories: readonly Inventory[];
  /** Ids of the rules that were made, by their URNs. */
  readonly findRules: (pending: readonly PendingOperation[]) => Promise<ReadonlyMap<string, string>>;
  /** A state as it was, whose pending operations count instead of those on record. */
  readonly from?: StackState;
  /** Keep the state as it was. @returns where */
  readonly backUp: (state: StackState) => string;
  /** Whether to go on with what is to be done. */
  readonly confirm: (plan: Plan) => Promise<boolean>;
  /** Remove what no state knows. */
  readonly remove: boolean;
  readonly say: (line: string) => void;
}

/**
 * Each operation that was cut off is settled in the state: what it made is taken in, the rest is forgotten. All of it or
 * nothing; only what bears the stack's labels is looked at.
 *
 * @returns false where something that no state knows is still there
 */
export async function recover(recovery: Recovery): Promise<boolean> {
  const { stacks, stack, say } = recovery;
  if ((await stacks.list()).some(({ name, updating }) => name === stack && updating))
    throw new StackBusy(stack);
  const exported = await stacks.exportState(stack);
  const before = recovery.from === undefined ? exported : withPending(exported, recovery.from);
  const listed = await Promise.all(recovery.inventories.map(({ list }) => list(stacks.project)));
  const pending = before.deployment.pending_operations ?? [];
  const plan = planOf(before, objectsOf(stack, listed.flat()), await recovery.findRules(pending));
  if (plan.remedies.length === 0 && plan.strays.length === 0) {
    say(`no operation of ${stack} is pending, and its state has all that bears its labels: nothing to do`);
    return true;
  }
  if (!(await recovery.confirm(plan))) return false;
  if (plan.remedies.length > 0) await settle(recovery, before, plan);
  return removeStrays(recovery, plan);
}

async function settle(
  { stacks, stack, backUp, say }: Recovery,
  before: StackState,
  plan: Plan,
): Promise<void> {
  const backup = backUp(before);
  say(`the state as it was is in ${backup}`);
  try {
    await stacks.importState(stack, plan.state, plan.urns);
    const foreign = foreignRecords(before, await stacks.exportState(stack));
    if (foreign.length > 0) {
      throw new Failure(
        `${foreign.join(", ")}: there is such a record, but it does not say what this stack asked for, so it is somebody ` +
          `else's: remove it where it is made, or take another hostname`,
      );
    }
  } catch (error) {
    // An import never takes pending operations.
    await stacks.importState(stack, before, []);
    throw new Failure(
      `${(error as Error).message}. Nothing of it is in the state. Once that is mended: ` +
        `./scripts/recover ${stack} --from ${backup}, which has the operations that were pending`,
      { cause: error },
    );
  }
  for (const { name, what, id } of plan.remedies) {
    if (what === "adopt") say(`${name}: taken into the state as ${id}`);
  }
}

function withPending(state: StackState, { deployment }: StackState): StackState {
  const { pending_operations } = deployment;
  return { ...state, deployment: { ...state.deployment, pending_operations } };
}

/** A volume may hold what nobody has a copy of: it is named, never removed. */
async function removeStrays({ inventories, remove, say }: Recovery, { strays }: Plan): Promise<boolean> {
  if (!remove) return strays.length === 0;
  const going = strays.filter(({ type }) => type !== "volume");
  let left = strays.length - going.length;
  for (const inventory of inventories) {
    const own = going.filter(({ cloud, region }) => cloud === inventory.cloud && region === inventory.region);
    for (const { object, problem } of own.length > 0 ? await inventory.remove(own) : []) {
      if (problem !== undefined) left += 1;
      say(`${object.type} ${object.name} ${problem === undefined ? "removed" : `stays: ${problem}`}`);
    }
  }
  return left === 0;
}
