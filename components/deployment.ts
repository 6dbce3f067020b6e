import * as pulumi from "@pulumi/pulumi";

import { turnUrls } from "../bigbluebutton/turnStunServers";
import type { CertificateOutput, CheckOutput } from "../bigbluebutton/verification";
import { lookUpClouds, pairOf } from "../clouds";
import type { ChildOptions, Host } from "../clouds/host";
import { hostRoles, pairHostArgs } from "../clouds/hostArgs";
import { knownHosts } from "../clouds/knownHosts";
import { named } from "../clouds/names";
import { newOperatorKey } from "../clouds/operatorKey";
import type { Settings } from "../settings";
import { installHash } from "../steps/installHash";
import { publicAddresses, sshCommand, type HostAddresses } from "./hostOutputs";
import { setUpAdditions, type AdditionOutputs } from "./additions";
import { BbbServer } from "./bbbServer";
import { greenlightOutputs, type GreenlightOutputs } from "./greenlight";
import { MeetingsGuard, trustIn, type MeetingServer } from "./meetingsGuard";
import { metricsOf } from "./metrics";
import { sharedTurn } from "./sharedTurn";
import { peerOf, TurnServer, type TurnService } from "./turnServer";
import type { TurnUsers } from "./turnUsers";
import { Verification } from "./verification";

/** Outputs of a deployment. */
export interface DeploymentOutputs extends GreenlightOutputs, AdditionOutputs {
  readonly url: pulumi.Output<string>;
  readonly apiUrl: pulumi.Output<string>;
  readonly sharedSecret: pulumi.Output<string>;
  readonly turnUrls: pulumi.Output<string[]>;
  readonly turnSecret: pulumi.Output<string>;
  /** Address of the TURN host; undefined if it is another stack's or deployment's. */
  readonly turnHost?: pulumi.Output<string>;
  readonly certificates: pulumi.Output<Readonly<Record<string, CertificateOutput>>>;
  readonly release: pulumi.Output<string>;
  readonly addresses: {
    readonly bbb: pulumi.Output<HostAddresses>;
    readonly turn?: pulumi.Output<HostAddresses>;
  };
  readonly sshCommand: pulumi.Output<string>;
  readonly privateKey: pulumi.Output<string>;
  readonly knownHosts: pulumi.Output<string>;
  readonly check: pulumi.Output<CheckOutput>;
}

/** Results of some settings. */
export interface Deployment {
  readonly outputs: DeploymentOutputs;
  readonly host: Host;
  readonly meetings: MeetingServer;
  readonly turn: TurnService;
}

/** Parent of a deployment, and the deployments that share its TURN server. */
export interface DeployOptions extends ChildOptions {
  /** TURN server of the same program, to use instead of making one. */
  readonly turn?: TurnService;
  /** Deployments of the same program that use the TURN server of this one. */
  readonly users?: TurnUsers;
}

/**
 * Makes a BigBlueButton server and, unless another one's is used, its TURN server; verifies that they work.
 *
 * @throws SettingsError with everything that the clouds lack, before any resource is registered
 */
export async function deploy(settings: Settings, options: DeployOptions = {}): Promise<Deployment> {
  const { release, turn: turnSettings, labels } = settings;
  const bbbFqdn = settings.bbb.fqdn;
  const { parent, users } = options;
  const args = pairHostArgs(settings, options.turn ? ["bbb"] : hostRoles(settings));
  const { dns, hosts, storageBox } = await lookUpClouds(settings, args, { parent, scripts: installHash });
  const shared = await (options.turn ??
    (turnSettings.kind === "shared" ? sharedTurn(turnSettings.stack, settings, { parent }) : undefined));

  const operatorKey = newOperatorKey(labels, { parent });
  const guard = new MeetingsGuard(settings, async () => [meetings, ...((await users?.servers) ?? [])]);
  const { bbb: bbbHost, turn: turnHost } = pairOf(hosts(operatorKey, { beforeUpdate: [guard.server] }));

  const peers = users
    ? pulumi.all([peerOf(bbbHost), users.peers]).apply(([own, others]) => [own, ...others])
    : [peerOf(bbbHost)];
  const ownTurn =
    turnHost && turnSettings.kind === "own"
      ? new TurnServer(
          named("turn", labels),
          { host: turnHost, own: turnSettings, peers, dns, settings, guard },
          { parent },
        )
      : undefined;
  const turn = (ownTurn ?? shared)!;
  const bbb = new BbbServer(named("bbb", labels), { host: bbbHost, turn, dns, settings }, { parent });
  const meetings: MeetingServer = { fqdn: bbbFqdn, sharedSecret: bbb.sharedSecret, trust: trustIn(settings) };
  const metrics = metricsOf(settings, parent);
  const verification = new Verification(
    named("verification", labels),
    { bbb, turn, ownTurn, settings, metrics: metrics?.request },
    { parent },
  );

  const additions = setUpAdditions(settings, metrics, { bbb, turn: ownTurn, verification }, storageBox);

  // What a front end is given is proven to work; how to get at the hosts is known without.
  const outputs = {
    url: verification.onceVerified(`https://${bbbFqdn}`),
    apiUrl: verification.onceVerified(`https://${bbbFqdn}/bigbluebutton/api`),
    sharedSecret: verification.onceVerified(bbb.sharedSecret),
    ...greenlightOutputs(settings, bbb, verification),
    turnUrls: verification.onceVerified([...turnUrls(release.turnXml.form, turn.fqdn).turn]),
    turnSecret: verification.onceVerified(turn.secret),
    ...(ownTurn && { turnHost: verification.onceVerified(ownTurn.fqdn) }),
    certificates: verification.certificates,
    release: verification.onceVerified(release.name),
    addresses: {
      bbb: publicAddresses(bbbHost),
      turn: turnHost && publicAddresses(turnHost),
    },
    ...additions,
    sshCommand: sshCommand(bbbHost),
    privateKey: operatorKey.privateKey,
    knownHosts: knownHosts(turnHost ? [bbbHost, turnHost] : [bbbHost]),
    check: verification.check,
  };
  return { outputs, host: bbbHost, meetings, turn };
}
