import * as pulumi from "@pulumi/pulumi";

import type { TurnService } from "./turnServer";
import type { TurnUsers } from "./turnUsers";

/** TURN server of this program that other deployments may use. */
export interface TurnShare {
  /** Service; undefined in a preview that does not know it yet. */
  readonly service: Promise<TurnService | undefined>;
  /** Deployments that use it; undefined for a TURN server whose own administrator adds them. */
  readonly users?: TurnUsers;
}

/** Name and secret of a TURN server, made by any program. */
export interface TurnOutputs {
  /** Fully qualified name, e.g. "turn.example.org". */
  readonly turnHost: pulumi.Input<string>;
  /** Secret from which its clients' credentials are made. */
  readonly turnSecret: pulumi.Input<string>;
}

const shares = new WeakMap<TurnOutputs, TurnShare>();

/** Registers a component's TURN server for {@link shareOf}. */
export function offerTurn(component: TurnOutputs, share: TurnShare): void {
  shares.set(component, share);
}

/**
 * TURN server that an argument `turn` means. The peers of one from elsewhere are its own program's or administrator's
 * affair.
 */
export function shareOf(turn: TurnOutputs): TurnShare {
  return shares.get(turn) ?? { service: serviceElsewhere(turn) };
}

async function serviceElsewhere({ turnHost, turnSecret }: TurnOutputs): Promise<TurnService | undefined> {
  const host = pulumi.output(turnHost) as unknown as {
    isKnown: Promise<boolean>;
    promise(): Promise<string>;
  };
  if (!(await host.isKnown)) return undefined;
  return { fqdn: await host.promise(), secret: pulumi.secret(turnSecret), dependsOn: [] };
}
