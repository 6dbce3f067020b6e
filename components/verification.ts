import * as pulumi from "@pulumi/pulumi";

import { coturnPaths } from "../bigbluebutton/coturn";
import {
  renderHostRequest,
  type CheckOutput,
  type HostAccess,
  type HostRequest,
} from "../bigbluebutton/verification";
import type { Settings } from "../config";
import type { BbbServer } from "./bbbServer";
import type { Host } from "./host";
import type { HostSteps } from "./remote";
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
  /** How to have both hosts verified again, by scripts/check; secret. */
  readonly check: pulumi.Output<CheckOutput>;
  private readonly proofs: readonly pulumi.Resource[];

  constructor(name: string, args: VerificationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bbb:index:Verification", name, {}, opts);
    const { bbb, turn } = args;
    const follows = [...bbb.steps.all, ...turn.steps.all];
    const verify = (steps: HostSteps, title: string, request: pulumi.Output<HostRequest>) =>
      steps.run(
        "verify",
        { title, script: "verify.sh", stdin: request.apply(renderHostRequest), follows },
        this,
      );
    const requests = { bbb: bbbRequest(args), turn: turnRequest(args) };
    const fromBbb = verify(bbb.steps, "Verify the deployment", requests.bbb);
    const fromTurn = verify(turn.steps, "Verify BigBlueButton from here", requests.turn);
    this.check = pulumi.secret({
      bbb: access(bbb.host, requests.bbb),
      turn: access(turn.host, requests.turn),
    });
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

function access({ connection }: Host, request: pulumi.Output<HostRequest>): pulumi.Output<HostAccess> {
  return pulumi
    .all([connection, request])
    .apply(([{ host, user = "root", hostKey = "" }, request]) => ({ host, user, hostKey, request }));
}

function common({ bbb, turn, settings }: VerificationArgs) {
  return {
    zone: settings.domain,
    bbbHost: bbb.host.fqdn,
    turnHost: turn.host.fqdn,
    untrustedCa: !settings.acme.trustedByBrowsers,
    turnSecret: turn.secret,
  };
}

function bbbRequest(args: VerificationArgs): pulumi.Output<HostRequest> {
  const { bbb, settings } = args;
  const { release } = settings;
  return pulumi.output({
    role: "bbb" as const,
    ...common(args),
    ipv4: bbb.host.ipv4,
    privateIpv4: bbb.host.privateIpv4,
    release: release.name,
    version: release.version,
    recordings: bbb.host.dataDevice !== undefined,
    sharedSecret: bbb.sharedSecret,
    turnXml: { path: release.turnXml.path, text: bbb.turnXml },
  });
}

function turnRequest(args: VerificationArgs): pulumi.Output<HostRequest> {
  const { bbb, turn } = args;
  return pulumi.output({
    role: "turn" as const,
    ...common(args),
    ipv4: turn.host.ipv4,
    ipv6: turn.host.ipv6,
    bbbIpv4: bbb.host.ipv4,
    turnServerConf: { path: coturnPaths.config, text: turn.conf },
  });
}
