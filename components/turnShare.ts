import * as pulumi from "@pulumi/pulumi";

import type { TurnService } from "./turnServer";
import type { TurnUsers } from "./turnUsers";

/** A TURN server of this program that other deployments may use. */
export interface TurnShare {
  /** Undefined in a preview in which it is not known yet. */
  readonly service: Promise<TurnService | undefined>;
  /** Missing where others are told of it by hand. */
  readonly users?: TurnUsers;
}

/** Name and secret of a TURN server, whoever makes it. */
export interface TurnOutputs {
  /** Fully qualified, e.g. "turn.example.org". */
  readonly turnHost: pulumi.Input<string>;
  /** The secret that its clients' credentials are made from. */
  readonly turnSecret: pulumi.Input<string>;
}

const shares = new WeakMap<TurnOutputs, TurnShare>();

/** Has a component's TURN server be found by {@link shareOf}. */
export function offerTurn(component: TurnOutputs, share: TurnShare): void {
  shares.set(component, share);
}

/** The TURN server that an argument `turn` means. Whom a stranger's relays to, its own program or administrator says. */
export function shareOf(turn: TurnOutputs): TurnShare {
  return shares.get(turn) ?? { service: strangers(turn) };
}

async function strangers({ turnHost, turnSecret }: TurnOutputs): Promise<TurnService | undefined> {
  const host = pulumi.output(turnHost) as unknown as {
    isKnown: Promise<boolean>;
    promise(): Promise<string>;
  };
  if (!(await host.isKnown)) return undefined;
  return { fqdn: await host.promise(), secret: pulumi.secret(turnSecret), ready: [] };
}
