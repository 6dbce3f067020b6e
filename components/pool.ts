import * as pulumi from "@pulumi/pulumi";

import { nodeName, nodeNumbers } from "../bigbluebutton/pool";
import { turnUrls } from "../bigbluebutton/turnStunServers";
import type { CertificateOutput, PoolCheckOutput } from "../bigbluebutton/verification";
import { lookUpClouds } from "../clouds";
import type { Host } from "../clouds/host";
import { poolHostArgs } from "../clouds/hostArgs";
import { knownHosts } from "../clouds/knownHosts";
import { named } from "../clouds/names";
import { newOperatorKey } from "../clouds/operatorKey";
import type { StackOutputs } from "../clouds/stackState";
import type { PoolSettings, Settings } from "../settings";
import { installHash } from "../steps/installHash";
import { setUpPoolAlerts } from "./alerts";
import { Balancer, type ProvenNode } from "./balancer";
import { BbbServer } from "./bbbServer";
import { publicAddresses, sshCommand, type HostAddresses } from "./hostOutputs";
import { MeetingsGuard, trustIn } from "./meetingsGuard";
import { metricsOf, metricsOutputs, setUpPoolMetrics, type MetricsOutputs } from "./metrics";
import { NodeCertificates } from "./nodeCertificates";
import { warnOfFewOperations } from "./parallel";
import { sharedTurn } from "./sharedTurn";
import { peerOf, TurnServer } from "./turnServer";
import { access, Verification } from "./verification";

/** Outputs of a pool. */
export interface PoolOutputs extends MetricsOutputs {
  /** Address of the balancer. */
  readonly url: pulumi.Output<string>;
  readonly apiUrl: pulumi.Output<string>;
  /** Secret with which front ends sign; it is the balancer's alone. */
  readonly sharedSecret: pulumi.Output<string>;
  /** Servers by their full names. */
  readonly servers: pulumi.Output<
    Readonly<Record<string, { readonly ipv4: string; readonly release: string }>>
  >;
  readonly turnUrls: pulumi.Output<string[]>;
  readonly turnSecret: pulumi.Output<string>;
  /** Name of the TURN host; undefined if it is another stack's. */
  readonly turnHost?: pulumi.Output<string>;
  readonly certificates: pulumi.Output<Readonly<Record<string, CertificateOutput>>>;
  readonly release: pulumi.Output<string>;
  /** Addresses of all hosts: balancer, turn, bbb-1 and so on. */
  readonly addresses: Readonly<Record<string, pulumi.Output<HostAddresses>>>;
  /** Commands that log in to the hosts, by the same names. */
  readonly sshCommands: Readonly<Record<string, pulumi.Output<string>>>;
  readonly privateKey: pulumi.Output<string>;
  readonly knownHosts: pulumi.Output<string>;
  /** Access and requests for another check of all hosts, by scripts/check; secret. */
  readonly check: pulumi.Output<PoolCheckOutput>;
}

/**
 * Makes a pool: a balancer, a TURN server unless another stack's is used, and BigBlueButton servers, each of which is
 * verified by itself before the balancer gets it; then verifies the whole.
 *
 * @param before Outputs of the stack's last update.
 * @throws SettingsError with everything that the clouds lack, before any resource is registered
 */
export async function deployPool(
  settings: Settings,
  pool: PoolSettings,
  before: StackOutputs,
): Promise<{ readonly outputs: PoolOutputs }> {
  const { release, turn: turnSettings, labels } = settings;
  const args = poolHostArgs(settings, pool.nodes);
  const { dns, hosts } = await lookUpClouds(settings, args, { scripts: installHash });
  const shared =
    turnSettings.kind === "shared" ? await sharedTurn(turnSettings.stack, settings, {}) : undefined;

  warnOfFewOperations(pool.nodes);

  const operatorKey = newOperatorKey(labels, {});
  const guard = new MeetingsGuard(settings, () =>
    Promise.resolve(
      nodes.map(({ name, bbb: { host, sharedSecret } }) => ({
        ...{ name, fqdn: host.fqdn, sharedSecret, trust: trustIn(settings) },
        balancer: pool.balancer.fqdn,
      })),
    ),
  );
  const made = hosts(operatorKey, { beforeUpdate: [guard.server] });
  const names = nodeNumbers(pool.nodes).map((number) => nodeName(number));
  const peers = names.map((name) => peerOf(made[name]!));
  const ownTurn =
    made.turn && turnSettings.kind === "own"
      ? new TurnServer(named("turn", labels), {
          host: made.turn,
          own: turnSettings,
          peers,
          dns,
          settings,
          guard,
        })
      : undefined;
  const turn = (ownTurn ?? shared)!;
  const balancer = new Balancer(named("balancer", labels), { host: made.balancer!, dns, pool, settings });
  const certificates = new NodeCertificates(balancer.host, settings);
  const stood = "servers" in before;

  // Before the TURN server's verification, which waits for the first server: a server would wait for that one's turn.
  const holds = names.map((name) => (ownTurn ? [ownTurn.hold(name, made[name]!, labels)] : []));

  // Front ends have the balancer's secret; a server's own is changed with the server.
  const nodeSettings = { ...settings, rotateSharedSecret: "", pool };
  const metrics = metricsOf(settings, undefined);
  const nodes: readonly ProvenNode[] = names.map((name, i) => {
    const host = made[name]!;
    // Before the pool's first update its balancer keeps none, and may not be up.
    const beforeFirst = stood ? certificates.give(name, host) : undefined;
    const bbb = new BbbServer(named(name, labels), { host, turn, dns, beforeFirst, settings: nodeSettings });
    // The TURN server asks the first one, and each asks the TURN server.
    const verified = {
      bbb,
      turn,
      settings: nodeSettings,
      hooksOf: name,
      ...(i === 0 && { ownTurn }),
      metrics: metrics?.request,
    };
    const verification = new Verification(named(`${name}-verification`, labels), verified);
    return { name, bbb, verification, dependsOn: holds[i]! };
  });
  balancer.serve(nodes, certificates);
  const poolHosts = { balancer, nodes, turn: ownTurn };
  if (settings.metrics && metrics) setUpPoolMetrics(settings.metrics, metrics, poolHosts);
  if (settings.alerts) setUpPoolAlerts(settings.alerts, poolHosts);

  const all = Object.entries(made);
  const of = <T>(make: (host: Host) => T) =>
    Object.fromEntries(all.map(([name, host]) => [name, make(host)]));
  const fqdn = balancer.host.fqdn;
  const outputs = {
    url: balancer.onceVerified(`https://${fqdn}`),
    apiUrl: balancer.onceVerified(`https://${fqdn}/bigbluebutton/api`),
    sharedSecret: balancer.onceVerified(balancer.sharedSecret),
    servers: pulumi
      .all(nodes.map(({ bbb: { host }, verification }) => verification.onceVerified(host.ipv4)))
      .apply((found) =>
        Object.fromEntries(
          nodes.map(({ bbb: { host } }, i) => [host.fqdn, { ipv4: found[i]!, release: release.name }]),
        ),
      ),
    turnUrls: balancer.onceVerified([...turnUrls(release.turnXml.form, turn.fqdn).turn]),
    turnSecret: balancer.onceVerified(turn.secret),
    ...(ownTurn && { turnHost: balancer.onceVerified(ownTurn.fqdn) }),
    certificates: pulumi
      .all(nodes.map(({ verification }) => verification.certificates))
      .apply((found) => Object.assign({}, ...found) as Readonly<Record<string, CertificateOutput>>),
    release: balancer.onceVerified(release.name),
    addresses: of(publicAddresses),
    sshCommands: of(sshCommand),
    privateKey: operatorKey.privateKey,
    knownHosts: knownHosts(all.map(([, host]) => host)),
    ...metricsOutputs(metrics, {
      bbbHosts: nodes.map(({ bbb: { host } }) => host.fqdn),
      balancerHost: fqdn,
      turnHost: ownTurn?.fqdn,
    }),
    check: checkOutput(
      balancer,
      nodes,
      pulumi.output({
        ...(settings.alerts && { alerts: true }),
        ...(metrics && { metrics: metrics.request("balancer") }),
      }),
    ),
  };
  return { outputs };
}

/** Hosts of the pool for scripts/check. The first server's verification has the TURN server, too. */
function checkOutput(
  { host, verified }: Balancer,
  nodes: readonly ProvenNode[],
  more: Parameters<typeof access>[2],
): pulumi.Output<PoolCheckOutput> {
  const checks = pulumi.all(nodes.map(({ verification }) => verification.check));
  return pulumi.secret(
    pulumi.all([access(host, verified!.request, more), checks]).apply(([balancer, found]) => {
      const { turn } = found[0]!;
      return {
        balancer,
        ...(turn && { turn }),
        nodes: Object.fromEntries(nodes.map(({ name }, i) => [name, found[i]!.bbb])),
      };
    }),
  );
}
