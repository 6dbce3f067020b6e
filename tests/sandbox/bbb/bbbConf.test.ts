import { rmSync, symlinkSync, writeFileSync } from "node:fs";

import { FakeHost, packaged } from "./standin";

const SCRIPT = packaged("bbb-config", "usr/bin/bbb-conf");
const WEB = "/etc/bigbluebutton/bbb-web.properties";
const FACTORY = "330a8b08c3b4c61533e1d0c5ce1ac88f";

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
  host.write("/etc/bigbluebutton/bigbluebutton-release", "BIGBLUEBUTTON_RELEASE=3.0.26-standin\n");
  host.write(WEB, "bigbluebutton.web.serverURL=https://old.example.test\nsecuritySalt=abc\n");
  host.write(
    "/etc/bigbluebutton/bbb-apps-akka.conf",
    'services {\n  bbbWebAPI="x"\n  sharedSecret = "abc"\n}\n',
  );
  host.write("/etc/bigbluebutton/bbb-fsesl-akka.conf", 'password="ClueCon"\n');
  host.copy(packaged("bbb-web", "usr/share/bbb-web"), "/usr/share/bbb-web");
  host.copy(packaged("bbb-freeswitch-core", "opt/freeswitch"), "/opt/freeswitch");
  host.copy(packaged("bbb-record-core", "usr/local/bigbluebutton"), "/usr/local/bigbluebutton");
  host.write(
    "/etc/nginx/sites-available/bigbluebutton",
    "server {\n  listen 80;\n  server_name old.example.test;\n}\n",
  );
  host.write("/etc/nginx/sites-enabled/none", "");
  host.write(
    "/var/bigbluebutton/published/presentation/1/metadata.xml",
    "<link>http://old.example.test/playback</link>",
  );
  symlinkSync("../sites-available/bigbluebutton", host.path("/etc/nginx/sites-enabled/bigbluebutton"));
  host.write("/proc/meminfo", "MemTotal:        8000000 kB\n");
  host.write("/usr/lib/systemd/system/bbb-web.service", "");
  host.command(
    "systemctl",
    "case $1 in is-active) echo active ;; show-environment) echo LANG=C.UTF-8 ;; esac",
  );
  host.command("curl", "echo SUCCESS");
  host.command("sleep", "exit 0");
  host.command(
    "stat",
    "if [[ ${!#} == */var/freeswitch/meetings ]]; then echo freeswitch; else echo bigbluebutton:bigbluebutton; fi",
  );
  host.command("ufw", "exit 0");
  host.command("nproc", "echo 8");
  host.command("ss", "echo 'LISTEN 0 128 203.0.113.7:5066 0.0.0.0:*'");
  host.command("ffmpeg", "echo 'ffmpeg version 4.4.2-standin Copyright'");
  host.command("timeout", '[[ $1 == 1s ]] && shift && exec "$@"');
});
afterEach(() => host.remove());

const conf = (...args: string[]) => host.run(SCRIPT, args);
/** Output of --check after the header that it always prints. */
const problems = (output: string): string => output.split("# Potential problems described below")[1]!.trim();

test("--check shows the addresses that FreeSWITCH announces, and no example in a comment", () => {
  expect(host.run(SCRIPT, ["--check"]).stdout).toContain("ext-rtp-ip: $${local_ip_v4}\n");
});

/** Message that even a healthy host of 3.0 gets. */
const NULL_SIP =
  "# bbb-webrtc-sfu will try to connect to null but FreeSWITCH is listening on 203.0.113.7 for port 5066";

test("--check finds nothing but the null that it always finds on a healthy host, below its header", () => {
  const { status, stdout } = conf("--check");
  expect(status).toBe(0);
  expect(stdout).toContain("\nBigBlueButton Server 3.0.26-standin (");
  expect(stdout).toContain("       bigbluebutton.web.serverURL: https://old.example.test\n");
  expect(stdout).toContain("                        FreeSWITCH: 16384-24576\n");
  // FreeSWITCH's event socket can't be had in a test.
  const left = problems(stdout)
    .split("\n")
    .filter((line) => line.length > 1 && !line.startsWith("# Error: Unable to connect to the FreeSWITCH"));
  expect(left).toEqual([
    "# Warning: Detected FreeSWITCH is using default stun.freeswitch.org server.",
    NULL_SIP,
  ]);
});

describe("--check and FreeSWITCH's address", () => {
  const release = (text: string) =>
    host.write("/etc/bigbluebutton/bigbluebutton-release", `BIGBLUEBUTTON_RELEASE=${text}\n`);

  test("4.0 compares it with the override of bbb-webrtc-sfu", () => {
    release("4.0.0-rc.3-standin");
    const override = "/etc/bigbluebutton/bbb-webrtc-sfu/production.yml";
    host.write(override, "freeswitch:\n  sip_ip: 203.0.113.7\n");
    expect(conf("--check").stdout).not.toContain("bbb-webrtc-sfu will try");
    host.write(override, "freeswitch:\n  sip_ip: 10.0.0.1\n");
    expect(conf("--check").stdout).toContain("bbb-webrtc-sfu will try to connect to 10.0.0.1 but FreeSWITCH");
  });

  test("where nobody listens nothing is said", () => {
    host.command("ss", "exit 0");
    expect(conf("--check").stdout).not.toContain("bbb-webrtc-sfu will try");
  });

  test("the pair of warnings where nginx goes to it without TLS, as the installer has it", () => {
    host.write("/usr/share/bigbluebutton/nginx/sip.nginx", "  proxy_pass http://203.0.113.7:5066;\n");
    const lines = problems(conf("--check").stdout).split("\n");
    expect(lines.filter((line) => line.endsWith("You have this server defined for https, but in"))).toEqual([
      "# Warning: You have this server defined for https, but in",
      "# Warning: You have this server defined for https, but in",
    ]);
    expect(lines).toContain("#  did not find the use of port 7443 in definition for proxy_pass");
  });
});

test("--check asks the API for a second at a time", () => {
  conf("--check");
  const asked = "curl --silent https://old.example.test/bigbluebutton/api";
  expect(host.calls()).toContain(`timeout 1s ${asked}`);
});

test("--check shows inactive units as they are before it says what they are", () => {
  host.command(
    "systemctl",
    'case $* in "is-active bbb-web" | "is-active nginx") echo inactive ;; is-active*) echo active ;; esac',
  );
  const found = problems(conf("--check").stdout);
  const raw = /^nginx —+► \[✘ - inactive\]\nbbb-web —+► \[✘ - inactive\]\n\n# Error: Detected some/m;
  expect(found).toMatch(raw);
  expect(found).toMatch(/have not started correctly\n#\n# {3}nginx —+► \[✘ - inactive\]\nbbb-web /);
});

test.each([
  ["an API that does not answer", "# Error: Could not connect to the configured hostname/IP address"],
  ["an inactive unit", "# Error: Detected some processes have not started correctly"],
  ["a stopped FreeSWITCH", "# Not running:  freeswitch"],
  ["a site that is switched off", "# Nginx: BigBlueButton appears to be disabled"],
  ["directories of somebody else", "# is not owned by bigbluebutton:bigbluebutton"],
  ["few cores", "# Warning: found only 2 cores"],
  ["no ffmpeg", "# Warning: No ffmpeg version was found on the system"],
  ["a new ffmpeg", "# Warning: The installed ffmpeg version '6.1.1-3ubuntu5' is not recommended."],
  ["another language", "# Warning: Detected that systemctl does not define a UTF-8 language."],
  ["the packaged secret of bbb-apps-akka", "has the default\n# value for sharedSecret."],
])("--check names %s, and ends with 0", (what, text) => {
  const systemctl = (body: string) => host.command("systemctl", body);
  if (what.startsWith("an API")) host.command("curl", "exit 7");
  if (what.startsWith("an inactive"))
    systemctl('if [[ $* == "is-active bbb-web" ]]; then echo inactive; else echo active; fi');
  if (what.startsWith("a stopped"))
    systemctl('if [[ $* == "is-active freeswitch" ]]; then echo failed; else echo active; fi');
  if (what.startsWith("a site")) rmSync(host.path("/etc/nginx/sites-enabled/bigbluebutton"));
  if (what.startsWith("directories")) host.command("stat", "echo root:root");
  if (what === "no ffmpeg") host.command("ffmpeg", "exit 127");
  if (what === "a new ffmpeg") host.command("ffmpeg", "echo 'ffmpeg version 6.1.1-3ubuntu5 Copyright'");
  if (what.startsWith("few")) host.command("nproc", "echo 2");
  if (what.startsWith("another")) systemctl("if [[ $1 == is-active ]]; then echo active; fi");
  if (what.startsWith("the packaged"))
    host.write("/etc/bigbluebutton/bbb-apps-akka.conf", 'sharedSecret = "changeme"\n');
  const { status, stdout } = conf("--check");
  expect(problems(stdout)).toContain(text);
  expect(status).toBe(0);
});

test("--check overlooks a unit that failed: only an inactive one counts", () => {
  host.command(
    "systemctl",
    'if [[ $* == "is-active bbb-web" ]]; then echo failed; elif [[ $1 == is-active ]]; then echo active; fi',
  );
  expect(problems(conf("--check").stdout)).not.toContain("have not started");
});

test("the factory secret stops bbb-web and ends with 1", () => {
  host.write(WEB, `bigbluebutton.web.serverURL=https://old.example.test\nsecuritySalt=${FACTORY}\n`);
  const { status, stdout } = conf("--check");
  expect(status).toBe(1);
  expect(stdout).toContain(
    "# Warning: Detected you have the default shared secret.  You MUST change your shared\n",
  );
  expect(host.calls()).toContain("systemctl stop bbb-web");
});

test("--status shows a line a unit, 30 columns and the state", () => {
  host.command("systemctl", "if [[ $2 == freeswitch ]]; then echo failed; else echo active; fi");
  const lines = conf("--status").stdout.trimEnd().split("\n");
  expect(lines[0]).toBe("nginx ————————————————————————► [✔ - active]");
  expect(lines[1]).toBe("freeswitch ———————————————————► [✘ - failed]");
  expect(lines.every((line) => /^(\S+)\s+—*►?\s*\[(✔|✘) - (\w+)\]$/.test(line))).toBe(true);
  const units = lines.map((line) => line.split(" ")[0]);
  expect(units).toContain("bbb-graphql-server");
  expect(units.at(-1)).toBe("bbb-web");
});

test("--secret prints, or sets if given a value; --setsecret prints if not", () => {
  for (const option of ["--secret", "--setsecret"]) {
    const { stdout } = conf(option);
    expect(/^\s*URL:\s*(\S+)/m.exec(stdout)?.[1]).toBe("https://old.example.test/bigbluebutton/");
    expect(/^\s*Secret:\s*(\S+)/m.exec(stdout)?.[1]).toBe("abc");
  }
  const { status, stdout } = conf("--secret", "newsecret");
  expect(status).toBe(0);
  expect(stdout).toContain("You must restart BigBlueButton for the changes to take effect");
  expect(host.read(WEB)).toContain("\nsecuritySalt=newsecret\n");
  expect(host.read("/etc/bigbluebutton/bbb-apps-akka.conf")).toContain('sharedSecret="newsecret"');
});

test("every call writes, also one that only looks", () => {
  conf("--status");
  expect(host.read("/etc/bigbluebutton/bbb-webrtc-sfu/production.yml")).toBe("");
  conf("--status");
  expect(host.read(WEB).match(/bigbluebutton\.web\.logoutURL=default/g)).toHaveLength(1);
});

test("--setip changes the host in bbb-web, akka and recordings, not in nginx, and restarts", () => {
  host.write("/etc/bigbluebutton/bbb-conf/apply-config.sh", `#!/bin/bash\necho applied\n`, 0o755);
  const { status, stdout } = conf("--setip", "new.example.test:443");
  expect(status).toBe(0);
  expect(stdout).toContain("applied");
  expect(host.read(WEB)).toContain("bigbluebutton.web.serverURL=https://new.example.test\n");
  expect(host.read("/etc/bigbluebutton/bbb-apps-akka.conf")).toContain(
    '"https://new.example.test/bigbluebutton/api"',
  );
  expect(host.read("/usr/local/bigbluebutton/core/scripts/bigbluebutton.yml")).toContain(
    "playback_host: new.example.test\n",
  );
  expect(host.read("/var/bigbluebutton/published/presentation/1/metadata.xml")).toBe(
    "<link>https://new.example.test/playback</link>",
  );
  expect(host.read("/etc/nginx/sites-available/bigbluebutton")).toContain("server_name old.example.test");
  expect(host.read("/etc/bigbluebutton/bbb-fsesl-akka.conf")).toMatch(/^password="[0-9a-f]{16}"\n$/);
  expect(host.calls()).toEqual(
    expect.arrayContaining(["systemctl stop bigbluebutton.target", "systemctl start bigbluebutton.target"]),
  );
});

test("names what is missing and ends with 1", () => {
  expect(conf()).toMatchObject({
    status: 1,
    stdout: expect.stringContaining("(stand-in, not BigBlueButton)"),
  });
  expect(conf("--nonsense").status).toBe(1);
  writeFileSync(host.path("/etc/nginx/sites-available/bigbluebutton"), "");
  expect(conf("--check")).toMatchObject({
    status: 1,
    stdout: expect.stringContaining("# Tried to check server_name in\n"),
  });
  host.remove();
  host = new FakeHost();
  expect(conf("--version").stdout).toContain("# BigBlueButton does not appear to be installed.  Could not\n");
});
