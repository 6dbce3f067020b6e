import * as pulumi from "@pulumi/pulumi";

import { renderBrandingDocument } from "../bigbluebutton/brandingSite";
import { CERTIFICATE_DAYS } from "../bigbluebutton/certificateDays";
import { coturnPaths } from "../bigbluebutton/coturn";
import type { MetricsRequest } from "../bigbluebutton/metrics";
import { MEDIA_PORTS, type PortRule } from "../bigbluebutton/ports";
import { askableServices } from "../bigbluebutton/services";
import {
  certificateSeen,
  renderHostRequest,
  verificationPage,
  type BalancerRequest,
  type BbbRequest,
  type CertificateOutput,
  type CheckOutput,
  type HostCheck,
  type HostRequest,
  type TurnRequest,
} from "../bigbluebutton/verification";
import type { Settings } from "../settings";
import type { BbbServer } from "./bbbServer";
import type { Host, PairRole } from "../clouds/host";
import { hostSettings } from "../clouds/hostArgs";
import { named } from "../clouds/names";
import type { HostSteps, Step } from "../steps/hostSteps";
import { stepOf } from "../steps/table";
import { pageWidth, terminalColumns } from "./terminal";
import { onceMade } from "./later";
import type { TurnServer, TurnService } from "./turnServer";

/** Arguments of a {@link Verification}. */
export interface VerificationArgs {
  readonly bbb: BbbServer;
  readonly turn: TurnService;
  /** TURN server of this stack. Another stack's host is used, but not asked. */
  readonly ownTurn?: TurnServer;
  readonly settings: Pick<
    Settings,
    | "labels"
    | "domain"
    | "release"
    | "bbb"
    | "turn"
    | "acme"
    | "greenlight"
    | "alerts"
    | "backup"
    | "branding"
    | "pool"
  >;
  /** Name of the node in a pool, for the names of hooks. @default a single server */
  readonly hooksOf?: string;
  /** Request about the metrics of the host of a role, if the hosts have any; secret. */
  readonly metrics?: (role: PairRole) => pulumi.Output<MetricsRequest>;
}

/** Servers of a deployment that are proven to work. */
export interface VerifiedServers {
  readonly bbb: BbbServer;
  /** TURN server of this deployment; another one's is that one's affair. */
  readonly turn?: TurnServer;
  readonly verification: Verification;
}

/** Request of a host, and the step that made it. */
export interface VerifiedHost {
  readonly request: pulumi.Output<HostRequest>;
  readonly step: Step;
}

/**
 * Verification that a deployment works: each host checks the other over the public addresses, after every change of
 * either. Its failure is the update's.
 */
export class Verification extends pulumi.ComponentResource {
  /** Access and requests for another verification of both hosts, by scripts/check; secret. */
  readonly check: pulumi.Output<CheckOutput>;
  /** Certificates by name, at the last update: end and issuer. */
  readonly certificates: pulumi.Output<Readonly<Record<string, CertificateOutput>>>;
  /** Requests to the hosts, with the steps that made them. */
  readonly hosts: { readonly bbb: VerifiedHost; readonly turn?: VerifiedHost };
  private readonly verified: readonly pulumi.Resource[];

  constructor(name: string, args: VerificationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bbb:index:Verification", name, {}, opts);
    const { bbb, ownTurn, settings } = args;
    // A server that was given another type was off, and in place of one that is new the other host has seen none yet.
    const triggers = hostsOf(args).flatMap(({ role, server }) => [
      hostSettings(settings, role).serverType,
      server.id,
    ]);
    const dependsOn = hostsOf(args).map(({ server }) => server);
    const rerunsWith = [...bbb.steps.all, ...(ownTurn?.steps.all ?? [])];
    const verify = (steps: HostSteps, title: string, stdin: pulumi.Output<string>) => {
      let begun = false;
      const beforeRun = new pulumi.ResourceHook(
        named(
          `${args.hooksOf ? `${args.hooksOf}-` : ""}begins-to-${title.toLowerCase().replaceAll(" ", "-")}`,
          settings.labels,
        ),
        () => {
          begun = true;
        },
      );
      const step = steps.run(
        "verify",
        { title, script: "verify.sh", stdin, triggers, rerunsWith, dependsOn, beforeRun },
        this,
      );
      // In a terminal only this stays, below "Diagnostics"; without a new run there is no news.
      step.command.stdout.apply((printed) => {
        if (begun)
          void pulumi.log.info(verificationPage(printed ?? "", pageWidth(terminalColumns())), step.command);
      });
      return step;
    };
    const requests = { bbb: bbbRequest(args), turn: ownTurn && turnRequest(args, ownTurn) };
    const fromBbb = verify(bbb.steps, stepOf("verify.sh").title, requests.bbb.apply(renderHostRequest));
    const fromTurn =
      ownTurn &&
      verify(ownTurn.steps, "Verify BigBlueButton from here", requests.turn!.apply(renderHostRequest));
    this.hosts = {
      bbb: { request: requests.bbb, step: fromBbb },
      ...(fromTurn && { turn: { request: requests.turn!, step: fromTurn } }),
    };
    // These are set up after the verification, whose own request knows nothing of them.
    const later = (role: PairRole) =>
      pulumi.output({
        ...(settings.alerts && { alerts: true }),
        ...(settings.backup && role === "bbb" && { backup: true }),
        ...(args.metrics && { metrics: args.metrics(role) }),
      });
    this.check = pulumi.secret(
      pulumi
        .all([
          access(bbb.host, requests.bbb, later("bbb")),
          ownTurn && access(ownTurn.host, requests.turn!, later("turn")),
        ])
        .apply(([bbb, turn]) => (turn ? { bbb, turn } : { bbb })),
    );
    this.certificates = certificates(args, { bbb: fromBbb.command.stdout, turn: fromTurn?.command.stdout });
    this.verified = [fromBbb.command, ...(fromTurn ? [fromTurn.command] : [])];

    this.registerOutputs({});
  }

  /** Returns the value once the deployment is verified to work. */
  onceVerified<T>(value: pulumi.Input<T>): pulumi.Output<pulumi.Unwrap<T>> {
    return onceMade(this.verified, value);
  }
}

/** Access to a host for scripts/check. @param more What was set up after the verification, which looked for none of it. */
export function access<Request extends HostRequest | BalancerRequest>(
  { connection }: Host,
  request: pulumi.Output<Request>,
  more: pulumi.Output<Pick<HostRequest, "alerts" | "backup" | "metrics">>,
): pulumi.Output<HostCheck<Request>> {
  const login = pulumi.output(connection).apply(({ host, user = "root", hostKey = "" }) => ({
    host,
    user,
    hostKey,
  }));
  return pulumi
    .all([login, request, more])
    .apply(([login, request, more]) => ({ ...login, request: { ...(request as Request), ...more } }));
}

function hostsOf({ bbb, ownTurn }: VerificationArgs): readonly Host[] {
  return [bbb.host, ...(ownTurn ? [ownTurn.host] : [])];
}

/** Certificates of both hosts. The operator's own are known; the verification saw an authority's. */
function certificates(
  args: VerificationArgs,
  printed: { readonly bbb: pulumi.Output<string>; readonly turn?: pulumi.Output<string> },
): Verification["certificates"] {
  const known = ({ role, fqdn }: Host) => {
    const { certificate } = hostSettings(args.settings, role);
    // What it printed is closed as a whole; these two are shown to every client.
    return certificate.kind === "own"
      ? pulumi.output({
          validUntil: certificate.validUntil.toISOString(),
          issuedBy: certificate.issuedBy,
        })
      : pulumi.unsecret(printed[role as PairRole]!.apply((text) => certificateSeen(text ?? "", fqdn)));
  };
  const hosts = hostsOf(args);
  return pulumi
    .all(hosts.map((host) => known(host)))
    .apply((found) =>
      Object.fromEntries(hosts.flatMap(({ fqdn }, i) => (found[i] ? [[fqdn, found[i]] as const] : []))),
    );
}

function common({ bbb, turn, ownTurn, settings }: VerificationArgs) {
  const { acme } = settings;
  const certificates = {
    bbb: settings.bbb.certificate,
    turn: ownTurn && hostSettings(settings, "turn").certificate,
  };
  return {
    zone: settings.domain,
    bbbHost: bbb.host.fqdn,
    turnHost: turn.fqdn,
    untrustedCa: !certificates.bbb.trustedByBrowsers,
    untrustedTurnCa: !(certificates.turn ?? acme).trustedByBrowsers,
    ownCertificates: (["bbb", "turn"] as const).filter((role) => certificates[role]?.kind === "own"),
    turnSecret: turn.secret,
    certificateDays: CERTIFICATE_DAYS,
    mediaPorts: MEDIA_PORTS,
    greenlight: settings.greenlight !== undefined,
    frontPageUrl: settings.branding?.landing?.kind === "redirect" ? settings.branding.landing.url : undefined,
  };
}

function bbbRequest(args: VerificationArgs): pulumi.Output<BbbRequest> {
  const { bbb, settings } = args;
  const { release } = settings;
  const { administrator } = bbb;
  return pulumi.output({
    role: "bbb" as const,
    ...common(args),
    ipv4: bbb.host.ipv4,
    privateIpv4: bbb.host.privateIpv4,
    release: release.name,
    version: release.version,
    services: askableServices(release),
    recordings: bbb.host.dataDevice !== undefined,
    sharedSecret: bbb.sharedSecret,
    ...(administrator && {
      greenlightAdmin: { email: administrator.email, password: administrator.password },
    }),
    turnXml: { path: release.turnXml.path, text: bbb.turnXml },
    ownedKeys: bbb.ownedKeys && JSON.stringify(bbb.ownedKeys),
    branding: settings.branding && renderBrandingDocument(settings.branding),
    dialIn: bbb.dialInCheck,
    turnStack: settings.turn.kind === "shared" ? settings.turn.stack : undefined,
    turnIpv4: args.ownTurn?.host.ipv4,
    ...(settings.pool && { pool: true as const }),
    openPorts: openPorts(release.ports.bbb),
  });
}

export function openPorts(rules: readonly PortRule[]): BbbRequest["openPorts"] {
  return rules.map(({ protocol, from, to }) => ({ protocol, from, to }));
}

function turnRequest(args: VerificationArgs, turn: TurnServer): pulumi.Output<TurnRequest> {
  const { bbb } = args;
  return pulumi.output({
    ...common(args),
    ...turnHostRequest(turn, args.settings),
    bbbIpv4: bbb.host.ipv4,
  });
}

/** Part of the request of a check on a TURN host that tells of the host itself, and of coturn on it. */
export function turnHostRequest(turn: TurnServer, { release }: Pick<Settings, "release">) {
  return {
    role: "turn" as const,
    ipv4: turn.host.ipv4,
    ipv6: turn.host.ipv6,
    turnServerConf: { path: coturnPaths.config, text: turn.conf },
    turnPeers: turn.peers,
    openPorts: openPorts(release.ports.turn),
  };
}
