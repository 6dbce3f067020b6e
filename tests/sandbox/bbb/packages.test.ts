import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";

import { FakeHost, packaged, STANDIN } from "./standin";

/** Effects of the packages' scripts on a host, at an installation and at an upgrade. */

const DEFAULTS = "/usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties";
const RECORDINGS = "/usr/local/bigbluebutton/core/scripts/bigbluebutton.yml";

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
  for (const name of ["chown", "install", "systemctl"]) host.command(name, "exit 0");
  host.command("hostname", "echo 203.0.113.7 2001:db8::1");
  mkdirSync(host.path("/etc/bigbluebutton/bbb-webrtc-sfu"), { recursive: true });
  mkdirSync(host.path("/tmp"), { recursive: true });
});
afterEach(() => host.remove());

const run = (name: string, script: "preinst" | "postinst"): void => {
  const { status, stderr } = host.run(join(STANDIN, "packages", name, script), ["configure"]);
  expect(stderr).toBe("");
  expect(status).toBe(0);
};
const mode = (path: string): string => (statSync(host.path(path)).mode & 0o7777).toString(8);
const unpack = (name: string, path: string): void => host.copy(packaged(name, path.slice(1)), path);

test("akka's settings are readable by everybody, as the real packages leave them, and have no secret yet", () => {
  for (const name of ["bbb-apps-akka", "bbb-fsesl-akka"]) {
    run(name, "postinst");
    expect(mode(`/etc/bigbluebutton/${name}.conf`)).toBe("644");
  }
  expect(host.read("/etc/bigbluebutton/bbb-apps-akka.conf")).not.toContain("sharedSecret");
});

test("no package makes bbb-web.properties in /etc: it is bbb-conf that does", () => {
  for (const name of ["bbb-web", "bbb-config"]) {
    const script = readFileSync(join(STANDIN, "packages", name, "postinst"), "utf8");
    expect(script).not.toContain("etc/bigbluebutton/bbb-web.properties");
  }
});

test("an upgrade of bbb-web gives its packaged settings the address and another secret", () => {
  unpack("bbb-web", DEFAULTS);
  run("bbb-web", "postinst");
  const first = host.read(DEFAULTS);
  expect(first).toMatch(/^bigbluebutton\.web\.serverURL=http:\/\/203\.0\.113\.7$/m);
  run("bbb-web", "postinst");
  const secret = (text: string) => /^securitySalt=(\w{40})$/m.exec(text)?.[1];
  expect(secret(first)).toBeDefined();
  expect(secret(host.read(DEFAULTS))).not.toBe(secret(first));
});

test("an upgrade of bbb-record-core makes the address the host of recordings' links, and keeps the protocol", () => {
  unpack("bbb-web", DEFAULTS);
  run("bbb-web", "postinst");
  unpack("bbb-record-core", RECORDINGS);
  const settings = host.read(RECORDINGS);
  run("bbb-record-core", "preinst");
  host.write(RECORDINGS, settings);
  host.write("/tmp/bigbluebutton.yml", "playback_host: bbb.example.test\nplayback_protocol: https\n");
  run("bbb-record-core", "postinst");
  expect(host.read(RECORDINGS)).toContain("playback_host: 203.0.113.7\nplayback_protocol: https\n");
});

test("the site has the packages' parts by way of the operator's directory alone", () => {
  const site = "/usr/share/bbb-standin/site.nginx";
  unpack("bbb-config", site);
  mkdirSync(host.path("/etc/bigbluebutton/nginx"), { recursive: true });
  mkdirSync(host.path("/etc/bigbluebutton/bbb-conf"), { recursive: true });
  mkdirSync(host.path("/etc/nginx/sites-available"), { recursive: true });
  mkdirSync(host.path("/etc/nginx/sites-enabled"), { recursive: true });
  run("bbb-config", "postinst");
  const included = host.read("/etc/nginx/sites-available/bigbluebutton").match(/include .*/g);
  expect(included).toEqual(['include "/etc/bigbluebutton/nginx/*.nginx";']);
  expect(readlinkSync(host.path("/etc/bigbluebutton/nginx/include_default.nginx"))).toBe(
    host.path("/usr/share/bigbluebutton/include_default.nginx"),
  );
  expect(readlinkSync(host.path("/etc/bigbluebutton/bbb-conf/apply-lib.sh"))).toBe(
    host.path("/usr/lib/bbb-conf/apply-lib.sh"),
  );
});

test("LiveKit's two overrides have one key and secret, which bbb-webrtc-sfu has too, and nobody else reads", () => {
  host.write("/proc/net/route", "eth0\t00000000\n");
  host.command("ip", "echo 'eth0 UP 203.0.113.7/32'");
  const sfu = "/usr/local/bigbluebutton/bbb-webrtc-sfu/config/default.yml";
  unpack("bbb-webrtc-sfu", sfu);
  run("bbb-livekit", "postinst");
  run("bbb-webrtc-sfu", "postinst");
  const [, key, secret] = /^keys:\n {2}(\w+): (\w+)$/m.exec(host.read("/etc/bigbluebutton/livekit.yaml"))!;
  expect(host.read("/etc/bigbluebutton/livekit-sip.yaml")).toContain(
    `api_key: ${key}\napi_secret: ${secret}\n`,
  );
  expect(host.read(sfu)).toContain(`livekit:\n  enabled: true\n  key: ${key}\n  secret: ${secret}\n`);
  for (const path of ["/etc/bigbluebutton/livekit.yaml", "/etc/bigbluebutton/livekit-sip.yaml", sfu]) {
    expect(mode(path)).toBe("640");
  }
});

describe("secrets that packages make once, and that no upgrade changes", () => {
  const GRAPHQL = "/usr/share/bbb-graphql-server";
  const SOCKET = "/opt/freeswitch/etc/freeswitch/autoload_configs/event_socket.conf.xml";

  const setUpGraphql = () => {
    unpack("bbb-graphql-server", `${GRAPHQL}/config.yaml`);
    unpack("bbb-graphql-server", `${GRAPHQL}/metadata`);
    run("bbb-graphql-server", "postinst");
    return [
      host.read(`${GRAPHQL}/admin-secret`).trim().split("="),
      host.read(`${GRAPHQL}/config.yaml`),
    ] as const;
  };

  test("Hasura's admin secret is in its own file, and in that of its command", () => {
    const [[name, secret], config] = setUpGraphql();
    expect(name).toBe("HASURA_GRAPHQL_ADMIN_SECRET");
    expect(secret).toMatch(/^\w{48}$/);
    expect(config).toContain(`admin_secret: ${secret}\n`);
    const [[, after], configAfter] = setUpGraphql();
    expect(after).toBe(secret);
    expect(configAfter).toBe(config);
  });

  test("a second run of Hasura's script without an upgrade fails, for want of what the first has removed", () => {
    setUpGraphql();
    const { status, stderr } = host.run(join(STANDIN, "packages/bbb-graphql-server/postinst"), ["configure"]);
    expect(status).toBe(1);
    expect(stderr).toContain("metadata: no such directory");
  });

  test("Etherpad makes its keys at its start, where it has none, and bbb-pads copies one", async () => {
    const home = host.path("/usr/share/etherpad-lite");
    mkdirSync(home, { recursive: true });
    const start = () =>
      spawnSync(
        "/usr/bin/timeout",
        ["1", "/usr/bin/python3", "-I", "-B", join(host.root, "lib/etherpad.py"), "--home", home, "0"],
        { encoding: "utf8" },
      );
    for (const [name, file] of [
      ["bbb-etherpad", "etherpad.py"],
      ["bbb-standin", "service.py"],
    ] as const) {
      host.copy(packaged(name, `usr/lib/bbb-standin/${file}`), `/lib/${file}`);
    }
    start();
    const keys = ["APIKEY.txt", "SESSIONKEY.txt"].map((name) =>
      host.read(`/usr/share/etherpad-lite/${name}`),
    );
    expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(keys[1]).not.toBe(keys[0]);
    start();
    expect(host.read("/usr/share/etherpad-lite/APIKEY.txt")).toBe(keys[0]);

    const settings = "/usr/local/bigbluebutton/bbb-pads/config/settings.json";
    unpack("bbb-pads", settings);
    run("bbb-pads", "postinst");
    expect(JSON.parse(host.read(settings))).toMatchObject({ etherpad: { api: { key: keys[0] } } });
  });

  test("an upgrade of FreeSWITCH keeps the event socket's password, and leaves a copy in /tmp", () => {
    host.command("ip", "echo 'eth0 UP 203.0.113.7/24'");
    const files = ["vars.xml", "sip_profiles/external.xml", "autoload_configs/event_socket.conf.xml"];
    const unpackAll = () => {
      for (const file of files) unpack("bbb-freeswitch-core", `/opt/freeswitch/etc/freeswitch/${file}`);
    };
    unpackAll();
    host.write(SOCKET, host.read(SOCKET).replace("ClueCon", "kept"));
    mkdirSync(host.path("/opt/freeswitch/var/log/freeswitch"), { recursive: true });
    run("bbb-freeswitch-core", "preinst");
    unpackAll();
    run("bbb-freeswitch-core", "postinst");
    expect(host.read(SOCKET)).toContain('value="kept"');
    expect(host.read("/tmp/event_socket.conf.xml")).toContain('value="kept"');
  });

  test("FreeSWITCH makes its keys at its start, where it has none", () => {
    const conf = host.path("/opt/freeswitch/etc/freeswitch");
    mkdirSync(join(conf, "tls"), { recursive: true });
    const make = () =>
      spawnSync("/usr/bin/python3", [
        "-B",
        "-c",
        `import sys; sys.path[:0] = ${JSON.stringify(
          ["bbb-freeswitch-core", "bbb-standin"].map((name) => packaged(name, "usr/lib/bbb-standin")),
        )}; import freeswitch; freeswitch.make_keys(sys.argv[1])`,
        conf,
      ]);
    expect(make().status).toBe(0);
    const path = "/opt/freeswitch/etc/freeswitch/tls/wss.pem";
    expect(host.read(path)).toMatch(/PRIVATE KEY[^]*BEGIN CERTIFICATE/);
    expect(mode(path)).toBe("600");
    const first = host.read(path);
    make();
    expect(host.read(path)).toBe(first);
  });

  test("an upgrade of bbb-web leaves its settings of before in /tmp", () => {
    unpack("bbb-web", DEFAULTS);
    run("bbb-web", "preinst");
    expect(host.read("/tmp/bigbluebutton.properties")).toContain("securitySalt=");
  });
});
