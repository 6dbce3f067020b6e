import {
  renderTurnAccess,
  renderTurnServerConf,
  type TurnAccessArgs,
  type TurnServerConfArgs,
} from "../../bigbluebutton/coturn";

const args: TurnServerConfArgs = {
  realm: "turn.example.org",
  listeningAddresses: ["203.0.113.20", "2001:db8:20::1"],
};

test("turnserver.conf of a host with addresses of its own", () => {
  expect(renderTurnServerConf(args))
    .toBe(`# Written by the deployment; changes made here are lost at the next update.

# STUN and TURN over UDP and TCP; TURN over TLS on TCP only
listening-port=3478
tls-listening-port=443
no-dtls
listening-ip=203.0.113.20
listening-ip=2001:db8:20::1
relay-ip=203.0.113.20
relay-ip=2001:db8:20::1
min-port=32769
max-port=65535

# Time-limited credentials, made by BigBlueButton from the shared secret, which is in the database
use-auth-secret
userdb=/var/lib/turn/turndb
realm=turn.example.org
fingerprint
stale-nonce=600

# TLS 1.2, the newest that coturn 4.6 takes, with forward secrecy and authenticated encryption
cert=/etc/turnserver/fullchain.pem
pkey=/etc/turnserver/privkey.pem
no-tlsv1
no-tlsv1_1
cipher-list=ECDHE+AESGCM:ECDHE+CHACHA20

# Relay to nobody but the BigBlueButton servers: those of the database win over what is denied
denied-peer-ip=0.0.0.0-255.255.255.255
denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
no-multicast-peers
no-tcp-relay

# Nothing that a BigBlueButton client does not use
no-cli
no-rfc5780
no-stun-backward-compatibility
response-origin-only-with-rfc5780
no-software-attribute

# Relays of one client and of all, and the bytes a second of each; the capacity books that for every relay, idle or not
user-quota=384
total-quota=9600
max-bps=1250000
bps-capacity=12000000000
max-allocate-timeout=60

log-file=/var/log/turnserver/turnserver.log
simple-log
new-log-timestamp
`);
});

test("behind NAT it listens on the private address and tells the public one", () => {
  const conf = renderTurnServerConf({
    ...args,
    listeningAddresses: ["10.0.0.5"],
    externalIp: { public: "203.0.113.20", private: "10.0.0.5" },
  });
  expect(conf.match(/^.*-ip=.*$/gm)).toEqual([
    "listening-ip=10.0.0.5",
    "relay-ip=10.0.0.5",
    "external-ip=203.0.113.20/10.0.0.5",
    "denied-peer-ip=0.0.0.0-255.255.255.255",
    "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  ]);
});

test("without NAT there is no external-ip", () => {
  expect(renderTurnServerConf(args)).not.toContain("external-ip");
});

test.each<[string, Partial<TurnServerConfArgs>, string]>([
  ["a realm with a line break", { realm: "turn\nno-auth" }, "realm must be"],
  ["no address", { listeningAddresses: [] }, "no listening address"],
])("refused: %s", (_name, change, message) => {
  expect(() => renderTurnServerConf({ ...args, ...change })).toThrow(message);
});

const access: TurnAccessArgs = {
  realm: "turn.example.org",
  secret: "0123456789abcdef",
  peers: ["203.0.113.10", "2001:db8:10::1"],
};

test("peers and secret are one line of JSON, with the ports that they are relayed from", () => {
  const text = renderTurnAccess(access);
  expect(text.endsWith("}\n")).toBe(true);
  expect(JSON.parse(text)).toEqual({ ...access, relayPorts: { from: 32769, to: 65535 } });
});

test.each<[string, Partial<TurnAccessArgs>, string]>([
  ["a secret with a quotation mark", { secret: "abc'def" }, "secret must be"],
  ["a network as a peer", { peers: ["0.0.0.0-255.255.255.255"] }, "is not an IP address"],
  ["no peer", { peers: [] }, "no peer"],
])("refused among peers and secret: %s", (_name, change, message) => {
  expect(() => renderTurnAccess({ ...access, ...change })).toThrow(message);
});
