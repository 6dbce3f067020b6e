import * as pulumi from "@pulumi/pulumi";

import { nodeFqdn, nodeNumbers } from "../bigbluebutton/pool";
import { renderMember, renderScaleliteEnvironment, scaleliteImage } from "../bigbluebutton/scalelite";
import type { BalancerRequest } from "../bigbluebutton/verification";
import type { Dns } from "../clouds/dns";
import type { Host } from "../clouds/host";
import { named } from "../clouds/names";
import type { Certificate, PoolSettings, Settings } from "../settings";
import { checkOf, preparationOf, type BeginningSettings } from "../steps/beginnings";
import { HostSteps, type Step } from "../steps/hostSteps";
import type { BbbServer } from "./bbbServer";
import { onceMade } from "./later";
import type { NodeCertificates } from "./nodeCertificates";
import { balancerRequest } from "./poolRequest";
import { attachRecordings, mountRecordings } from "./recordingsVolume";
import { randomSecret } from "./secret";
import type { Verification } from "./verification";

/** Arguments of a {@link Balancer}. */
export interface BalancerArgs {
  readonly host: Host;
  readonly dns: Dns;
  readonly pool: PoolSettings;
  readonly settings: BeginningSettings &
    Pick<Settings, "bbb" | "turn" | "rotateSharedSecret" | "acme" | "recordings" | "groups">;
}

/** Server of a pool that is proven to work by itself. */
export interface ProvenNode {
  /** Name in the deployment, e.g. "bbb-2". */
  readonly name: string;
  readonly bbb: BbbServer;
  readonly verification: Verification;
  /** What must go after its meetings and before its address, if there is anything. */
  readonly dependsOn: readonly pulumi.Resource[];
}

/**
 * Balancer of a pool: one URL and one secret for front ends, in front of several BigBlueButton servers. A browser that
 * has joined a meeting talks to that server alone, so that the balancer's outage ends no meeting.
 */
export class Balancer extends pulumi.ComponentResource {
  readonly host: Host;
  /** Secret with which a front end signs its API calls; the servers have others. */
  readonly sharedSecret: pulumi.Output<string>;
  readonly steps: HostSteps;
  /** Certificate of the pool's name. */
  readonly certificate: Certificate;
  /** Request of its check and the step that made it, once it has its servers; secret. */
  verified?: { readonly request: pulumi.Output<BalancerRequest>; readonly step: Step };

  constructor(
    name: string,
    private readonly args: BalancerArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("bbb:index:Balancer", name, {}, opts);
    const { host, settings, dns, pool } = args;
    this.host = host;
    this.certificate = settings.bbb.certificate;
    this.sharedSecret = randomSecret(`${name}-shared-secret`, settings.rotateSharedSecret, this);
    const labels = { ...settings.labels, role: host.role };
    const records = dns.publish(name, { fqdn: host.fqdn, ipv4: host.ipv4, labels }, { parent: this });
    const { duringMeetings } = settings;
    this.steps = new HostSteps(name, { host, settings, duringMeetings }, this);
    const attached = attachRecordings(this.steps, host, this);
    this.steps.run("preflight", checkOf(host, settings, dns, { records }), this);
    this.steps.run("prepare", preparationOf(host, settings, settings.bbb.certificate), this);
    mountRecordings(this.steps, host, settings, attached, this, { balancer: true });
    const [api, poller, importer, player] = (["api", "poller", "recording-importer", "nginx"] as const).map(
      scaleliteImage,
    );
    const images = [api, poller, importer, player].join(" ");
    const installed = this.steps.run(
      "install",
      { script: "install-balancer.sh", flags: { hostname: host.fqdn, images } },
      this,
    );
    this.steps.run(
      "gather",
      {
        script: "balancer-recordings.sh",
        flags: {
          "player-image": player,
          "published-days": settings.groups.recordings?.publishedDays as number | undefined,
        },
        rerunsWith: [installed],
      },
      this,
    );
    const servers = pool.nodes;
    this.steps.run(
      "configure",
      {
        script: "configure-balancer.sh",
        flags: {
          "api-image": api,
          "poller-image": poller,
          "importer-image": importer,
          nodes: nodeNumbers(servers)
            .map((number) => nodeFqdn(host.fqdn, number))
            .join(" "),
          servers,
          "drain-minutes": pool.drainMinutes,
          "max-unavailable": pool.maxUnavailable,
        },
        stdin: this.sharedSecret.apply((sharedSecret) =>
          renderScaleliteEnvironment({ fqdn: host.fqdn, sharedSecret, servers }),
        ),
        rerunsWith: [installed],
      },
      this,
    );
    this.registerOutputs({});
  }

  /**
   * Takes servers into the pool, each once it is proven to work, then verifies the pool through the balancer. The removal
   * of a membership is the gate before that of its server: it fails for as long as something runs there.
   */
  serve(nodes: readonly ProvenNode[], certificates: NodeCertificates): void {
    const members = nodes.map(({ name, bbb, verification, dependsOn }) => {
      const ids = { node: bbb.host.fqdn };
      return this.steps.runFor(
        { name: named(name, this.args.settings.labels), host: bbb.host },
        "member",
        {
          script: "pool-member.sh",
          flags: {
            ...ids,
            server: bbb.host.server.id,
            balancer: this.host.server.id,
            type: this.args.settings.bbb.serverType,
          },
          removal: { ...ids, remove: true },
          stdin: pulumi.secret(
            bbb.sharedSecret.apply((secret) => renderMember({ fqdn: bbb.host.fqdn, secret })),
          ),
          // What made it leave the pool for work, too.
          rerunsWith: bbb.disturbing,
          beforeRun: certificates.keep(name, bbb.host),
          dependsOn: [bbb, verification, ...dependsOn],
        },
        this,
      );
    });
    const fqdns = nodes.map(({ bbb: { host } }) => host.fqdn);
    const request = balancerRequest(this, this.args.settings, fqdns);
    this.verified = {
      request,
      step: this.steps.run(
        "verify",
        {
          script: "verify.sh",
          title: "Verify the pool",
          stdin: request.apply((request) => `${JSON.stringify(request)}\n`),
          rerunsWith: [...this.steps.all, ...members],
        },
        this,
      ),
    };
  }

  /** Returns the value once the pool is verified to work. */
  onceVerified<T>(value: pulumi.Input<T>): pulumi.Output<pulumi.Unwrap<T>> {
    return onceMade(this.verified ? [this.verified.step.command] : [], value);
  }
}
