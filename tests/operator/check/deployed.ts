import type { Deployed } from "../../../operator/check/deployed";

const common = {
  zone: "example.org",
  bbbHost: "bbb.example.org",
  turnHost: "turn.example.org",
  untrustedCa: false,
  untrustedTurnCa: false,
  ownCertificates: [],
  turnSecret: "turn-s3cr3t",
};

/** Ordinary deployment, by a stack's outputs. */
export const deployed: Deployed = {
  privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\n",
  hosts: {
    bbb: {
      host: "203.0.113.1",
      user: "root",
      hostKey: "ssh-ed25519 AAAAbbb",
      request: {
        role: "bbb",
        ...common,
        ipv4: "203.0.113.1",
        release: "jammy-30",
        version: "3.0",
        recordings: true,
        sharedSecret: "shared-s3cr3t",
        turnXml: { path: "/etc/bigbluebutton/turn-stun-servers.xml", text: "<beans/>" },
      },
    },
    turn: {
      host: "203.0.113.2",
      user: "ubuntu",
      hostKey: "ssh-ed25519 AAAAturn",
      request: {
        role: "turn",
        ...common,
        ipv4: "203.0.113.2",
        ipv6: "2001:db8:0:2::1",
        bbbIpv4: "203.0.113.1",
        turnServerConf: { path: "/etc/turnserver.conf", text: "no-cli\n" },
      },
    },
  },
};
