/** Power of an instance. */
import type { Instance } from "@aws-sdk/client-ec2";

import type { Context } from "../../driver";
import { session } from "./client";
import { isCode, unlessGone } from "./errors";
import { persisting, waitFor } from "./waiting";

/** States that pass by themselves. */
export const IN_TRANSIT = ["pending", "stopping", "shutting-down"];

export async function readInstance(id: string, context: Context): Promise<Instance | undefined> {
  const { ec2 } = await session(context);
  const answer = await unlessGone(() => ec2.describeInstances({ InstanceIds: [id] }));
  return answer?.Reservations?.[0]?.Instances?.[0];
}

export async function awaitState(
  id: string,
  doing: string,
  until: readonly string[],
  through: readonly string[],
  minutes: number,
  context: Context,
): Promise<void> {
  let reason = "";
  try {
    await waitFor({ what: `EC2 Instance (${id}) ${doing}`, until, through, minutes }, context, async () => {
      const found = await readInstance(id, context);
      reason = found?.StateReason?.Message ?? "";
      // an hour after its end, it is not even called terminated any more
      return found?.State?.Name ?? (until.includes("terminated") ? "terminated" : undefined);
    });
  } catch (error) {
    // why it ended on the way: no capacity, a disk's key that cannot be used
    if (reason !== "" && error instanceof Error) error.message += `: ${reason}`;
    throw error;
  }
}

export function awaitRunning(id: string, doing: string, context: Context): Promise<void> {
  return awaitState(id, doing, ["running"], ["pending", "stopped"], 10, context);
}

/** Stops an instance in good order, and waits for it. */
export async function stop(id: string, context: Context): Promise<void> {
  const { ec2 } = await session(context);
  // while it is still starting
  const early = (error: unknown) => isCode(error, "IncorrectInstanceState");
  await persisting(5, context, early, () => ec2.stopInstances({ InstanceIds: [id] }));
  await awaitState(id, "stop", ["stopped"], ["pending", "running", "shutting-down", "stopping"], 10, context);
}
