import * as pulumi from "@pulumi/pulumi";

import { turnUrls } from "./bigbluebutton/turnStunServers";
import { BbbServer } from "./components/bbbServer";
import { openClouds } from "./components/clouds";
import { knownHosts } from "./components/knownHosts";
import { MeetingsGuard } from "./components/meetingsGuard";
import { newOperatorKey } from "./components/operatorKey";
import { TurnServer } from "./components/turnServer";
import { Verification } from "./components/verification";
import { loadSettings } from "./config";

export = async () => {
  const settings = loadSettings();
  const { release, bbbFqdn, turnFqdn } = settings;
  const { dns, hosts } = await openClouds(settings);

  const operatorKey = newOperatorKey();
  const guard = new MeetingsGuard(settings);
  const { bbb: bbbHost, turn: turnHost } = hosts(operatorKey, guard);

  const turn = new TurnServer("turn", { host: turnHost, bbbHost, dns, settings, guard });
  const bbb = new BbbServer("bbb", { host: bbbHost, turn, dns, settings });
  guard.asks(bbb.sharedSecret);
  const verification = new Verification("verification", { bbb, turn, settings });

  // What a front end is given is proven to work; how to get at the hosts is known without.
  return {
    url: verification.proves(`https://${bbbFqdn}`),
    apiUrl: verification.proves(`https://${bbbFqdn}/bigbluebutton/api`),
    sharedSecret: verification.proves(bbb.sharedSecret),
    turnUrls: verification.proves([...turnUrls(release.turnXml.form, turnFqdn).turn]),
    turnSecret: verification.proves(turn.secret),
    release: verification.proves(release.name),
    addresses: {
      bbb: { ipv4: bbbHost.ipv4, ipv6: bbbHost.ipv6 },
      turn: { ipv4: turnHost.ipv4, ipv6: turnHost.ipv6 },
    },
    sshCommand: pulumi.interpolate`ssh ${bbbHost.user}@${bbbHost.ipv4}`,
    privateKey: operatorKey.privateKey,
    knownHosts: knownHosts([bbbHost, turnHost]),
    check: verification.check,
  };
};
