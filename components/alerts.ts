import type * as pulumi from "@pulumi/pulumi";

import { renderAlerts, type AlertWays } from "../bigbluebutton/alerts";
import type { HostRequest, SharedTurnRequest } from "../bigbluebutton/verification";
import type { Step } from "../steps/hostSteps";
import type { BbbServer } from "./bbbServer";
import type { TurnServer } from "./turnServer";
import type { VerifiedServers } from "./verification";

/** Request of a host, and the step after which it is right. */
interface AskedHost {
  readonly request: pulumi.Output<HostRequest | SharedTurnRequest>;
  readonly step: Step;
}

/**
 * Adds the last step of each host: the timer that tells of faults. Its removal from the program ends the timer.
 *
 * @param watched `backup` when the BigBlueButton server is backed up.
 */
export function setUpAlerts(
  ways: pulumi.Output<AlertWays>,
  { bbb, turn, verification }: VerifiedServers,
  { backup }: { readonly backup: boolean },
): void {
  add(bbb, verification.hosts.bbb, ways, backup ? { backup } : {});
  if (turn && verification.hosts.turn) add(turn, verification.hosts.turn, ways, {});
}

/** Adds the timer to a TURN server that is shared, as its last step. */
export function setUpSharedTurnAlerts(
  ways: pulumi.Output<AlertWays>,
  turn: TurnServer,
  request: pulumi.Output<SharedTurnRequest>,
): void {
  add(turn, { request, step: turn.configured }, ways, {});
}

function add(
  server: BbbServer | TurnServer,
  { request, step }: AskedHost,
  ways: pulumi.Output<AlertWays>,
  more: Pick<HostRequest, "backup">,
): void {
  const flags = { server: server.host.server.id };
  server.steps.run(
    "alerts",
    {
      script: "alerts.sh",
      flags,
      stdin: ways.apply((ways) => request.apply((request) => renderAlerts({ ...request, ...more }, ways))),
      // Whatever an update did, the host's own check goes by it from now on.
      rerunsWith: [step],
      removal: { ...flags, remove: true },
    },
    server,
  );
}
