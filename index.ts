import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { turnUrls as urlsOf } from "./bigbluebutton/turnStunServers";
import { BbbServer } from "./components/bbbServer";
import { openCloud } from "./components/clouds";
import { TurnServer } from "./components/turnServer";
import { Verification } from "./components/verification";
import { loadSettings } from "./config";

const settings = loadSettings();

const key = new tls.PrivateKey("operator-key", { algorithm: "ED25519" });
const operatorKey = {
  publicKey: key.publicKeyOpenssh.apply((line) => line.trim()),
  privateKey: pulumi.secret(key.privateKeyOpenssh),
};

const cloud = openCloud(settings, operatorKey);
const bbbHost = cloud.host("bbb");
const turnHost = cloud.host("turn");

const turn = new TurnServer("turn", { host: turnHost, bbbHost, dns: cloud.dns, settings });
const bbb = new BbbServer("bbb", { host: bbbHost, turn, dns: cloud.dns, settings });
const verification = new Verification("verification", { bbb, turn, settings });

// What a front end is given is proven to work; how to get at the hosts is known without.
export const url = verification.proves(`https://${settings.bbbFqdn}`);
export const apiUrl = verification.proves(`https://${settings.bbbFqdn}/bigbluebutton/api`);
export const sharedSecret = verification.proves(bbb.sharedSecret);
export const turnUrls = verification.proves([
  ...urlsOf(settings.release.turnXml.form, settings.turnFqdn).turn,
]);
export const turnSecret = verification.proves(turn.secret);
export const release = verification.proves(settings.release.name);
export const addresses = {
  bbb: { ipv4: bbbHost.ipv4, ipv6: bbbHost.ipv6 },
  turn: { ipv4: turnHost.ipv4, ipv6: turnHost.ipv6 },
};
export const sshCommand = pulumi.interpolate`ssh ${bbbHost.user}@${bbbHost.ipv4}`;
export const privateKey = operatorKey.privateKey;
