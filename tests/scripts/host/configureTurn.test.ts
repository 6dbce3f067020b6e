import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

import { renderTurnServerConf } from "../../../bigbluebutton/coturn";
import { FakeHost } from "./scripts";

const conf = (address = "203.0.113.11") =>
  renderTurnServerConf({ realm: "turn.example.test", listeningAddresses: [address] });

const LISTENING = `echo 'LISTEN 0 5 203.0.113.11:443 0.0.0.0:* users:(("turnserver",pid=1,fd=4))'`;

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
  host.fake("systemctl");
  host.fake("journalctl", "echo why coturn died");
  host.fake("ss", LISTENING);
  host.fake("dpkg-query", "printf installed");
});

afterEach(() => host.remove());

const configure = (text = conf()) => host.script("configure-turn.sh", [], text);
const restarts = () => host.called("systemctl").filter((line) => line.includes(" restart coturn"));

test("the configuration comes whole into its file, and coturn is started with it for the first time", async () => {
  expect((await configure()).code).toBe(0);
  expect(host.read("etc/turnserver.conf")).toBe(conf());
  expect(statSync(join(host.root, "etc/turnserver.conf")).mode & 0o777).toBe(0o640);
  const calls = host.called("systemctl").map((line) => line.split(" ")[1]);
  expect(calls.slice(-3)).toEqual(["unmask", "enable", "restart"]);
});

test("the host bounds how often coturn answers one address, or one network of IPv6, that may not have asked", async () => {
  expect((await configure()).code).toBe(0);
  const rules = host.read("etc/bbb-deploy/relay-guard.nft");
  const chain = (name: string) =>
    new RegExp(`chain ${name} {\n([^}]*(?:} counter drop[^}]*)*)}`).exec(rules)?.[1]?.trim().split(/\n */);
  for (const [family, source, destination] of [
    ["ipv4", "ip saddr", "ip daddr"],
    ["ipv6", "ip6 saddr & ffff:ffff:ffff:ffff::", "ip6 daddr & ffff:ffff:ffff:ffff::"],
  ] as const) {
    const atMost = (set: string, bound: string) =>
      `update @${set}_${family} { ${source} limit rate over ${bound} packets } counter drop`;
    const granted = `${source} @granted_${family}`;
    expect(chain(`requests_${family}`)).toEqual([
      `@th,64,16 0x0001 ${atMost("bindings", "200/second burst 1000")}`,
      "@th,64,16 0x0001 accept",
      // 72 bytes, the realm of 17 filled up to 20, and 8 of UDP.
      `${granted} udp length >= 100 accept`,
      `${granted} ${atMost("known", "500/second burst 4000")}`,
      `${granted} accept`,
      atMost("strangers", "200/second burst 2500"),
    ]);
    const requests = "@th,96,32 0x2112a442 @th,64,16 & 0xc110 == 0";
    expect(rules).toContain(`meta nfproto ${family} udp dport 3478 ${requests} jump requests_${family}\n`);
    const grants = "@th,96,32 0x2112a442 @th,64,16 & 0xc110 == 0x0100 @th,64,16 != 0x0101";
    expect(rules).toContain(
      `meta nfproto ${family} udp sport 3478 ${grants} update @granted_${family} { ${destination} }\n`,
    );
  }
  expect(rules).not.toContain("skuid");
});

test("the same again restarts nothing, even with a new secret; another address does", async () => {
  await configure();
  host.forgetCalls();
  await host.script("configure-turn.sh", ["--rotate-turn-secret", "2026"], conf());
  expect(restarts()).toEqual([]);
  await configure(conf("203.0.113.12"));
  expect(restarts()).toHaveLength(1);
});

test("a coturn that is not running is started, though nothing changed", async () => {
  await configure();
  host.fake("systemctl", "if [[ $1 == is-active ]]; then exit 3; fi");
  host.forgetCalls();
  await configure();
  expect(restarts()).toHaveLength(1);
});

test("a failed restart is told with its reason, and made up for", async () => {
  host.fake("systemctl", '[[ "$1 $2" != "restart coturn.service" ]]');
  const { code, output } = await configure();
  expect([code, output]).toEqual([1, expect.stringMatching(/why coturn died[^]*see journalctl -u coturn/)]);
  host.fake("systemctl");
  host.forgetCalls();
  expect((await configure()).code).toBe(0);
  expect(restarts()).toHaveLength(1);
});

test.each(["", "listening-port=3478\n", conf().replace(/^userdb=.*$/m, "userdb=")])(
  "a configuration that would open the relay is refused: %#",
  async (text) => {
    expect(await configure(text)).toMatchObject({ code: 1, output: expect.stringContaining("is not whole") });
    expect(existsSync(join(host.root, "etc/turnserver.conf"))).toBe(false);
    expect(host.called("systemctl")).toEqual([]);
  },
);
