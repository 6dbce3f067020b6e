import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { FakeHost, type Done } from "./scripts";

export const MACHINE_ID = "5f0c2b7a9d3e4c61b8a7f6e5d4c3b2a1";
export const SECRETS = {
  shared: "Zq3vT8mW1xK5nB7cR2yH9dL4",
  packaged: "9f1e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f1e",
  esl: "0011223344556677",
  livekitKey: "APIabcdef123456",
  livekitSecret: "aabbccddeeff00112233445566778899",
  hasura: "hasuraSecretOfTheBuilder01",
  etherpad: "e7".repeat(32),
  session: "5e".repeat(32),
};
const HOST_KEY = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW";
const PRIVATE_PART = "QyNTUxOQAAACBqq0w1Fh3cWbuilderbuilderbuilderbuilderbuilderQAAAJhR7Y9mUe";
export const PEM = `-----BEGIN PRIVATE KEY-----\n${"MC4CAQAwBQYDK2VwBCIEI".padEnd(64, "x")}\n-----END PRIVATE KEY-----\n`;
const FREESWITCH = "opt/freeswitch/etc/freeswitch";
export const VARS = `${FREESWITCH}/vars.xml`;

/** Files of a BigBlueButton server, with what a builder of an image has of its own. */
const FILES: Readonly<Record<string, string>> = {
  "etc/machine-id": `${MACHINE_ID}\n`,
  "etc/hostname": "bbb-k3x9q2\n",
  "etc/hosts": "127.0.0.1 localhost\n203.0.113.11 bbb-k3x9q2.example.test bbb-k3x9q2 # bbb-deploy\n",
  "etc/fstab": "UUID=1 / ext4 defaults 0 1\n/swapfile none swap sw 0 0\n",
  swapfile: SECRETS.shared,
  "etc/ssh/ssh_host_ed25519_key": `-----BEGIN OPENSSH PRIVATE KEY-----\n${HOST_KEY}\n${PRIVATE_PART}\n-----END OPENSSH PRIVATE KEY-----\n`,
  "etc/ssh/ssh_host_ed25519_key.pub": "ssh-ed25519 AAAAbuilder\n",
  "var/lib/cloud/instances/1/user-data.txt": `  ${PRIVATE_PART}\n`,
  "root/.ssh/authorized_keys": "ssh-ed25519 AAAAoperator\n",
  "etc/letsencrypt/cli.ini": "server = https://acme.example.test/directory\n",
  "etc/letsencrypt/archive/bbb-k3x9q2.example.test/privkey1.pem": PEM,
  "etc/letsencrypt/renewal/bbb-k3x9q2.example.test.conf": "x",
  "etc/ssl/private/ssl-cert-snakeoil.key": PEM,
  "etc/bigbluebutton/bigbluebutton-release": "BIGBLUEBUTTON_RELEASE=3.0.26\n",
  "etc/bigbluebutton/bbb-web.properties": `bigbluebutton.web.serverURL=https://bbb-k3x9q2.example.test\nsecuritySalt=${SECRETS.shared}\n`,
  "etc/bigbluebutton/bbb-apps-akka.conf": `services {\n  sharedSecret="${SECRETS.shared}"\n}\n`,
  "etc/bigbluebutton/bbb-fsesl-akka.conf": `freeswitch.esl.password="${SECRETS.esl}"\n`,
  "etc/bigbluebutton/livekit.yaml": `keys:\n  ${SECRETS.livekitKey}: ${SECRETS.livekitSecret}\nwebhook:\n  api_key: ${SECRETS.livekitKey}\n`,
  "etc/bigbluebutton/livekit-sip.yaml": `api_key: ${SECRETS.livekitKey}\napi_secret: ${SECRETS.livekitSecret}\n`,
  "etc/bbb-deploy/relay-peers.nft": "ip daddr != { 10.0.0.5, 203.0.113.11 } counter drop\n",
  "var/lib/turn/turndb": "SQLite format 3 turnsecretofthebuilder",
  "etc/bigbluebutton/turn-stun-servers.xml": "<beans>turnsecretofthebuilder</beans>\n",
  "etc/bigbluebutton/bbb-webrtc-sfu/production.yml": `freeswitch:\n  esl_password: ${SECRETS.esl}\n  ip: 203.0.113.11\n`,
  "usr/local/bigbluebutton/bbb-webrtc-sfu/config/default.yml": `freeswitch:\n  ip: 203.0.113.11\n  esl_password: ClueCon\nlivekit:\n  key: ${SECRETS.livekitKey}\n  secret: ${SECRETS.livekitSecret}\n`,
  "usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties": `bigbluebutton.web.serverURL=http://203.0.113.11\nsecuritySalt=${SECRETS.packaged}\n`,
  "usr/share/bbb-graphql-server/admin-secret": `HASURA_GRAPHQL_ADMIN_SECRET=${SECRETS.hasura}\n`,
  "usr/share/bbb-graphql-server/config.yaml": `admin_secret: ${SECRETS.hasura}\n`,
  "usr/share/etherpad-lite/APIKEY.txt": SECRETS.etherpad,
  "usr/share/etherpad-lite/SESSIONKEY.txt": SECRETS.session,
  "usr/local/bigbluebutton/bbb-pads/config/settings.json": `{"key": "${SECRETS.etherpad}"}\n`,
  [VARS]: `<X-PRE-PROCESS cmd="set" data="local_ip_v4=203.0.113.11"/>\n`,
  [`${FREESWITCH}/autoload_configs/event_socket.conf.xml`]: `<param name="password" value="${SECRETS.esl}"/>\n`,
  [`${FREESWITCH}/tls/wss.pem`]: PEM,
  "usr/local/bigbluebutton/core/scripts/bigbluebutton.yml":
    "bbb_version: 3.0\nplayback_host: bbb-k3x9q2.example.test\nplayback_protocol: https\n",
  "etc/nginx/sites-available/bigbluebutton": "server_name bbb-k3x9q2.example.test;\n",
  "var/lib/redis/dump.rdb": "meeting",
  "var/bigbluebutton/events/0123456789012345678901234567890123456789-1732900000000/events.xml": "x",
  "tmp/event_socket.conf.xml": SECRETS.esl,
  "var/log/bbb-deploy/wire.log": "bbb-k3x9q2.example.test",
  "var/lib/bbb-deploy/wire/written/input": SECRETS.shared,
  "usr/local/lib/bbb-deploy/authorized_keys": "ssh-ed25519 AAAAoperator\n",
};

/** What the operator's command hands over. */
export const CANARIES = {
  secrets: { "the TURN secret": "turnsecretofthebuilder", "the shared secret": SECRETS.shared },
  names: { "the builder's name": "bbb-k3x9q2.example.test", "the builder's address": "203.0.113.11" },
};

/** Returns a host with BigBlueButton on it, as an installation leaves it. */
export function installedHost(): FakeHost {
  const host = new FakeHost();
  for (const [name, text] of Object.entries(FILES)) host.put(name, text);
  for (const name of ["apt-get", "cloud-init", "swapoff", "sync", "fstrim", "update-ca-certificates"]) {
    host.fake(name);
  }
  host.fake(
    "systemctl",
    `if [[ $1 == list-unit-files ]]; then
  printf '%s enabled enabled\\n' bigbluebutton.target nginx.service bbb-web.service ssh.service bbb-deploy-metadata-guard.service
fi`,
  );
  host.fake("ip", "echo '2: eth0    inet 203.0.113.11/32 brd 203.0.113.11 scope global eth0'");
  return host;
}

export function seal(host: FakeHost, canaries: object = CANARIES): Promise<Done> {
  const flags = "--role bbb --release jammy-30 --scripts 0123456789ab --built 1764460800".split(" ");
  return host.script("seal.sh", flags, JSON.stringify(canaries));
}

/** Returns a host with a copy of a disk, and a machine-id of its own, as systemd makes it. */
export function copyOf(image: FakeHost, machineId: string): FakeHost {
  const host = new FakeHost();
  cpSync(image.root, host.root, { recursive: true });
  host.put("etc/machine-id", `${machineId}\n`);
  host.fake("systemctl");
  host.fake("ip");
  return host;
}

/** Text of all files of a host, for a look at what is on its disk. */
export function everything(host: FakeHost): string {
  return readdirSync(host.root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path}\n${readFileSync(path, "utf8")}`)
    .join("\n");
}
