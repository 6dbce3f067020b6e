import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

import { build, FakeHost, packaged, STANDIN } from "./standin";

/** Script that writes a key to the path after `-O`. */
const KEY = 'for word; do [[ $last == -O ]] && echo key >"$word"; last=$word; done';

let out: string;
beforeAll(() => (out = build()));
afterAll(() => rmSync(dirname(out), { recursive: true }));

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
  host.write("/proc/meminfo", "MemTotal:        8000000 kB\n");
  host.write("/proc/net/if_inet6", "");
  host.write("/proc/net/route", "eth0\t00000000\t0101A8C0\n");
  host.write("/etc/ssh/ssh_config", "#   Port 22\n");
  host.write("/etc/apt/sources.list.d/keep", "");
  host.command("uname", "echo x86_64");
  host.command("nproc", "echo 4");
  host.command(
    "wget",
    `if [[ $* == *keyserver* ]]; then ${KEY}; else [[ $* == *jammy-300/dists/bigbluebutton-jammy/Release.gpg ]]; fi`,
  );
  host.command("dig", "if [[ $2 == turn.example.test && $# == 2 ]]; then echo 198.51.100.9; fi");
  host.command("ip", "echo 'eth0 UP 203.0.113.7/32 '");
  host.command("dpkg", "exit 1");
  for (const name of ["apt-get", "certbot", "systemctl", "xmlstarlet", "nginx", "chown", "sleep", "yq"]) {
    host.command(name, "exit 1");
  }
  host.command("bbb-conf", "exit 0");
  host.write("/usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties", "");
});
afterEach(() => host.remove());

const install = (args: readonly string[], release = "jammy-30", env: NodeJS.ProcessEnv = {}) =>
  host.runZipped(join(out, "bbb-install", release, "bbb-install.sh"), args, env);
const good = [
  "-v",
  "jammy-300",
  "-s",
  "bbb.example.test",
  "-e",
  "a@example.test",
  "-c",
  "turn.example.test:secret",
];

describe("refuses", () => {
  test.each([
    [["-s", "bbb.example.com"], "You must specify a valid hostname (not the hostname given in the docs)."],
    [["-e", "info@example.com"], "You must specify a valid email address (not the email in the docs)."],
    [
      ["-s", "b.test", "-c", "turn.example.com:x"],
      "You must specify a valid hostname (not the example given in the docs)",
    ],
    [
      ["-s", "b.test", "-c", "t.test:1234abcd"],
      "You must specify a new password (not the example given in the docs).",
    ],
    [["-s", "b.test", "-c", "t.test"], "Option for coturn must be <hostname>:<secret>"],
    [["-s", "b.test", "-c", ":x"], "-c option must contain <hostname>"],
    [["-s", "b.test", "-c", "t.test:"], "-c option must contain <secret>"],
    [
      ["-v", "noble-400"],
      "This script can only install BigBlueButton 3.0 and is meant to be run on Ubuntu 22.04 (jammy) server.",
    ],
    [["-v", "jammy-300-3.0.1"], "Unable to locate packages for jammy-300-3.0.1 at mirror.sandbox.test/bbb."],
    [
      ["-a"],
      "Error: bbb-demo (API demos, '-a' option) were deprecated in BigBlueButton 2.6. Please use Greenlight or API MATE",
    ],
    [["-t", "nokey"], "You must respect the format <key>:<secret> when specifying your LTI credentials."],
    [["-b"], "Invalid option: -"],
    [["-v", "jammy-300", "-k"], "Keycloak cannot be installed without Greenlight."],
    [
      ["-c", "turn.example.test:x", "-s", "b.test"],
      "DNS lookup for turn.example.test resolved to 198.51.100.9 but didn't match local 203.0.113.7.",
    ],
    [
      ["-c", "nowhere.test:x", "-s", "b.test"],
      "Unable to resolve nowhere.test to an IP address using DNS lookup.",
    ],
  ])("%j", (args, message) => {
    const { status, stderr } = install(args);
    expect(stderr).toContain(`bbb-install (stand-in): ${message}`);
    expect(status).toBe(1);
    expect(host.calls().join("\n")).not.toContain("dist-upgrade");
  });

  test("a machine that is not x86_64", () => {
    host.command("uname", "echo aarch64");
    expect(install(good)).toMatchObject({
      status: 1,
      stderr: "bbb-install (stand-in): You must run this command on a 64-bit server.\n",
    });
  });

  test.each([
    ["memory", "Your server should have (at least) 4 GB of memory."],
    ["cores", "Your server needs to have (at least) 4 CPU cores (8 CPU cores recommended for production)."],
    ["IPv6", "Your server does not support IPv6"],
  ])("too little %s, unless told to go on", (what, message) => {
    if (what === "memory") host.write("/proc/meminfo", "MemTotal:        3939999 kB\n");
    if (what === "cores") host.command("nproc", "echo 3");
    if (what === "IPv6") rmSync(host.path("/proc/net/if_inet6"));
    const refused = install(good);
    expect(refused.status).toBe(1);
    expect(refused.stdout.trimEnd().split("\n").at(-1)).toBe(message);
    install(["-j", ...good]);
    expect(host.calls().join("\n")).toContain("dist-upgrade");
  });

  test("a host with Apache, unless told to go on", () => {
    host.command("dpkg", '[[ $1 == -l ]] && echo "ii  apache2-bin"');
    expect(install(good)).toMatchObject({
      status: 1,
      stdout: "You must uninstall the Apache2 server first\n",
    });
    install(["-i", ...good]);
    expect(host.calls().join("\n")).toContain("dist-upgrade");
  });

  test("a server whose certificate is not to be had", () => {
    const { status, stderr } = install(good);
    expect(stderr).toContain("Let's Encrypt SSL request for bbb.example.test did not succeed - exiting");
    expect(status).toBe(1);
  });
});

test("falls through every other failure and ends with 0", () => {
  host.command("certbot", "exit 0");
  const { status } = install(good);
  expect(status).toBe(0);
  const calls = host.calls().filter((call) => !/^(uname|nproc|ip|dpkg|wget|chown)/.test(call));
  expect(calls).toContain("apt-get install -yq bigbluebutton"); // which failed
  expect(calls.at(-1)).toBe("bbb-conf --check");
});

test("takes -c after -s without a look at the name, and writes its secret to the XML on every run", () => {
  host.command("certbot", "exit 0");
  host.write("/etc/bigbluebutton/turn-stun-servers.xml", "ours");
  install(good);
  expect(host.calls().join("\n")).not.toContain("dig +short turn.example.test");
  const xml = host.read("/etc/bigbluebutton/turn-stun-servers.xml");
  expect(xml).toContain('index="0" value="secret"');
  expect(xml).toContain('value="turns:turn.example.test:443?transport=tcp"');
});

test("asks certbot as the original does, and shows its environment", () => {
  host.command("certbot", "exit 0");
  expect(install(good).stdout).toContain("DEBIAN_FRONTEND=noninteractive");
  const asked = host.calls().find((call) => call.startsWith("certbot"));
  expect(asked).toContain("--email a@example.test --agree-tos --rsa-key-size 4096");
  expect(asked).toContain(
    "-d bbb.example.test --deploy-hook systemctl reload nginx --webroot --non-interactive certonly",
  );
  expect(asked).not.toContain("--server");
});

test("is run by bash, as a deployment does", () => {
  const served = join(out, "bbb-install", "jammy-30", "bbb-install.sh");
  const { status, stderr } = spawnSync("bash", [served, "-h"], { encoding: "utf8" });
  expect(stderr).toContain("STAND-IN for the installer of BigBlueButton 3.0");
  expect(status).toBe(0);
});

test("waits without an end for packages that could not be installed", () => {
  rmSync(host.path("/usr/share/bbb-web"), { recursive: true });
  const { status, stdout } = install(good, "jammy-30", { TEST_PATIENCE: "3" });
  expect(stdout).toMatch(/\.{10}$/);
  expect(status).toBe(124);
});

test.each([
  ["7", false],
  ["8", true],
])("with %s cores bbb-web may have more files open: %s", (cores, raised) => {
  host.command("certbot", "exit 0");
  host.command("nproc", `echo ${cores}`);
  install(good);
  const override = "/etc/systemd/system/bbb-web.service.d/override.conf";
  expect(existsSync(host.path(override))).toBe(raised);
});

describe("between the lines of BigBlueButton", () => {
  const site = (release: string): string => {
    const [version, yq] = release === "noble-40" ? ["noble-400", "yq-go"] : ["jammy-300", "yq"];
    for (const directory of ["/etc/nginx/sites-available", "/usr/share/bigbluebutton/nginx"]) {
      mkdirSync(host.path(directory), { recursive: true });
    }
    mkdirSync(host.path("/etc/bigbluebutton/bbb-conf"), { recursive: true });
    host.write("/usr/share/bigbluebutton/nginx/sip.nginx", "proxy_pass https://127.0.0.1:7443;\n");
    host.command(yq, "exit 0");
    host.command("certbot", "exit 0");
    host.command("wget", `if [[ $* == *keyserver* ]]; then ${KEY}; fi`);
    install(["-v", version, ...good.slice(2)], release);
    return host.read("/etc/nginx/sites-available/bigbluebutton");
  };

  test("only those before 4.0 have http2, SIP by nginx, FreeSWITCH's TLS and a key server", () => {
    expect(site("jammy-30")).toContain("listen *:443 ssl http2;");
    expect(host.read("/usr/share/bigbluebutton/nginx/sip.nginx")).toBe(
      "proxy_pass http://203.0.113.7:5066;\n",
    );
    const calls = host.calls().join("\n");
    expect(calls).toContain("wss-binding");
    expect(calls).toContain("sipjsHackViaWs = true");
    expect(calls).toContain("keyserver");
    expect(existsSync(host.path("/etc/bigbluebutton/bbb-conf/apply-config.sh"))).toBe(false);
  });

  test("4.0 has none of them, and ufw unasked", () => {
    expect(site("noble-40")).toContain("listen *:443 ssl;");
    expect(host.read("/usr/share/bigbluebutton/nginx/sip.nginx")).toContain("127.0.0.1");
    const calls = host.calls().join("\n");
    expect(calls).not.toContain("wss-binding");
    expect(calls).not.toContain("sipjsHackViaWs");
    expect(calls).not.toContain("keyserver");
    expect(host.read("/etc/bigbluebutton/bbb-conf/apply-config.sh")).toContain("enableUFWRules");
  });

  test("in each the packages' parts of the site come by the operator's directory alone", () => {
    for (const release of ["jammy-30", "noble-40"]) {
      expect(site(release).match(/include .*/g)).toEqual([
        `include "${host.path("/etc/bigbluebutton/nginx")}/*.nginx";`,
      ]);
    }
  });
});

describe("where the name's address is not the interface's, by an outside resolver,", () => {
  const asked = "dig +short bbb.example.test @resolver1.opendns.com";
  const announced = (): string[] =>
    host.calls().flatMap((call) => /--value external_rtp_ip=(\S+) /.exec(call)?.[1] ?? []);
  beforeEach(() => {
    host.command("certbot", "exit 0");
    host.command("dig", "if [[ $3 == @resolver1.opendns.com ]]; then echo 198.51.100.7; fi");
  });

  test("it takes another server's for its own, if that answers at 443", () => {
    host.command("nc", "exit 0");
    install(good);
    expect(host.calls()).toContain(asked);
    expect(announced()).toEqual(["198.51.100.7"]);
  });

  test("it keeps its own where nobody answers there", () => {
    host.command("nc", "[[ $1 != -zvw3 ]] || exit 1");
    install(good);
    expect(announced()).toEqual(["203.0.113.7"]);
  });

  test("whoever gives it its address is believed, and nobody is asked", () => {
    host.command("nc", "exit 0");
    install(good, "jammy-30", { IP: "203.0.113.7" });
    expect(host.calls()).not.toContain(asked);
    expect(announced()).toEqual(["203.0.113.7"]);
  });
});

test("4.0 has an option more, and its own version check", () => {
  const { stderr } = install(["-b", "-v", "jammy-300"], "noble-40");
  expect(stderr).toContain(
    "can only install BigBlueButton 4.0 and is meant to be run on Ubuntu 24.04 (noble) server.",
  );
});

describe("behind a translation of addresses, as on EC2,", () => {
  const metadata = "http://169.254.169.254/latest/meta-data/public-ipv4";
  const recorded = (): string[] =>
    host
      .calls()
      .flatMap(
        (call) =>
          /--value external_rtp_ip=(\S+) |announcedIp = "(.*)"|^ip addr add (\S+) dev lo$/.exec(call) ?? [],
      )
      .filter((part) => /^\d+(\.\d+){3}$/.test(part ?? ""));

  beforeEach(() => {
    host.command("certbot", "exit 0");
    host.command("ip", "if [[ $* != *addr\\ add* ]]; then echo 'eth0 UP 172.31.5.5/32 '; fi");
    host.command("nc", "[[ $1 != -zvw3 ]] || exit 1");
    host.write("/usr/local/bigbluebutton/core/scripts/bigbluebutton.yml", "");
    mkdirSync(host.path("/lib/systemd/system"), { recursive: true });
  });

  /** Sets the metadata service's answer to a request without a token; undefined refuses that. */
  const answers = (address?: string): void =>
    host.command(
      "wget",
      `if [[ $* == *keyserver* ]]; then ${KEY}; elif [[ $* == *${metadata} ]]; then ${address ? `echo ${address}` : "exit 6"}; fi`,
    );

  test("it takes the private address for the public one where the metadata service wants a token", () => {
    answers(undefined);
    install(good);
    expect(host.calls().some((call) => call.endsWith(metadata))).toBe(true);
    expect(recorded()).toEqual(["172.31.5.5", "172.31.5.5", "172.31.5.5"]);
  });

  test("it believes whoever gives it both addresses, and asks nobody", () => {
    answers("203.0.113.99");
    install(good, "jammy-30", { IP: "203.0.113.11", INTERNAL_IP: "172.31.5.5" });
    expect(host.calls().some((call) => call.includes("169.254.169.254"))).toBe(false);
    expect(recorded()).toEqual(["203.0.113.11", "203.0.113.11", "203.0.113.11", "203.0.113.11"]);
    expect(host.calls()).toContain("ip addr add 203.0.113.11 dev lo");
    expect(host.read("/lib/systemd/system/dummy-nic.service")).toContain("addr add 203.0.113.11 dev lo");
  });

  test.each([
    ["believes the metadata service where that address leads back", "exit 0", "203.0.113.11"],
    ["does not believe it where it does not (no hairpin)", "[[ $1 != -zvw3 ]] || exit 1", "172.31.5.5"],
  ])("it %s", (_, netcat, expected) => {
    answers("203.0.113.11");
    host.command("nc", netcat);
    install(good);
    expect(new Set(recorded())).toEqual(new Set([expected]));
  });
});

describe("FreeSWITCH's package", () => {
  const conf = "/opt/freeswitch/etc/freeswitch";
  const script = (name: string) => join(STANDIN, "packages/bbb-freeswitch-core", name);
  const unpack = (): void => host.copy(packaged("bbb-freeswitch-core", conf), conf);

  beforeEach(() => {
    host.command("ip", "echo 'eth0 UP 172.31.5.5/32 '");
    for (const name of ["install", "chown", "chmod"]) host.command(name, "exit 0");
    host.write("/opt/freeswitch/var/log/freeswitch/freeswitch.log", "");
    mkdirSync(host.path("/tmp"));
    unpack();
    expect(host.run(script("postinst"), ["configure"]).status).toBe(0);
  });

  test("has the address of the interface, whatever the installer knows", () => {
    expect(host.read(`${conf}/vars.xml`)).toContain("local_ip_v4=172.31.5.5");
  });

  test("keeps vars.xml at an upgrade, and of external.xml the bindings alone", () => {
    const vars = host.read(`${conf}/vars.xml`).replaceAll("stun:stun.freeswitch.org", "203.0.113.11");
    const profile = host.read(`${conf}/sip_profiles/external.xml`);
    host.write(`${conf}/vars.xml`, vars);
    host.write(
      `${conf}/sip_profiles/external.xml`,
      profile
        .replace('"ext-rtp-ip" value="$${local_ip_v4}"', '"ext-rtp-ip" value="$${external_rtp_ip}"')
        .replace('":5066"', '"203.0.113.11:5066"'),
    );
    expect(host.run(script("preinst"), ["upgrade"]).status).toBe(0);
    unpack();
    expect(host.run(script("postinst"), ["configure"]).status).toBe(0);
    expect(host.read(`${conf}/vars.xml`)).toBe(vars);
    expect(host.read(`${conf}/sip_profiles/external.xml`)).toBe(
      profile.replace('":5066"', '"203.0.113.11:5066"'),
    );
  });
});
