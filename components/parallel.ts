import * as pulumi from "@pulumi/pulumi";

/** Operations that an update of a pool needs beside those of servers that wait: the steps of the one at work, and the other hosts'. */
const AT_WORK = 4;

/**
 * Warns where an update may do fewer operations at once than a pool needs. A server that waits for its turn has one all the time:
 * with all of them taken the server at work could not go on, and the wait would end with an error after hours.
 *
 * @param parallel The update's `--parallel`, as Pulumi tells its programs; not positive or not a number where it is not bounded.
 */
export function warnOfFewOperations(
  nodes: number,
  parallel = Number(process.env.PULUMI_NODEJS_PARALLEL),
): void {
  if (!(parallel > 0) || parallel >= nodes + AT_WORK) return;
  void pulumi.log.warn(
    `this update does ${parallel} operations at once, too few for ${nodes} servers that may wait for each other: ` +
      `pulumi up --parallel ${2 * (nodes + AT_WORK)}`,
  );
}
