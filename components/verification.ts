import * as pulumi from "@pulumi/pulumi";

import type { Settings } from "../config";
import type { BbbServer } from "./bbbServer";
import type { TurnServer } from "./turnServer";

/** Arguments of a {@link Verification}. */
export interface VerificationArgs {
  readonly bbb: BbbServer;
  readonly turn: TurnServer;
  readonly settings: Settings;
}

/**
 * The proof that a deployment works: each host checks the other over the public addresses, after every change of
 * either. Its failure is the update's.
 */
export class Verification extends pulumi.ComponentResource {
  private readonly proofs: readonly pulumi.Resource[];

  constructor(name: string, args: VerificationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bbb:index:Verification", name, {}, opts);
    const { bbb, turn, settings } = args;
    const follows = [...bbb.steps.all, ...turn.steps.all];
    const untrusted = { "untrusted-ca": !settings.acme.trustedByBrowsers };

    const fromBbb = bbb.steps.run(
      "verify",
      {
        title: "Verify the deployment",
        script: "verify-bbb.sh",
        flags: { hostname: bbb.host.fqdn, "turn-host": turn.host.fqdn, ipv4: bbb.host.ipv4, ...untrusted },
        stdin: pulumi.interpolate`${bbb.sharedSecret}\n${turn.secret}\n`,
        follows,
      },
      this,
    );
    const fromTurn = turn.steps.run(
      "verify",
      {
        title: "Verify BigBlueButton from here",
        script: "verify-turn.sh",
        flags: { "bbb-host": bbb.host.fqdn, hostname: turn.host.fqdn, ...untrusted },
        stdin: pulumi.interpolate`${turn.secret}\n`,
        follows,
      },
      this,
    );
    this.proofs = [fromBbb.command, fromTurn.command];

    this.registerOutputs({});
  }

  /** The same value, but not before the deployment is proven to work. */
  proves<T>(value: pulumi.Input<T>): pulumi.Output<pulumi.Unwrap<T>> {
    return pulumi
      .output(value)
      .apply((known) => pulumi.output(this.proofs.map(({ urn }) => urn)).apply(() => known));
  }
}
