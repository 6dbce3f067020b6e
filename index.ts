import * as pulumi from "@pulumi/pulumi";

import { turnUrls } from "./bigbluebutton/turnStunServers";
import { BbbServer } from "./components/bbbServer";
import { openClouds } from "./clouds";
import { knownHosts } from "./clouds/knownHosts";
import { MeetingsGuard } from "./components/meetingsGuard";
import { newOperatorKey } from "./clouds/operatorKey";
import { sharedTurn } from "./components/sharedTurn";
import { TurnServer } from "./components/turnServer";
import { Verification } from "./components/verification";
import { loadSettings } from "./settings";

// The SDK formats a stack for each property of each resource. Three lines tell where an error comes from, too.
Error.stackTraceLimit = 3;

export = async () => {
  const settings = loadSettings();
  const { release, bbbFqdn, turnStack } = settings;
  const { dns, hosts } = await openClouds(settings);
  const shared = turnStack ? await sharedTurn(turnStack, settings) : undefined;

  const operatorKey = newOperatorKey();
  const guard = new MeetingsGuard(settings);
  const { bbb: bbbHost, turn: turnHost } = hosts(operatorKey, { beforeUpdate: [guard.server] });

  const ownTurn = turnHost && new TurnServer("turn", { host: turnHost, bbbHost, dns, settings, guard });
  const turn = (ownTurn ?? shared)!;
  const bbb = new BbbServer("bbb", { host: bbbHost, turn, dns, settings });
  guard.asks(bbb.sharedSecret);
  const verification = new Verification("verification", { bbb, turn, ownTurn, settings });

  // What a front end is given is proven to work; how to get at the hosts is known without.
  return {
    url: verification.proves(`https://${bbbFqdn}`),
    apiUrl: verification.proves(`https://${bbbFqdn}/bigbluebutton/api`),
    sharedSecret: verification.proves(bbb.sharedSecret),
    turnUrls: verification.proves([...turnUrls(release.turnXml.form, turn.fqdn).turn]),
    turnSecret: verification.proves(turn.secret),
    ...(ownTurn && { turnHost: verification.proves(ownTurn.fqdn) }),
    certificates: verification.certificates,
    release: verification.proves(release.name),
    addresses: {
      bbb: { ipv4: bbbHost.ipv4, ipv6: bbbHost.ipv6 },
      turn: turnHost && { ipv4: turnHost.ipv4, ipv6: turnHost.ipv6 },
    },
    sshCommand: pulumi.interpolate`ssh ${bbbHost.user}@${bbbHost.ipv4}`,
    privateKey: operatorKey.privateKey,
    knownHosts: knownHosts(turnHost ? [bbbHost, turnHost] : [bbbHost]),
    check: verification.check,
  };
};
