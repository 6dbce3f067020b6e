import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { MEDIA_PORTS } from "../../../bigbluebutton/ports";
import { CERTIFICATE_DAYS } from "../../../bigbluebutton/certificateDays";
import {
  renderHostRequest,
  type HostRequest,
  type SharedTurnRequest,
} from "../../../bigbluebutton/verification";
import type { Record } from "./checks";
import { dig, GOOD } from "./dig";
import { done, FakeHost, SCRIPTS } from "./scripts";

const SECRET = "Zq3vT8mW1xK5nB7cR2yH9dL4";
const REQUEST = {
  role: "bbb",
  zone: "example.invalid",
  bbbHost: "bbb.example.invalid",
  turnHost: "turn.example.invalid",
  // Where their names can't be looked up, this is where they are asked.
  ipv4: "127.0.0.1",
  untrustedCa: false,
  untrustedTurnCa: false,
  ownCertificates: [],
  certificateDays: CERTIFICATE_DAYS,
  mediaPorts: MEDIA_PORTS,
  release: "jammy-30",
  version: "3.0",
  recordings: true,
  sharedSecret: SECRET,
  turnSecret: "turn",
  turnXml: { path: "/etc/bigbluebutton/turn-stun-servers.xml", text: "<beans/>" },
} satisfies HostRequest;
const TURN_REQUEST = {
  role: "turn",
  zone: "example.invalid",
  bbbHost: "bbb.example.invalid",
  turnHost: "turn.example.invalid",
  ipv4: "127.0.0.1",
  untrustedCa: false,
  untrustedTurnCa: false,
  ownCertificates: [],
  certificateDays: CERTIFICATE_DAYS,
  mediaPorts: MEDIA_PORTS,
  turnSecret: SECRET,
  bbbIpv4: "127.0.0.1",
  turnServerConf: { path: "/etc/turnserver.conf", text: "no-cli\n" },
} satisfies HostRequest;

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
  host.fake("systemctl", "if [[ $1 == is-active ]]; then shift; for unit; do echo active; done; fi");
  host.fake("dpkg-query", "echo installed");
  host.fake("dig", dig(GOOD));
  host.fake("apt-mark");
  host.fake("systemd-detect-virt", "echo systemd-nspawn");
  host.fake(
    "bbb-conf",
    `echo "# Potential problems described below"
echo "# Warning: Webhooks API Shared Secret mismatch:"
echo "#    bbb-web.properties = ${SECRET}"`,
  );
  host.put("etc/bigbluebutton/bigbluebutton-release", "BIGBLUEBUTTON_RELEASE=3.0.26\n");
  host.put("proc/net/if_inet6", "00000000000000000000000000000001 01 80 10 80       lo\n");
  mkdirSync(join(host.root, "tmp"));
  host.fake("setpriv");
  host.put("proc/meminfo", "MemTotal: 16000000 kB\nMemAvailable: 8000000 kB\nMemFree: 8000000 kB\n");
  mkdirSync(join(host.directory, "lib"));
  const names = readdirSync(SCRIPTS).filter((name) => /^(verify|lib)\.sh$|\.py$/.test(name));
  for (const name of names) copyFileSync(join(SCRIPTS, name), join(host.directory, "lib", name));
  // Names that don't resolve are asked for in vain, and aioice may be there or not.
  writeFileSync(
    join(host.directory, "lib/turn_check.py"),
    'def check_turn(page, host, peer, secret, own, media, stack=None):\n    page.add("TURN", host, "ok", f"own peer: {own}, media {media}", 0)\n',
  );
});

afterEach(() => host.remove());

async function records(
  request: HostRequest | SharedTurnRequest,
  more: object = {},
): Promise<Map<string, Record>> {
  const command = ["/usr/bin/python3", "-B", join(host.directory, "lib/host_check.py"), "--json"];
  const { code, output } = await done(host.start(command), `${JSON.stringify({ ...request, ...more })}\n`);
  expect(output).not.toContain(SECRET);
  expect(code).toBe(1);
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  const [ready, now, ...rest] = lines.map((line) => JSON.parse(line) as object);
  expect(ready).toEqual({ ready: true });
  expect(now).toEqual({ now: expect.any(Number) as number });
  expect(rest.pop()).toEqual({ end: true });
  return new Map((rest as Record[]).map((record) => [record.name, record]));
}

test("the BigBlueButton host's page goes on after a failure, and names everything", async () => {
  const found = await records(REQUEST);
  expect([...found].map(([name, { verdict }]) => `${verdict} ${name}`)).toEqual([
    ...[
      "ok services",
      "ok answers",
      "ok release",
      "warn bbb-conf",
      expect.stringMatching(/ media addresses$/),
    ],
    ...[
      "warn resolver",
      "ok IPv6",
      "warn name",
      "FAIL front page",
      "FAIL API",
      "FAIL certificate",
      "skip signed call",
      "skip wrong signature",
      "FAIL renewal",
      "ok recordings' links",
      "ok shared secret",
      "FAIL TURN wiring",
      "FAIL files",
    ],
    ...["ok TURN", "ok clock", expect.stringMatching(/ disk$/), expect.stringMatching(/ temporary files$/)],
    ...["FAIL recordings", "ok memory", "ok units"],
    "warn updates",
  ]);
  expect(found.get("TURN")?.answer).toBe("own peer: True, media {'from': 16384, 'to': 32768}");
  expect(found.get("API")).toMatchObject({ asked: "GET bbb.example.invalid/bigbluebutton/api" });
  expect(found.get("bbb-conf")?.answer).toBe(
    "Warning: Webhooks API Shared Secret mismatch: bbb-web.properties = (secret)",
  );
});

test("the other host's ports are tried where the request says which", async () => {
  const ports = { host: "127.0.0.1", open: [], quiet: [], closed: [1] };
  const found = await records(REQUEST, { ports });
  expect(found.get("ports")).toMatchObject({ verdict: "warn", asked: "127.0.0.1, as a stranger" });
});

test("a meeting is made only when asked for", async () => {
  expect((await records(REQUEST)).has("test meeting")).toBe(false);
  expect((await records(REQUEST, { meeting: true })).has("test meeting")).toBe(true);
});

test("the TURN host's page asks BigBlueButton without a secret", async () => {
  const found = await records(TURN_REQUEST);
  expect([...found.keys()].slice(0, -3)).toEqual([
    ...[
      "coturn",
      "files",
      "coturn's settings",
      "TURN certificate",
      "renewal",
      "resolver",
      "name",
      "front page",
      "API",
      "certificate",
      "wrong signature",
    ],
    ...["TURN", "clock", "disk", "temporary files"],
  ]);
  expect(found.get("TURN")?.answer).toBe("own peer: False, media {'from': 16384, 'to': 32768}");
});

test("a shared TURN host's page asks nothing of any BigBlueButton server, and its alerts of no other host", async () => {
  const { role, zone, turnHost, ipv4, untrustedCa, untrustedTurnCa, ownCertificates } = TURN_REQUEST;
  const { certificateDays, turnSecret, turnServerConf } = TURN_REQUEST;
  const shared: SharedTurnRequest = {
    ...{ role, zone, turnHost, ipv4, untrustedCa, untrustedTurnCa, ownCertificates },
    ...{ certificateDays, turnSecret, turnServerConf },
  };
  const found = await records(shared, { other: true });
  expect([...found.keys()].slice(0, -3)).toEqual([
    ...["coturn", "files", "coturn's settings", "TURN certificate", "renewal", "resolver", "name"],
    ...["clock", "disk", "temporary files"],
  ]);
  expect(found.get("clock")?.asked).toBe("NTP");
  expect(await records(TURN_REQUEST, { other: true })).toHaveProperty("size", found.size + 6);
});

test("the step shows the page, fails with what to do, and keeps secrets from operator and log", async () => {
  const shown = await done(
    host.start(["bash", join(host.directory, "lib/verify.sh")], {
      BBB_DEPLOY_LABEL: "bbb 7/7",
      BBB_DEPLOY_PATIENCE: "0",
    }),
    renderHostRequest({ ...REQUEST, bbbHost: "127.0.0.1" }),
  );
  expect(shown.output).toMatch(/^ +took +check +asked +came back \[bbb 7\/7\]$/m);
  expect(shown.output).toMatch(
    /^ok +\d+\.\d s {2}services +systemctl is-active +all \d+ active \[bbb 7\/7\]$/m,
  );
  expect(shown.output).toContain("\nnot all is well: mend what the lines with FAIL name");
  expect(shown.output).toContain("bbb-web.properties = (secret)");
  expect(shown.output).not.toContain(SECRET);
  expect(shown.code).toBe(1);
});
