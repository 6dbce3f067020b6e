import type { BalancerRequest, HostRequest, SharedTurnRequest } from "./verification";

/** Forms of a webhook's message; scripts/host/alert_messages.py renders them. */
export const WEBHOOK_FORMS = ["slack", "matrix", "ntfy", "json"] as const;

/** Ways to tell somebody of a fault. They hold secrets. */
export interface AlertWays {
  readonly email?: {
    readonly to: readonly string[];
    readonly from: string;
    readonly server: string;
    readonly port: number;
    readonly user?: string;
    readonly password?: string;
  };
  readonly webhook?: { readonly url: string; readonly form: (typeof WEBHOOK_FORMS)[number] };
  /** URL that the BigBlueButton server asks after each round; in a pool its balancer. */
  readonly healthcheckUrl?: string;
  /** URL that the TURN server asks after each round. */
  readonly turnHealthcheckUrl?: string;
}

/** Part of a pool's host in the alerts of all: what concerns many hosts, one of them tells. */
export interface PoolPart {
  /** Checks that another host makes. */
  readonly omit: readonly string[];
  /** Balancer, for the host that looks whether it is alive. */
  readonly balancer?: { readonly host: string; readonly ipv4: string };
}

/** Checks of a server that are about the TURN server; "TURN" stands for all ways through it. */
const OF_TURN = ["other host", "TURN"] as const;

/** Check of each server whether its recordings come to the balancer, which itself tells of each server whose do not. */
const OF_BALANCER = "recordings' way";

/**
 * Part of a server of a pool: the first one alone tells of the TURN server, and the balancer of recordings on their way
 * and of a certificate that is all hosts'.
 */
export function partOfNode({
  first,
  ownCertificate,
  balancer,
}: {
  readonly first: boolean;
  readonly ownCertificate: boolean;
  /** Balancer, where no TURN server of this deployment looks after it. */
  readonly balancer?: PoolPart["balancer"];
}): PoolPart {
  return {
    omit: [OF_BALANCER, ...(first ? [] : OF_TURN), ...(ownCertificate ? ["certificate"] : [])],
    ...(first && balancer && { balancer }),
  };
}

/** Part of a pool's TURN server: the balancer tells whether a server is alive, and this one whether the balancer is. */
export function partOfTurn(balancer: NonNullable<PoolPart["balancer"]>): PoolPart {
  return { omit: ["other host"], balancer };
}

/**
 * Renders a host's settings for its alerts, the one line of JSON that scripts/host/alerts.sh reads. It holds secrets.
 *
 * A TURN server that is shared is alone in its settings, so `healthcheckUrl` is its own. A pool's servers have none: its
 * balancer looks after them.
 */
export function renderAlerts(
  request: HostRequest | SharedTurnRequest | BalancerRequest,
  ways: AlertWays,
  part?: PoolPart,
): string {
  const { role } = request;
  const { healthcheckUrl, turnHealthcheckUrl, ...both } = ways;
  const ofPair = role === "turn" && "bbbHost" in request;
  const ofMany = role === "bbb" && request.pool === true;
  const url = ofPair ? turnHealthcheckUrl : ofMany ? undefined : healthcheckUrl;
  const alerts = { ...both, ...(url !== undefined && { healthcheckUrl: url }) };
  const host = role === "turn" ? request.turnHost : request.bbbHost;
  const asked = { ...request, ...(part?.balancer && { balancer: part.balancer }) };
  return `${JSON.stringify({ role, host, alerts, request: asked, ...(part && { omit: part.omit }) })}\n`;
}
