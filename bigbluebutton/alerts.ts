import type { HostRequest, SharedTurnRequest } from "./verification";

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
  /** URL that the BigBlueButton server asks after each round. */
  readonly healthcheckUrl?: string;
  /** URL that the TURN server asks after each round. */
  readonly turnHealthcheckUrl?: string;
}

/**
 * Renders a host's settings for its alerts, the one line of JSON that scripts/host/alerts.sh reads. It holds secrets.
 *
 * A TURN server that is shared is alone in its settings, so `healthcheckUrl` is its own.
 */
export function renderAlerts(request: HostRequest | SharedTurnRequest, ways: AlertWays): string {
  const { role, turnHost } = request;
  const { healthcheckUrl, turnHealthcheckUrl, ...both } = ways;
  const ofPair = role === "turn" && "bbbHost" in request;
  const url = ofPair ? turnHealthcheckUrl : healthcheckUrl;
  const alerts = { ...both, ...(url !== undefined && { healthcheckUrl: url }) };
  return `${JSON.stringify({ role, host: role === "bbb" ? request.bbbHost : turnHost, alerts, request })}\n`;
}
