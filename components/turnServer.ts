import * as pulumi from "@pulumi/pulumi";

import { renderTurnAccess, renderTurnServerConf } from "../bigbluebutton/coturn";
import type { OwnTurn } from "../settings";
import type { Dns } from "../clouds/dns";
import type { Host } from "../clouds/host";
import { named, type OwnerLabels } from "../clouds/names";
import type { MeetingsGuard } from "./meetingsGuard";
import { checkOf, preparationOf, type BeginningSettings } from "../steps/beginnings";
import { HostSteps, type Step } from "../steps/hostSteps";
import { randomSecret } from "./secret";

/** Facts about a TURN server for BigBlueButton, made by this stack or another. */
export interface TurnService {
  readonly fqdn: string;
  /** Secret shared with BigBlueButton, which makes its clients' credentials from it. */
  readonly secret: pulumi.Output<string>;
  /** Resources that must exist before it can be used. */
  readonly dependsOn: readonly pulumi.Resource[];
}

/** Addresses of a host that a TURN server relays to. */
export interface Peer {
  readonly ipv4: string;
  readonly ipv6?: string;
  /** Address in its private network, if the cloud translates it to the public one. */
  readonly privateIpv4?: string;
}

/** Addresses of a host, once they are known. */
export function peerOf({ ipv4, ipv6, privateIpv4 }: Host): pulumi.Output<Peer> {
  return pulumi.output({ ipv4, ipv6, privateIpv4 });
}

/** Arguments of a {@link TurnServer}. */
export interface TurnServerArgs {
  readonly host: Host;
  readonly own: OwnTurn;
  /** BigBlueButton servers that the TURN server relays to, with the `peers` of the settings the only ones. */
  readonly peers: pulumi.Input<readonly pulumi.Input<Peer>[]>;
  readonly dns: Dns;
  readonly settings: BeginningSettings;
  readonly guard: MeetingsGuard;
}

/** TURN server: coturn on a host of its own, for the clients that can't reach BigBlueButton's media ports. */
export class TurnServer extends pulumi.ComponentResource implements TurnService {
  readonly host: Host;
  readonly fqdn: string;
  readonly secret: pulumi.Output<string>;
  /** Deployed configuration of coturn. */
  readonly conf: pulumi.Output<string>;
  /** Addresses that it relays to. */
  readonly peers: pulumi.Output<readonly string[]>;
  readonly steps: HostSteps;
  /** Step that configures coturn. */
  readonly configured: Step;
  /** Steps after which coturn runs, with its certificate and its secret. */
  readonly dependsOn: readonly pulumi.Resource[];

  constructor(name: string, args: TurnServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bbb:index:TurnServer", name, {}, opts);
    const { host, own, settings, dns } = args;
    this.host = host;
    this.fqdn = host.fqdn;
    this.secret = randomSecret(`${name}-secret`, own.rotateSecret, this);
    this.conf = turnServerConf(args);
    this.peers = peerAddresses(args);

    // Clients in IPv6-only networks reach IPv4-only BigBlueButton by this server, hence the AAAA record.
    const { fqdn, ipv4, ipv6 } = host;
    const labels = { ...settings.labels, role: host.role };
    const records = dns.publish(name, { fqdn, ipv4, ipv6, labels }, { parent: this });
    this.steps = new HostSteps(name, { host, settings }, this);
    this.steps.run("preflight", checkOf(host, settings, dns, { records, ipv6 }), this);
    this.steps.run("prepare", preparationOf(host, settings, own.certificate), this);
    const installed = this.steps.run(
      "install",
      {
        script: "install-turn.sh",
        flags: { hostname: host.fqdn },
      },
      this,
    );
    // Before an address is released: what an update deletes comes after all that it changes. Where only a part is destroyed,
    // this waits for the addresses, so it goes before them.
    const flags = { server: host.server.id };
    this.steps.run(
      "access",
      {
        script: "turn-access.sh",
        flags,
        removal: { ...flags, remove: true },
        stdin: pulumi
          .all([this.secret, this.peers])
          .apply(([secret, peers]) => renderTurnAccess({ realm: host.fqdn, secret, peers })),
        rerunsWith: [installed],
      },
      this,
    );
    this.configured = this.steps.run(
      "configure",
      {
        script: "configure-turn.sh",
        // A new secret is the way to have put back what others changed.
        flags: { "rotate-turn-secret": own.rotateSecret || undefined },
        stdin: this.conf,
        rerunsWith: [installed],
        beforeUpdate: args.guard.turnConfiguration,
      },
      this,
    );

    this.dependsOn = [this.configured.command];

    this.registerOutputs({});
  }

  /**
   * Relays to a pool's server for as long as that is there, also where the settings have it no more.
   *
   * @returns what must go before the server's address, and after its meetings
   */
  hold(name: string, other: Host, labels: OwnerLabels): pulumi.Resource {
    const node = other.fqdn;
    const addresses = pulumi
      .all([peerOf(other), this.host.privateIpv4])
      .apply(([peer, ownPrivate]) => addressesOf(peer, ownPrivate).join(" "));
    return this.steps.runFor(
      { name: named(name, labels), host: other },
      "peer",
      {
        script: "turn-peer.sh",
        flags: { node, addresses, turn: this.host.server.id },
        removal: { node, remove: true },
        dependsOn: this.dependsOn,
      },
      this,
    ).command;
  }
}

function turnServerConf({ host }: TurnServerArgs): pulumi.Output<string> {
  const { ipv4, ipv6, privateIpv4 } = host;
  return pulumi.output({ ipv4, ipv6, privateIpv4 }).apply((known) =>
    renderTurnServerConf({
      realm: host.fqdn,
      listeningAddresses: given([known.privateIpv4 ?? known.ipv4, known.ipv6]),
      externalIp: known.privateIpv4 ? { public: known.ipv4, private: known.privateIpv4 } : undefined,
    }),
  );
}

function peerAddresses({ host, own, peers }: TurnServerArgs): pulumi.Output<readonly string[]> {
  return pulumi
    .output({ ownPrivate: host.privateIpv4, peers })
    .apply(({ ownPrivate, peers }) => [
      ...new Set([...peers.flatMap((peer) => addressesOf(peer, ownPrivate)), ...own.peers]),
    ]);
}

/** A private address can only be BigBlueButton's own where the TURN host is in such a network, too. */
function addressesOf({ ipv4, ipv6, privateIpv4 }: Peer, ownPrivate: string | undefined): string[] {
  return given([ipv4, ipv6, ownPrivate && privateIpv4]);
}

function given(addresses: readonly (string | undefined)[]): string[] {
  return addresses.filter((address) => address !== undefined);
}
