import * as pulumi from "@pulumi/pulumi";

import { partOfNode, partOfTurn, renderAlerts, type AlertWays, type PoolPart } from "../bigbluebutton/alerts";
import type { BalancerRequest, HostRequest, SharedTurnRequest } from "../bigbluebutton/verification";
import type { Step } from "../steps/hostSteps";
import type { Balancer, ProvenNode } from "./balancer";
import type { BbbServer } from "./bbbServer";
import type { TurnServer } from "./turnServer";
import type { VerifiedServers } from "./verification";

/** Request of a host, and the step after which it is right. */
interface AskedHost {
  readonly request: pulumi.Output<HostRequest | SharedTurnRequest | BalancerRequest>;
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

/** Adds the timer to each host of a pool. */
export function setUpPoolAlerts(ways: pulumi.Output<AlertWays>, { balancer, nodes, turn }: PoolHosts): void {
  add(balancer, balancer.verified!, ways, {}, pulumi.output({ omit: [] }));
  const watched = balancer.host.ipv4.apply((ipv4) => ({ host: balancer.host.fqdn, ipv4 }));
  nodes.forEach(({ bbb, verification }, i) => {
    const part = watched.apply((watched) =>
      partOfNode({
        first: i === 0,
        ownCertificate: balancer.certificate.kind === "own",
        ...(!turn && { balancer: watched }),
      }),
    );
    add(bbb, verification.hosts.bbb, ways, {}, part);
  });
  const turnHost = nodes[0]?.verification.hosts.turn;
  if (turn && turnHost) add(turn, turnHost, ways, {}, watched.apply(partOfTurn));
}

/** Hosts of a pool. */
export interface PoolHosts {
  readonly balancer: Balancer;
  readonly nodes: readonly ProvenNode[];
  /** TURN server; undefined if it is another stack's. */
  readonly turn?: TurnServer;
}

function add(
  server: BbbServer | TurnServer | Balancer,
  { request, step }: AskedHost,
  ways: pulumi.Output<AlertWays>,
  more: Pick<HostRequest, "backup">,
  part?: pulumi.Output<PoolPart>,
): void {
  const flags = { server: server.host.server.id };
  server.steps.run(
    "alerts",
    {
      script: "alerts.sh",
      flags,
      stdin: pulumi
        .all([ways, request, part])
        .apply(([ways, request, part]) =>
          renderAlerts({ ...(request as HostRequest), ...more }, ways as AlertWays, part),
        ),
      // Whatever an update did, the host's own check goes by it from now on.
      rerunsWith: [step],
      removal: { ...flags, remove: true },
    },
    server,
  );
}
