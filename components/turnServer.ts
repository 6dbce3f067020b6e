import * as pulumi from "@pulumi/pulumi";

import { renderTurnServerConf } from "../bigbluebutton/coturn";
import type { OwnTurn } from "../settings";
import type { Dns } from "../clouds/dns";
import type { Host } from "../clouds/host";
import type { MeetingsGuard } from "./meetingsGuard";
import { prepareHost, type PrepareHostSettings } from "../steps/prepareHost";
import type { HostSteps } from "../steps/hostSteps";
import { randomSecret } from "./secret";

/** Number of steps: connect, check, prepare, install, configure. */
const STEPS = 5;

/** Facts about a TURN server for BigBlueButton, made by this stack or another. */
export interface TurnService {
  readonly fqdn: string;
  /** Secret shared with BigBlueButton, which makes its clients' credentials from it. */
  readonly secret: pulumi.Output<string>;
  /** Resources that must exist before it can be used. */
  readonly ready: readonly pulumi.Resource[];
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
  /** True when {@link Verification} adds a step. */
  readonly verified: boolean;
  readonly dns: Dns;
  readonly settings: PrepareHostSettings;
  readonly guard: MeetingsGuard;
}

/** TURN server: coturn on a host of its own, for the clients that can't reach BigBlueButton's media ports. */
export class TurnServer extends pulumi.ComponentResource implements TurnService {
  readonly host: Host;
  readonly fqdn: string;
  readonly secret: pulumi.Output<string>;
  /** Deployed configuration of coturn; secret. */
  readonly conf: pulumi.Output<string>;
  readonly steps: HostSteps;
  /** Steps after which coturn runs, with its certificate and its secret. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: TurnServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bbb:index:TurnServer", name, {}, opts);
    const { host, own, settings, dns, verified } = args;
    const { certificate } = own;
    this.host = host;
    this.fqdn = host.fqdn;
    this.secret = randomSecret(`${name}-secret`, own.rotateSecret, this);
    this.conf = turnServerConf(args, this.secret);

    // Clients in IPv6-only networks reach IPv4-only BigBlueButton by this server, hence the AAAA record.
    const ipv6 = host.ipv6;
    const count = verified ? STEPS + 1 : STEPS;
    this.steps = prepareHost(name, { host, settings, certificate, dns, ipv6, count }, this);
    const installed = this.steps.run(
      "install",
      {
        title: "Install coturn and its certificate",
        script: "install-turn.sh",
        flags: { hostname: host.fqdn },
        unit: true,
      },
      this,
    );
    const configured = this.steps.run(
      "configure",
      {
        title: "Configure coturn",
        script: "configure-turn.sh",
        stdin: this.conf,
        follows: [installed],
        beforeUpdate: args.guard.turnConfiguration,
      },
      this,
    );

    this.ready = [configured.command];

    this.registerOutputs({});
  }
}

function turnServerConf(
  { host, own, peers }: TurnServerArgs,
  secret: pulumi.Output<string>,
): pulumi.Output<string> {
  const { ipv4, ipv6, privateIpv4 } = host;
  return pulumi.output({ secret, ipv4, ipv6, privateIpv4, peers }).apply((known) =>
    renderTurnServerConf({
      realm: host.fqdn,
      secret: known.secret,
      listeningAddresses: given([known.privateIpv4 ?? known.ipv4, known.ipv6]),
      externalIp: known.privateIpv4 ? { public: known.ipv4, private: known.privateIpv4 } : undefined,
      // A private address can only be BigBlueButton's own where this host is in such a network, too.
      allowedPeers: [
        ...new Set([
          ...known.peers.flatMap(({ ipv4, ipv6, privateIpv4 }) =>
            given([ipv4, ipv6, known.privateIpv4 && privateIpv4]),
          ),
          ...own.peers,
        ]),
      ],
    }),
  );
}

function given(addresses: readonly (string | undefined)[]): string[] {
  return addresses.filter((address) => address !== undefined);
}
