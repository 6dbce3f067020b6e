import { dirname, join } from "node:path";

import { check } from "./checks";
import { done, SCRIPTS, type FakeHost } from "./scripts";
import { copyOf, installedHost, seal, SECRETS } from "./sealedHost";

const [FIRST, SECOND] = ["1".repeat(32), "2".repeat(32)] as const;
const hosts: FakeHost[] = [];
let image: FakeHost;

beforeEach(async () => {
  image = keep(installedHost());
  expect(await seal(image)).toMatchObject({ code: 0 });
});
afterEach(() => hosts.splice(0).forEach((host) => host.remove()));

function keep(host: FakeHost): FakeHost {
  hosts.push(host);
  return host;
}

/** A host with the image's disk, and a machine-id of its own, as systemd makes it. */
function copy(machineId: string): FakeHost {
  const host = keep(copyOf(image, machineId));
  const key = `${host.root}/etc/ssl/private/ssl-cert-snakeoil.key`;
  host.fake("make-ssl-cert", `mkdir -p ${dirname(key)}; echo $RANDOM$RANDOM >${key}`);
  return host;
}

const NAME = "bbb-m2n8p4.example.test";

const run = (host: FakeHost, script: string, ...args: string[]) =>
  done(host.start(["/usr/bin/python3", "-B", join(SCRIPTS, script), "--root", host.root, ...args]));
const personalise = (host: FakeHost) => run(host, "personalise.py", "--hostname", NAME);
const identity = async (host: FakeHost) =>
  JSON.parse((await run(host, "identity_check.py")).output) as Record<string, string>;

test("two copies of one image share no secret, with each other or with the builder", async () => {
  const [first, second] = [copy(FIRST), copy(SECOND)];
  for (const host of [first, second]) {
    const { code, output } = await personalise(host);
    expect(output).toContain("this host is a copy of an image with BigBlueButton 3.0.26, made on 2025-11-30");
    expect(code).toBe(0);
  }
  const [one, other, builder] = [
    await identity(first),
    await identity(second),
    await identity(keep(installedHost())),
  ];
  expect(Object.keys(one)).toEqual(
    expect.arrayContaining([
      "machine-id",
      "LiveKit's key",
      "LiveKit's secret",
      "Hasura's secret",
      "Etherpad's key",
      "snakeoil key",
    ]),
  );
  for (const [thing, digest] of Object.entries(one)) {
    expect(other[thing]).not.toBe(digest);
    expect(builder[thing]).not.toBe(digest);
  }
});

test("a copy has its name where the installer looks for it, which would else start BigBlueButton once more", async () => {
  const host = copy(FIRST);
  const file = "usr/local/bigbluebutton/core/scripts/bigbluebutton.yml";
  expect(host.read(file)).toContain("playback_host: bbb-image.invalid\n");
  await personalise(host);
  expect(host.read(file)).toContain(`playback_host: ${NAME}\n`);
});

test("each file that has a secret has the same one, and bbb-web one that is not the packaged", async () => {
  const host = copy(FIRST);
  await personalise(host);
  const value = (path: string, expression: RegExp) => expression.exec(host.read(path))![1]!;
  const shared = value("etc/bigbluebutton/bbb-web.properties", /securitySalt=(\w{48})$/m);
  expect(value("etc/bigbluebutton/bbb-apps-akka.conf", /sharedSecret="(.*)"/)).toBe(shared);
  expect(
    value("usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties", /securitySalt=(\w{48})$/m),
  ).not.toBe(shared);
  const hasura = value(
    "usr/share/bbb-graphql-server/admin-secret",
    /^HASURA_GRAPHQL_ADMIN_SECRET=(\w{48})$/m,
  );
  expect(host.read("usr/share/bbb-graphql-server/config.yaml")).toBe(`admin_secret: ${hasura}\n`);
  const [, key, secret] = /(API\w{12}): (\w{48})/.exec(host.read("etc/bigbluebutton/livekit.yaml"))!;
  expect(host.read("etc/bigbluebutton/livekit-sip.yaml")).toBe(`api_key: ${key}\napi_secret: ${secret}\n`);
  expect(host.read("usr/local/bigbluebutton/bbb-webrtc-sfu/config/default.yml")).toContain(
    `key: ${key}\n  secret: ${secret}`,
  );
  const pad = host.read("usr/share/etherpad-lite/APIKEY.txt");
  expect(host.read("usr/local/bigbluebutton/bbb-pads/config/settings.json")).toBe(`{"key": "${pad}"}\n`);
});

test("a second run changes nothing and says nothing", async () => {
  const host = copy(FIRST);
  await personalise(host);
  const before = await identity(host);
  host.forgetCalls();
  expect(await personalise(host)).toEqual({ code: 0, output: "" });
  expect(await identity(host)).toEqual(before);
  expect(host.called()).toEqual([]);
});

test("one that is cut off goes on with the secrets that it had made, and is not taken for done", async () => {
  const host = copy(FIRST);
  host.fake("systemctl", "[[ $1 != enable ]]");
  expect(await personalise(host)).toMatchObject({ code: 1 });
  const before = await identity(host);
  expect(await check(host, "identity_check", "check_identity", host.root, "bbb.example.test")).toMatchObject({
    verdict: "FAIL",
    answer: expect.stringContaining("has not got secrets of its own") as string,
  });
  host.fake("systemctl");
  expect(await personalise(host)).toMatchObject({ code: 0 });
  expect(host.called("systemctl")).toContain(
    "systemctl enable --quiet bigbluebutton.target nginx.service bbb-web.service",
  );
  const after = await identity(host);
  delete before["snakeoil key"];
  expect(after).toMatchObject(before);
});

test("secrets that an interrupted run has left in a copy's own copy are not that one's", async () => {
  const host = copy(FIRST);
  host.put(
    "var/lib/bbb-deploy/personalising",
    JSON.stringify({ instance: SECOND, values: { hasura: SECRETS.hasura } }),
  );
  expect(await personalise(host)).toMatchObject({ code: 0 });
  expect(host.read("usr/share/bbb-graphql-server/admin-secret")).not.toContain(SECRETS.hasura);
});

describe("the check of a copy's identity", () => {
  const checked = (host: FakeHost) =>
    check(host, "identity_check", "check_identity", host.root, "bbb.example.test");
  let host: FakeHost;

  /** A copy after an installation, as the installer leaves it. */
  beforeEach(async () => {
    host = copy(FIRST);
    await personalise(host);
    host.put("etc/bigbluebutton/bbb-fsesl-akka.conf", 'freeswitch.esl.password="8899aabbccddeeff"\n');
    host.put(
      "opt/freeswitch/etc/freeswitch/autoload_configs/event_socket.conf.xml",
      '<param name="password" value="8899aabbccddeeff"/>\n',
    );
    host.put(
      "opt/freeswitch/etc/freeswitch/vars.xml",
      '<X-PRE-PROCESS cmd="set" data="local_ip_v4=203.0.113.12"/>\n',
    );
    host.fake("ip", '[[ $* == *203.0.113.12 ]] && echo "2: eth0 inet 203.0.113.12/32"');
  });

  test("tells digests, and no value", async () => {
    const record = await checked(host);
    expect(record).toMatchObject({ verdict: "ok" });
    expect(record.answer).toMatch(/^machine-id [0-9a-f]{12}, .*FreeSWITCH's password [0-9a-f]{12}/);
    expect(record.answer).not.toContain("8899aabbccddeeff");
  });

  test.each([
    [
      "the factory's password",
      "etc/bigbluebutton/bbb-fsesl-akka.conf",
      'password="ClueCon"',
      "FreeSWITCH's password is the factory's",
    ],
    [
      "the builder's address",
      "opt/freeswitch/etc/freeswitch/vars.xml",
      '<X-PRE-PROCESS cmd="set" data="local_ip_v4=203.0.113.11"/>',
      "local_ip_v4 is 203.0.113.11, which is on none",
    ],
    [
      "a mark",
      "usr/share/bbb-graphql-server/admin-secret",
      "HASURA_GRAPHQL_ADMIN_SECRET=sealed-hasura",
      "no secret of its own is in /usr/share/bbb-graphql-server/admin-secret",
    ],
    [
      "another machine-id than when it got its secrets",
      "etc/machine-id",
      SECOND,
      "has not got secrets of its own",
    ],
  ])("fails with %s", async (_, path, text, told) => {
    host.put(path, `${text}\n`);
    expect(await checked(host)).toMatchObject({
      verdict: "FAIL",
      answer: expect.stringContaining(told) as string,
    });
  });

  test("warns of a certificate of another name", async () => {
    host.put("etc/letsencrypt/renewal/bbb.example.test.conf", "");
    expect(await checked(host)).toMatchObject({ verdict: "ok" });
    host.put("etc/letsencrypt/renewal/old.example.test.conf", "");
    expect(await checked(host)).toMatchObject({
      verdict: "warn",
      answer: expect.stringContaining("old.example.test") as string,
    });
  });
});
