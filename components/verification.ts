import * as pulumi from "@pulumi/pulumi";

import { coturnPaths } from "../bigbluebutton/coturn";
import {
  certificateSeen,
  renderHostRequest,
  type BbbRequest,
  type CertificateOutput,
  type CheckOutput,
  type HostAccess,
  type HostRequest,
  type TurnRequest,
} from "../bigbluebutton/verification";
import type { Settings } from "../config";
import type { BbbServer } from "./bbbServer";
import type { Host, Role } from "./host";
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
  /** By name, as of the last update: until when, and by whom. */
  readonly certificates: pulumi.Output<Readonly<Record<string, CertificateOutput>>>;
  private readonly proofs: readonly pulumi.Resource[];

  constructor(name: string, args: VerificationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bbb:index:Verification", name, {}, opts);
    const { bbb, turn } = args;
    const follows = [...bbb.steps.all, ...turn.steps.all];
    const verify = (steps: HostSteps, title: string, stdin: pulumi.Output<string>) =>
      steps.run("verify", { title, script: "verify.sh", stdin, follows }, this);
    const requests = { bbb: bbbRequest(args), turn: turnRequest(args) };
    const fromBbb = verify(bbb.steps, "Verify the deployment", requests.bbb.apply(renderHostRequest));
    const fromTurn = verify(
      turn.steps,
      "Verify BigBlueButton from here",
      requests.turn.apply(renderHostRequest),
    );
    this.check = pulumi.secret(
      pulumi
        .all([access(bbb.host, requests.bbb), access(turn.host, requests.turn)])
        .apply(([bbb, turn]) => ({ bbb, turn })),
    );
    this.certificates = certificates(args, { bbb: fromBbb.command.stdout, turn: fromTurn.command.stdout });
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

function access<Request extends HostRequest>(
  { connection }: Host,
  request: pulumi.Output<Request>,
): pulumi.Output<HostAccess<Request>> {
  const login = pulumi.output(connection).apply(({ host, user = "root", hostKey = "" }) => ({
    host,
    user,
    hostKey,
  }));
  return login.apply((login) => request.apply((request) => ({ ...login, request })));
}

/** The operator's own are known; what an authority issued was seen by the verification. */
function certificates(
  { bbb, turn, settings }: VerificationArgs,
  printed: Readonly<Record<Role, pulumi.Output<string>>>,
): Verification["certificates"] {
  const known = ({ role, fqdn }: Host) => {
    const own = settings.ownCertificates?.[role];
    // What it printed is closed as a whole; these two are shown to every client.
    return own
      ? pulumi.output({ validUntil: own.validUntil.toISOString(), issuedBy: own.issuedBy })
      : pulumi.unsecret(printed[role].apply((text) => certificateSeen(text ?? "", fqdn)));
  };
  return pulumi.all([bbb.host, turn.host].map((host) => known(host))).apply((found) => {
    const named = [bbb.host.fqdn, turn.host.fqdn].map((fqdn, i) => [fqdn, found[i]] as const);
    return Object.fromEntries(named.flatMap(([fqdn, one]) => (one ? [[fqdn, one] as const] : [])));
  });
}

function common({ bbb, turn, settings }: VerificationArgs) {
  const own = settings.ownCertificates;
  return {
    zone: settings.domain,
    bbbHost: bbb.host.fqdn,
    turnHost: turn.host.fqdn,
    untrustedCa: !(own?.bbb ?? settings.acme).trustedByBrowsers,
    untrustedTurnCa: !(own?.turn ?? settings.acme).trustedByBrowsers,
    ownCertificates: (["bbb", "turn"] as const).filter((role) => own?.[role]),
    turnSecret: turn.secret,
  };
}

function bbbRequest(args: VerificationArgs): pulumi.Output<BbbRequest> {
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

function turnRequest(args: VerificationArgs): pulumi.Output<TurnRequest> {
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
