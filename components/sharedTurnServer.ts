import * as pulumi from "@pulumi/pulumi";

import { CERTIFICATE_DAYS } from "../bigbluebutton/certificateDays";
import { turnUrls } from "../bigbluebutton/turnStunServers";
import type { SharedTurnRequest } from "../bigbluebutton/verification";
import { lookUpClouds } from "../clouds";
import { hostArgs } from "../clouds/hostArgs";
import { knownHosts } from "../clouds/knownHosts";
import { named } from "../clouds/names";
import { newOperatorKey } from "../clouds/operatorKey";
import type { OwnTurn, Settings } from "../settings";
import { componentTitle, SettingsError, type NamedComponent } from "../settings/problems";
import { metricsOf, metricsOutputs, setUpSharedTurnMetrics, type MetricsOutputs } from "./metrics";
import { readArguments, withSecrets, type Checks, type RawArguments } from "./arguments";
import { publicAddresses, sshCommand, type HostAddresses } from "./hostOutputs";
import { setUpSharedTurnAlerts } from "./alerts";
import { onceMade, outputsOf } from "./later";
import { MeetingsGuard } from "./meetingsGuard";
import type { SettingArguments } from "./settingArguments";
import { TurnServer } from "./turnServer";
import { offerTurn } from "./turnShare";
import { TurnUsers } from "./turnUsers";
import { turnHostRequest } from "./verification";
import { installHash } from "../steps/installHash";

/** Arguments of a {@link SharedTurnServer}: the settings of Pulumi.yaml that concern a TURN server. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- `pulumi package add` knows interfaces only
export interface SharedTurnServerArgs extends Pick<
  SettingArguments,
  | "cloud"
  | "location"
  | "domain"
  | "turnHostname"
  | "turnServerType"
  | "turnImage"
  | "turnPeers"
  | "email"
  | "vpcId"
  | "subnetId"
  | "sshNetworks"
  | "sshPublicKeys"
  | "dns"
  | "acmeServer"
  | "acmeCa"
  | "turnCertificateFile"
  | "turnCertificateKeyFile"
  | "duringMeetings"
  | "rotateTurnSecret"
  | "environment"
  | "protect"
  | "expires"
  | "tags"
  | "alerts"
  | "metrics"
> {}

/**
 * TURN server for several BigBlueButton servers of one program, given to each of them as `turn`. It relays only to
 * these, and to those of `turnPeers`. Adding or removing one interrupts nobody.
 *
 * @example
 * const turn = new SharedTurnServer("relay", { domain, email, sshNetworks });
 * for (const name of ["school-a", "school-b"]) {
 *   new BigBlueButton(name, { domain, email, sshNetworks, hostname: name, turn });
 * }
 */
export class SharedTurnServer extends pulumi.ComponentResource {
  /** Fully qualified name. */
  readonly turnHost: pulumi.Output<string>;
  /** Secret from which its clients' credentials are made. */
  readonly turnSecret: pulumi.Output<string>;
  /** URLs for clients, in the form of RFC 7065. */
  readonly turnUrls: pulumi.Output<string[]>;
  /** Token with which Prometheus asks for metrics; secret, undefined without the argument `metrics`. */
  readonly metricsToken: pulumi.Output<string | undefined>;
  /** Part of Prometheus' configuration that asks the server; undefined without the argument `metrics`. */
  readonly metricsScrapeConfig: pulumi.Output<string | undefined>;
  /** Public addresses, which outlive the server. */
  readonly addresses: pulumi.Output<HostAddresses>;
  /** Command that logs in to it, with {@link privateKey}. */
  readonly sshCommand: pulumi.Output<string>;
  /** Private key with which the program logs in, in OpenSSH's form; secret. */
  readonly privateKey: pulumi.Output<string>;
  /** Its public key, as a line for ~/.ssh/known_hosts. */
  readonly knownHosts: pulumi.Output<string>;

  constructor(name: string, args: SharedTurnServerArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("bbb:index:SharedTurnServer", name, withSecrets(args), opts);
    const component = { type: "SharedTurnServer", name };
    const users = new TurnUsers(componentTitle(component));
    const made = begin(component, args, this, users);

    const output = outputsOf(made);
    this.turnHost = output(({ turn }) => onceMade(turn.dependsOn, turn.fqdn));
    this.turnSecret = output(({ turn }) => onceMade(turn.dependsOn, turn.secret));
    this.turnUrls = output(({ turn, urls }) => onceMade(turn.dependsOn, urls));
    this.metricsToken = output(({ metrics }) => pulumi.output(metrics.metricsToken));
    this.metricsScrapeConfig = output(({ metrics }) => pulumi.output(metrics.metricsScrapeConfig));
    this.addresses = output(({ turn: { host } }) => publicAddresses(host));
    this.sshCommand = output(({ turn: { host } }) => sshCommand(host));
    this.privateKey = output(({ privateKey }) => privateKey);
    this.knownHosts = output(({ turn: { host } }) => knownHosts([host]));
    offerTurn(this, { service: made.then((known) => known?.turn), users });
    this.registerOutputs({ turnHost: this.turnHost });
  }
}

/** TURN server and the access to it. */
interface Made {
  readonly turn: TurnServer;
  readonly urls: string[];
  readonly metrics: MetricsOutputs;
  readonly privateKey: pulumi.Output<string>;
}

const checks: Checks = {
  problems: ({ alerts }) =>
    typeof alerts === "object" && alerts !== null && "turnHealthcheckUrl" in alerts
      ? [
          {
            key: "alerts.turnHealthcheckUrl",
            reason: "is given, but this server is alone: its own is healthcheckUrl",
            remedy: "give it as alerts.healthcheckUrl",
          },
        ]
      : [],
  // A name that is nobody's, and that nothing is made of.
  settingsOf: (args) => ({ ...args, hostname: "no-bigbluebutton" }),
  fqdns: (settings) => ({ turnHostname: ownTurn(settings).fqdn }),
};

/** Its arguments have no `turnStack`. */
function ownTurn({ turn }: Settings): OwnTurn {
  if (turn.kind === "shared") throw new Error("a TURN server that is made is no other stack's");
  return turn;
}

async function begin(
  component: NamedComponent,
  args: RawArguments,
  parent: pulumi.Resource,
  users: TurnUsers,
): Promise<Made | undefined> {
  const settings = await readArguments(component, args, checks);
  if (settings === undefined) return undefined;
  if (ownTurn(settings).peers.length === 0 && !(await users.any)) {
    const reason =
      "is empty, and no BigBlueButton of the program has it as its turn: there is nothing that it may relay to";
    const remedy = "give it to a BigBlueButton as turn, or name addresses here; without any, leave it out";
    throw new SettingsError([{ key: "turnPeers", reason, remedy }], settings);
  }
  return make(settings, parent, users);
}

async function make(settings: Settings, parent: pulumi.Resource, users: TurnUsers): Promise<Made> {
  const { labels, release } = settings;
  const { dns, hosts } = await lookUpClouds(settings, [hostArgs(settings, "turn")], {
    parent,
    scripts: installHash,
  });
  const operatorKey = newOperatorKey(labels, { parent });
  const guard = new MeetingsGuard(settings, () => users.servers);
  const host = hosts(operatorKey, { beforeUpdate: [guard.server] }).turn!;
  const turn = new TurnServer(
    named("turn", labels),
    { host, own: ownTurn(settings), peers: users.peers, dns, settings, guard },
    { parent },
  );
  const metrics = metricsOf(settings, parent);
  if (metrics) setUpSharedTurnMetrics(metrics, turn);
  if (settings.alerts) setUpSharedTurnAlerts(settings.alerts, turn, requestOf(turn, settings));
  const urls = [...turnUrls(release.turnXml.form, turn.fqdn).turn];
  return {
    turn,
    urls,
    metrics: metricsOutputs(metrics, { turnHost: turn.fqdn }),
    privateKey: operatorKey.privateKey,
  };
}

/** Request of its own check. */
function requestOf(turn: TurnServer, settings: Settings): pulumi.Output<SharedTurnRequest> {
  const { certificate } = ownTurn(settings);
  return pulumi.output({
    ...turnHostRequest(turn, settings),
    zone: settings.domain,
    turnHost: turn.fqdn,
    untrustedCa: !certificate.trustedByBrowsers,
    untrustedTurnCa: !certificate.trustedByBrowsers,
    ownCertificates: (["turn"] as const).filter(() => certificate.kind === "own"),
    turnSecret: turn.secret,
    certificateDays: CERTIFICATE_DAYS,
  });
}
