import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { renderTurnServerConf } from "../../../bigbluebutton/coturn";
import { renderTurnStunServers } from "../../../bigbluebutton/turnStunServers";
import { check } from "./checks";
import { FakeHost } from "./scripts";

const SECRET = "a".repeat(64);
const REMEDY = "put it back: give the setting rotateTurnSecret a new value, then pulumi up";
const xml = (host = "turn.example.org", secret = SECRET) =>
  renderTurnStunServers({ form: "override", host, secret });
const PACKAGED = readFileSync(
  join(
    __dirname,
    "../../../sandbox/bbb/packages/bbb-web/root/usr/share/bbb-web/WEB-INF/classes/spring/turn-stun-servers.xml",
  ),
  "utf8",
);
const conf = (address = "203.0.113.2") =>
  renderTurnServerConf({ realm: "turn.example.org", listeningAddresses: [address] });

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
});

afterEach(() => host.remove());

const put = (text: string) => {
  host.put("file", text);
  chmodSync(join(host.root, "file"), 0o640);
};
const checked = (what: "xml" | "conf", expected: string) =>
  check(host, "turn_files", `check_${what}`, join(host.root, "file"), expected);

test.each(["override", "legacy"] as const)(
  "turn-stun-servers.xml in the form %s is recognised",
  async (form) => {
    const ours = renderTurnStunServers({ form, host: "turn.example.org", secret: SECRET });
    put(ours);
    const found = await checked("xml", ours);
    expect(found).toMatchObject({ verdict: "ok" });
    expect(found.answer).toContain("as deployed: turn");
    expect(found.answer).toContain("turns:turn.example.org:443?transport=tcp");
  },
);

test.each([
  [
    "overwritten by a package",
    PACKAGED,
    "FAIL",
    "overwritten, as by a package or the installer: it names no TURN server",
  ],
  [
    "with another server",
    xml("turn.elsewhere.org"),
    "FAIL",
    "other servers: turn:turn.elsewhere.org:3478, turns:turn.elsewhere.org:443?transport=tcp",
  ],
  [
    "with another secret",
    xml(undefined, "b".repeat(64)),
    "FAIL",
    "the right servers with another secret: they refuse all clients",
  ],
  ["cut off", xml().slice(0, 300), "FAIL", "not well-formed XML, in line 3: bbb-web may not start"],
  [
    "edited",
    `${xml()}<!-- by hand -->\n`,
    "warn",
    "the same servers and secret, but another text: somebody has edited it",
  ],
])("turn-stun-servers.xml %s is told apart", async (_, text, verdict, answer) => {
  put(text);
  const found = await checked("xml", xml());
  expect(found).toMatchObject({ verdict, answer, remedy: REMEDY });
  expect(JSON.stringify(found)).not.toMatch(/a{64}|b{64}/);
});

test("turn-stun-servers.xml that is missing is told", async () => {
  expect(await checked("xml", xml())).toMatchObject({
    verdict: "FAIL",
    answer: "it is missing: people behind strict firewalls get no TURN server",
  });
});

test("coturn's configuration as deployed is recognised", async () => {
  put(conf());
  expect(await checked("conf", conf())).toMatchObject({
    verdict: "ok",
    answer: expect.stringMatching(/^as deployed, \d+ settings$/) as string,
  });
});

test.each([
  [
    "of the package",
    "# Coturn TURN SERVER configuration file\n#listening-port=3478\n",
    "FAIL",
    "overwritten, as by a package: it has no settings",
  ],
  [
    "with another address and a switch gone",
    conf("198.51.100.9").replace("no-cli\n", ""),
    "FAIL",
    "not as deployed in listening-ip, no-cli, relay-ip",
  ],
  [
    "with a peer and a secret of somebody's",
    `${conf()}static-auth-secret=more\nallowed-peer-ip=198.51.100.9\n`,
    "FAIL",
    "not as deployed in allowed-peer-ip, static-auth-secret",
  ],
  [
    "edited",
    conf().replace("# TLS", "# tls"),
    "warn",
    "the same settings, but another text: somebody has edited it",
  ],
])("coturn's configuration %s is told apart", async (_, text, verdict, answer) => {
  put(text);
  const found = await checked("conf", conf());
  expect(found).toMatchObject({ verdict, answer, remedy: REMEDY });
  expect(JSON.stringify(found)).not.toMatch(/a{64}|b{64}/);
});

test("a secret that every user of the host can read is worth a warning", async () => {
  put(xml());
  chmodSync(join(host.root, "file"), 0o644);
  expect(await checked("xml", xml())).toMatchObject({
    verdict: "warn",
    answer: "as deployed, but every user of this host can read the secret in it",
  });
});
