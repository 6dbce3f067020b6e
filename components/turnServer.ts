import * as pulumi from "@pulumi/pulumi";

import { renderTurnServerConf } from "../bigbluebutton/coturn";
import type { Settings } from "../settings";
import type { Dns } from "../clouds/dns";
import type { Host } from "../clouds/host";
import type { MeetingsGuard } from "./meetingsGuard";
import { prepareHost } from "../steps/prepareHost";
import type { HostSteps } from "../steps/hostSteps";
import { randomSecret } from "./secret";

/** connect, check, prepare, install, configure, and the check of BigBlueButton that {@link Verification} adds */
const STEPS = 6;

/** What BigBlueButton is to know of its TURN server, whichever stack makes it. */
export interface TurnService {
  readonly fqdn: string;
  /** Shared with BigBlueButton, which makes its clients' credentials from it. */
  readonly secret: pulumi.Output<string>;
  /** What must be there before it can be used. */
  readonly ready: readonly pulumi.Resource[];
}

/** Arguments of a {@link TurnServer}. */
export interface TurnServerArgs {
  readonly host: Host;
  /**
   * The BigBlueButton server's host: with the settings' `turnPeers` all that the TURN server relays to. Only its addresses
   * are waited for.
   */
  readonly bbbHost: Host;
  readonly dns: Dns;
  readonly settings: Settings;
  readonly guard: MeetingsGuard;
}

/** A TURN server: coturn on a host of its own, for the clients that can't reach BigBlueButton's media ports. */
export class TurnServer extends pulumi.ComponentResource implements TurnService {
  readonly host: Host;
  readonly fqdn: string;
  readonly secret: pulumi.Output<string>;
  /** coturn's configuration as it is deployed; secret. */
  readonly conf: pulumi.Output<string>;
  readonly steps: HostSteps;
  /** coturn runs, with its certificate and its secret. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: TurnServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bbb:index:TurnServer", name, {}, opts);
    const { host, settings, dns } = args;
    this.host = host;
    this.fqdn = host.fqdn;
    this.secret = randomSecret(`${name}-secret`, settings.rotateTurnSecret, this);
    this.conf = turnServerConf(args, this.secret);

    // Clients in IPv6-only networks reach IPv4-only BigBlueButton by this server, hence the AAAA record.
    const ipv6 = host.ipv6;
    this.steps = prepareHost(name, { host, settings, dns, ipv6, count: STEPS }, this);
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
  { host, bbbHost, settings }: TurnServerArgs,
  secret: pulumi.Output<string>,
): pulumi.Output<string> {
  const { ipv4, ipv6, privateIpv4 } = host;
  // BigBlueButton's private address can only be its own where this host is in such a network, too.
  const peers = [bbbHost.ipv4, bbbHost.ipv6, privateIpv4 && bbbHost.privateIpv4];
  const { turnPeers } = settings;
  return pulumi.output({ secret, ipv4, ipv6, privateIpv4, peers }).apply((known) =>
    renderTurnServerConf({
      realm: host.fqdn,
      secret: known.secret,
      listeningAddresses: given([known.privateIpv4 ?? known.ipv4, known.ipv6]),
      externalIp: known.privateIpv4 ? { public: known.ipv4, private: known.privateIpv4 } : undefined,
      allowedPeers: [...new Set([...given(known.peers), ...turnPeers])],
    }),
  );
}

function given(addresses: readonly (string | undefined)[]): string[] {
  return addresses.filter((address) => address !== undefined);
}
