/** Recovery of a stack whose update was killed, so that the next update can go on. */
import type { CloudObject, Inventory } from "../inventory";
import { Failure } from "../../cli/mistake";
import { poolServers, useOf } from "../poolServers";
import { StackBusy, type Stacks } from "../stacks";
import { objectsOf } from "../testServers/survey";
import { foreignRecords, planOf, type Plan } from "./plan";
import type { PendingOperation, StackState } from "./state";

/** Environment of the command, which tests replace. */
export interface Recovery {
  readonly stacks: Stacks;
  readonly stack: string;
  readonly inventories: readonly Inventory[];
  /** Finds ids of the rules that were made, by URN. */
  readonly findRules: (pending: readonly PendingOperation[]) => Promise<ReadonlyMap<string, string>>;
  /** Earlier state whose pending operations count instead of those on record. */
  readonly from?: StackState;
  /** Saves the present state. @returns the place */
  readonly backUp: (state: StackState) => string;
  /** Asks for consent to a plan. */
  readonly confirm: (plan: Plan) => Promise<boolean>;
  /** Removes objects that no state has. */
  readonly remove: boolean;
  /** Finds the servers of a pool. @default those of the stack's outputs */
  readonly pool?: typeof poolServers;
  readonly say: (line: string) => void;
}

/**
 * Settles each interrupted operation in the state: adopts what it made, forgets the rest. It does all or nothing, and
 * looks only at objects with the stack's labels.
 *
 * @returns false when an object remains that no state has
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

/** Names of a pool's servers among the strays on which something runs, by their own account. */
async function poolServersInUse(
  { stacks, stack, say, pool = poolServers }: Recovery,
  strays: readonly CloudObject[],
): Promise<readonly string[]> {
  if (!strays.some(({ type }) => type === "server")) return [];
  const found: string[] = [];
  for (const server of pool(stack, await stacks.outputs(stack, { showSecrets: true })) ?? []) {
    if (!strays.some(({ type, name }) => type === "server" && name === server.fqdn)) continue;
    const { running } = await useOf([server]);
    for (const line of running) say(`server stays, with its addresses: ${line}`);
    if (running.length > 0) found.push(server.fqdn);
  }
  return found;
}

function withPending(state: StackState, { deployment }: StackState): StackState {
  const { pending_operations } = deployment;
  return { ...state, deployment: { ...state.deployment, pending_operations } };
}

/** Removes strays. A volume and a Storage Box are named, never removed: they may hold data without a copy. */
async function removeStrays(recovery: Recovery, { strays }: Plan): Promise<boolean> {
  const { inventories, remove, say } = recovery;
  if (!remove) return strays.length === 0;
  const inUse = await poolServersInUse(recovery, strays);
  const going = strays.filter(
    ({ type, name }) =>
      type !== "volume" && type !== "storage-box" && !inUse.some((fqdn) => name.includes(fqdn)),
  );
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
