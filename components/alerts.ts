import type * as pulumi from "@pulumi/pulumi";

import { renderAlerts, type AlertWays } from "../bigbluebutton/alerts";
import type { HostRequest, SharedTurnRequest } from "../bigbluebutton/verification";
import type { Step } from "../steps/hostSteps";
import type { BbbServer } from "./bbbServer";
import type { TurnServer } from "./turnServer";
import type { Verification } from "./verification";

/** Servers of a deployment that tell of faults. */
export interface AlertingServers {
  readonly bbb: BbbServer;
  /** TURN server of this deployment; another one's tells by itself. */
  readonly turn?: TurnServer;
  readonly verification: Verification;
  /** True when the BigBlueButton server is backed up: then that is watched also. */
  readonly backup: boolean;
}

/** Request of a host, and the step after which it is right. */
interface AskedHost {
  readonly request: pulumi.Output<HostRequest | SharedTurnRequest>;
  readonly step: Step;
}

/** Adds the last step of each host: the timer that tells of faults. Its removal from the program ends the timer. */
export function setUpAlerts(ways: pulumi.Output<AlertWays>, servers: AlertingServers): void {
  const { bbb, turn, verification, backup } = servers;
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
