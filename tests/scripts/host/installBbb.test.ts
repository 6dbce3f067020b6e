import { copyFileSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { MeetingsApi } from "./meetingsApi";
import { done, FakeHost, type Done } from "./scripts";

const SECRET = "Zq3vT8mW1xK5nB7cR2yH9dL4";
const NAME = "bbb.example.test";

let host: FakeHost;
let installer: string;

beforeEach(async () => {
  host = new FakeHost();
  installer = join(host.directory, "bbb-install.sh");
  host.put("etc/bigbluebutton/bbb-web.properties", `securitySalt=${SECRET}\n`);
  host.put("etc/bigbluebutton/bigbluebutton-release", "BIGBLUEBUTTON_RELEASE=3.0.26\n");
  // bbb-web is not there until the installer has "installed" it.
  host.fake(
    "dpkg-query",
    `if [[ $* == *Status-Abbrev* ]]; then exit 0; fi
if [[ $* == *bbb-* && ! -e $HOME/installed ]]; then exit 1; fi
echo installed`,
  );
  host.fake("dpkg");
  host.fake("apt-get");
  host.fake("systemctl", "[[ $1 != is-active ]]");
  host.fake("bbb-conf");
  host.fake("nginx");
  host.fake("docker");
  host.fake(
    "curl",
    `for word; do if [[ $last == --output ]]; then cp ${installer} "$word"; exit; fi; last=$word; done
echo "<returncode>SUCCESS</returncode>"`,
  );
  const certificate = join(host.root, "etc/letsencrypt/archive", NAME, "fullchain1.pem");
  host.put(`etc/letsencrypt/archive/${NAME}/fullchain1.pem`, "");
  host.put(`etc/letsencrypt/live/${NAME}/README`, "");
  const pieces = ["cert", "privkey", "chain", "fullchain"];
  for (const piece of pieces) {
    symlinkSync(certificate, join(host.root, "etc/letsencrypt/live", NAME, `${piece}.pem`));
  }
  host.put(
    `etc/letsencrypt/renewal/${NAME}.conf`,
    pieces.map((piece) => `${piece} = /etc/letsencrypt/live/${NAME}/${piece}.pem\n`).join(""),
  );
  const make = ["-subj", `/CN=${NAME}`, "-addext", `subjectAltName=DNS:${NAME}`, "-out", certificate];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null"];
  const made = host.start(["openssl", "req", "-x509", ...key, ...make]);
  await new Promise((resolve) => made.on("close", resolve));
});

afterEach(() => host.remove());

/** Runs install-bbb.sh with an installer of these lines. */
function install(lines: string, flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Done> {
  host.put("var/lib/bbb-deploy/email", "a@b.test\n");
  host.put("../bbb-install.sh", `#!/bin/bash\nhome=${host.directory}\n${lines}\n`);
  const given = `--installer-url https://x.test/i --hostname ${NAME} --ipv4 203.0.113.11`.split(" ");
  const options = `-v jammy-300 -s ${NAME} -e EMAIL -c t.test:THROW-AWAY`;
  return host.script("install-bbb.sh", [...given, "--installer-arguments", options, ...flags], "", {
    BBB_DEPLOY_PATIENCE: "3",
    BBB_DEPLOY_POLL: "1",
    ...env,
  });
}

test("what the installer installs counts, and its lines are in the log", async () => {
  const { code, output } = await install(
    'echo "Setting up bbb-web (3.0)"; printf end; touch $home/installed',
  );
  expect(output).toContain("Setting up bbb-web\n");
  expect(output).toMatch(/^end$/m);
  expect(output).toContain("installed: BigBlueButton 3.0.26");
  expect(code).toBe(0);
});

describe("the installer's arguments", () => {
  const tell = 'touch $home/installed; printf "<%s>\\n" "$@"';
  const told = (output: string) => [...output.matchAll(/^<(.*)>$/gm)].map(([, word]) => word);
  const all = ["-v", "jammy-300", "-s", NAME, "-e", "a@b.test", "-c"];

  test("are those given, with the address of the account, a new secret each time, and nothing else", async () => {
    const [first, second] = [await install(tell), await install(tell)].map(({ output }) => told(output));
    expect(first!.slice(0, -1)).toEqual(all);
    expect(first!.at(-1)).toMatch(/^t\.test:[0-9a-f]{48}$/);
    expect(second!.at(-1)).not.toBe(first!.at(-1));
  });

  test("end with -d while the operator's own certificate is in use", async () => {
    const own = join(host.root, "local/certs/fullchain.pem");
    const live = join(host.root, "etc/letsencrypt/live", NAME, "fullchain.pem");
    host.put("local/certs/fullchain.pem", readFileSync(live, "utf8"));
    rmSync(live);
    symlinkSync(own, live);
    const words = told((await install(tell)).output);
    expect(words).toEqual([...all, expect.stringMatching(/^t\.test:/), "-d"]);
  });
});

test("an installer that waits for ever for what it could not install is stopped, and gets its second chance", async () => {
  const { code, output } = await install(
    `if [[ -e $home/before ]]; then touch $home/installed; exit; fi
touch $home/before
while [[ ! -e $home/never ]]; do sleep 0.2; echo -n .; done`,
  );
  expect(output).toContain("the installer waits for packages that it could not install; stopping it");
  expect(output).toContain("  - BigBlueButton's packages are not installed");
  expect(output).toContain("installed: BigBlueButton");
  expect(code).toBe(0);
});

describe("an upgrade that did nothing is not taken for one that had nothing to do", () => {
  beforeEach(() => host.put("../installed", ""));

  const oncePerHost = (lines: string) =>
    `if [[ ! -e $home/before ]]; then touch $home/before\n${lines}\nfi; echo upgraded`;

  test.each([
    [
      "where the installer gave up",
      'echo "bbb-install: Unable to setup PPA: keyserver receive failed: No data" >&2; exit 1',
      "the installer gave up: Unable to setup PPA: keyserver receive failed: No data",
    ],
    [
      "where apt could not fetch BigBlueButton's lists",
      'echo "W: Failed to fetch http://x.test/jammy-300/dists/bigbluebutton-jammy/InRelease  503  Service Unavailable"',
      "apt-get failed while the installer ran: W: Failed to fetch http://x.test/jammy-300/dists/bigbluebutton-jammy/InRelease",
    ],
    [
      "where apt could not fetch packages",
      'echo "E: Failed to fetch http://x.test/a.deb  503  Service Unavailable"; echo "E: Unable to fetch some archives, maybe run apt-get update"',
      "apt-get failed while the installer ran: E: Unable to fetch some archives",
    ],
  ])("%s", async (_, lines, problem) => {
    const { code, output } = await install(oncePerHost(lines));
    expect(output).toContain(`  - ${problem}`);
    expect(output).toMatch(/^upgraded$/m);
    expect(code).toBe(0);
  });

  test("nor is one that the disk has no room for, which is not tried again", async () => {
    const { code, output } = await install(
      `touch $home/installed; echo run >>$home/runs; echo "E: You don't have enough free space in /var/cache/apt/archives/."`,
    );
    expect(output).toContain("what the installer said means: the disk is full");
    expect([code, host.read("../runs")]).toEqual([1, "run\n"]);
  });

  test.each([
    ["an exit code alone", "exit 1"],
    [
      "another package source that is down",
      'echo "W: Failed to fetch http://other.test/dists/jammy/InRelease  Connection timed out"',
    ],
  ])("%s says nothing", async (_, lines) => {
    const { code, output } = await install(`echo run >>$home/runs; ${lines}`);
    expect(output).not.toContain("not installed yet");
    expect([code, host.read("../runs")]).toEqual([0, "run\n"]);
  });
});

describe("without a certificate", () => {
  const log = (problem: string) =>
    `$(date '+%F %T'),100:DEBUG:certbot._internal.main:certbot version: 2.1.0
$(date '+%F %T'),200:DEBUG:acme.client:Received response:
HTTP 429
{"type": "urn:ietf:params:acme:error:${problem}", "detail": "said"}
$(date '+%F %T'),300:ERROR:certbot._internal.log:An unexpected error occurred:`;
  const refused = (problem: string) => `echo run >>$home/runs
touch $home/installed
if [[ ! -e ${join(host.root, "etc/letsencrypt/live", NAME, "fullchain.pem")} ]]; then
  mkdir -p ${host.root}/var/log/letsencrypt
  cat >${host.root}/var/log/letsencrypt/letsencrypt.log <<HERE
${log(problem)}
HERE
fi`;
  const runs = () => host.read("../runs").split("\n").filter(Boolean).length;
  const live = () => join(host.root, "etc/letsencrypt/live", NAME, "fullchain.pem");

  beforeEach(() => {
    copyFileSync(live(), join(host.directory, "issued.pem"));
    rmSync(join(host.root, "etc/letsencrypt"), { recursive: true });
  });

  test("for a limit of the authority's, the installer runs once, and the limit is explained", async () => {
    host.fake("certbot");
    const { code, output } = await install(refused("rateLimited"));
    expect([code, runs(), host.called("certbot")]).toEqual([1, 1, []]);
    expect(output).toContain("a limit of the certificate authority is reached");
  });

  test("in a bad moment, one is asked for here, and the installer goes on from there", async () => {
    host.fake("certbot", `mkdir -p $(dirname ${live()}); cp ${host.directory}/issued.pem ${live()}`);
    const { code, output } = await install(refused("serverInternal"));
    expect([code, runs(), host.called("certbot").length]).toEqual([0, 2, 2]);
    // The fake gives files only, which certbot would not renew.
    expect(output).toContain("certbot does not know what is left of a certificate");
  });
});

test("what nginx warns of is no reason to install again, what it rejects is, and is quoted", async () => {
  host.fake("nginx", 'echo "nginx: [warn] conflicting server name" >&2');
  expect(await install("touch $home/installed")).toMatchObject({ code: 0 });
  host.fake(
    "nginx",
    'printf "nginx: [warn] so\\nnginx: [emerg] unknown directive\\nnginx: test failed\\n" >&2; exit 1',
  );
  const { code, output } = await install("true");
  expect(output).toContain("  - nginx rejects its configuration: nginx: [emerg] unknown directive\n");
  expect(code).toBe(1);
});

test("Greenlight must run where it was asked for", async () => {
  host.fake("docker", '[[ -e $HOME/greenlight ]] && echo "greenlight-v3   Up"');
  const script =
    "touch $home/installed; if [[ -e $home/before ]]; then touch $home/greenlight; fi; touch $home/before";
  const { code, output } = await install(script, ["--installer-arguments", "-v jammy-300 -g"]);
  expect(output).toContain("  - Greenlight does not run");
  expect(code).toBe(0);
});

test("the shared secret does not get into the log, should the installer print it", async () => {
  const { output } = await install(`touch $home/installed; echo "#    bbb-web.properties = ${SECRET}"`);
  expect(output).toContain("#    bbb-web.properties = (secret)");
  expect(output).not.toContain(SECRET);
  expect(readFileSync(installer, "utf8")).toContain(SECRET);
});

describe("with backups", () => {
  const STATE_UNIT = "etc/systemd/system/bbb-backup-state.service";
  const saved = () => host.called("systemctl").filter((line) => line.includes("bbb-backup-state"));

  test("the state is saved before an upgrade", async () => {
    host.put(STATE_UNIT, "");
    host.put("../installed", "");
    host.fake("systemctl", `[[ $1 != is-active ]] && { [[ $1 != start ]] || touch "$HOME/saved"; }`);
    const { code, output } = await install(`[[ -e $home/saved ]] && echo upgraded`);
    expect(output).toMatch(
      /saving the state before the upgrade\n[\s\S]*the state is saved.*\n[\s\S]*upgraded/,
    );
    expect([code, saved()]).toEqual([0, ["systemctl start bbb-backup-state.service"]]);
  });

  test("a storage that is down is told, and stops no upgrade", async () => {
    host.put(STATE_UNIT, "");
    host.put("../installed", "");
    host.put("var/log/bbb-deploy/backup.log", "2026-11-29 22:00:00  > FAILED: the storage is full\n");
    host.fake("systemctl", "[[ $1 != is-active && $* != *backup-state* ]]");
    const { code, output } = await install("echo upgraded");
    expect(output).toMatch(
      /note: the state is not saved before the upgrade, which goes on, .*: the storage is full\n/,
    );
    expect(output).toMatch(/^upgraded$/m);
    expect(code).toBe(0);
  });

  test("a first installation has no state; without backups nothing is saved", async () => {
    host.put(STATE_UNIT, "");
    await install("touch $home/installed");
    rmSync(join(host.root, STATE_UNIT));
    await install("echo upgraded");
    expect(saved()).toEqual([]);
  });
});

describe("while a meeting runs", () => {
  const api = new MeetingsApi();
  beforeAll(() => {
    api.meetings = "<meeting/>";
    return api.listen();
  });
  afterAll(() => api.close());
  beforeEach(() => {
    host.put("../installed", "");
    host.fake("systemctl", "[[ $1 != is-active || $* == *bbb-web ]]");
  });

  const allow = (text: string) => host.put("var/lib/bbb-deploy/during-meetings", text);
  const upgrade = (text?: string, lines = "echo upgraded", env: NodeJS.ProcessEnv = {}) =>
    install(lines, text ? ["--upgrade", text] : [], {
      BBB_DEPLOY_API: api.url,
      ...env,
    });

  test("nothing is installed, and the way to allow it is told", async () => {
    allow("2025");
    const { code, output } = await upgrade("2026");
    expect(output).toMatch(
      /1 meeting\(s\) run .*allow it: give the setting duringMeetings the value of upgrade \(2026\)\n/,
    );
    expect([code, host.called("curl")]).toEqual([1, []]);
  });

  test("the upgrade that duringMeetings names is installed, but nothing after it", async () => {
    allow("2026");
    expect((await upgrade("2026")).output).toContain(
      "which the installation ends, as the setting duringMeetings allows",
    );
    const again = await upgrade("2026");
    expect(again.output).toContain("allow it: give upgrade a new text, and duringMeetings the same\n");
    expect(again.code).toBe(1);
    expect((await upgrade()).code).toBe(1);
  });

  test("one that failed may be tried again", async () => {
    allow("2026");
    const failed = await upgrade(
      "2026",
      `echo "E: You don't have enough free space in /var/cache/apt/archives/."`,
    );
    expect(failed.code).toBe(1);
    expect((await upgrade("2026")).code).toBe(0);
  });

  test("its restart for a kernel is part of it", async () => {
    allow("2026");
    host.put("var/run/reboot-required", "");
    host.put("../run/installed", "");
    const run = { BBB_DEPLOY_RUN: join(host.directory, "run") };
    expect(await upgrade("2025", "true", run)).toMatchObject({
      code: 0,
      output: expect.stringContaining("do that when they have ended"),
    });
    expect((await upgrade("2026", "true", run)).code).toBe(194);
    rmSync(join(host.root, "var/run/reboot-required"));
    expect((await upgrade("2026", "true", run)).code).toBe(0);
    host.put("var/run/reboot-required", "");
    expect((await upgrade("2026", "true", run)).code).toBe(0);
  });
});

describe("behind a translation of addresses", () => {
  const flags = ["--private-ipv4", "172.31.5.5"];
  const vars = "opt/freeswitch/etc/freeswitch/vars.xml";
  const packaged =
    '<include>\n  <X-PRE-PROCESS cmd="set" data="external_rtp_ip=stun:stun.freeswitch.org"/>\n</include>\n';

  beforeEach(() => host.fake("systemctl", "[[ $1 != is-active && $1 != cat ]]"));

  test("the installer is told both addresses, so that it asks no metadata service", async () => {
    const { output } = await install('touch $home/installed; echo "has $IP and $INTERNAL_IP"', flags);
    expect(output).toContain("has 203.0.113.11 and 172.31.5.5");
  });

  test("what the installer leaves wrong is set, and only what changed is restarted", async () => {
    host.put(vars, packaged);
    const { code } = await install("touch $home/installed", flags);
    expect(code).toBe(0);
    expect(host.read(vars)).toContain("external_rtp_ip=203.0.113.11");
    expect(host.called("systemctl").filter((call) => / (restart|daemon-reload)/.test(call))).toEqual([
      "systemctl daemon-reload",
      "systemctl restart freeswitch",
    ]);
    host.forgetCalls();
    await install("true", flags);
    expect(host.called("systemctl").filter((call) => / (restart|daemon-reload)/.test(call))).toEqual([]);
  });

  test("the installer's unit for the address on lo fails no more where it is there already", async () => {
    host.fake(
      "systemctl",
      '[[ $* == "restart dummy-nic" ]] && touch $HOME/up; [[ $1 != is-active || ( $* == *dummy-nic && -e $HOME/up ) ]]',
    );
    await install("touch $home/installed", flags);
    const unit = "etc/systemd/system/dummy-nic.service.d/50-bbb-deploy.conf";
    expect(host.read(unit)).toContain(
      "ExecStart=\nExecStart=/sbin/ip address replace 203.0.113.11/32 dev lo\n",
    );
    await install("true", flags);
    expect(host.called("systemctl").filter((call) => call === "systemctl restart dummy-nic")).toHaveLength(1);
  });

  test("FreeSWITCH puts its own right at each start, as after an upgrade of its package", async () => {
    host.put(vars, packaged);
    await install("touch $home/installed", flags);
    const unit = host.read("etc/systemd/system/freeswitch.service.d/50-bbb-deploy-addresses.conf");
    const [, command] = /^ExecStartPre=-\+(.*)$/m.exec(unit) ?? [];
    expect(command).toMatch(/ --only freeswitch --public 203\.0\.113\.11 --private 172\.31\.5\.5$/);
    host.put(vars, packaged);
    const started = host.start(["bash", "-c", `${command} --root ${host.root}`]);
    expect((await done(started)).code).toBe(0);
    expect(host.read(vars)).toContain("external_rtp_ip=203.0.113.11");
  });
});

describe("where the public address is on the interface", () => {
  const vars = "opt/freeswitch/etc/freeswitch/vars.xml";
  const variable = (name: string, value: string) => `  <X-PRE-PROCESS cmd="set" data="${name}=${value}"/>\n`;

  test("the installer is told it, so that it does not look for another one", async () => {
    const { output } = await install('touch $home/installed; echo "has $IP and ${INTERNAL_IP-no other}"');
    expect(output).toContain("has 203.0.113.11 and no other");
  });

  test("what FreeSWITCH still has of another server, as after a copy, is set, and the rest is the installer's", async () => {
    host.put(vars, variable("local_ip_v4", "198.51.100.9") + variable("external_rtp_ip", "203.0.113.11"));
    const profile = "opt/freeswitch/etc/freeswitch/sip_profiles/external.xml";
    host.put(profile, "as it is");
    host.fake("systemctl", "[[ $1 != is-active && $1 != cat ]]");
    const { code, output } = await install("touch $home/installed");
    expect([code, output]).toEqual([0, expect.stringContaining("restarting freeswitch, whose addresses")]);
    expect(host.read(vars)).toBe(
      variable("local_ip_v4", "203.0.113.11") + variable("external_rtp_ip", "203.0.113.11"),
    );
    expect(host.read(profile)).toBe("as it is");
    expect(() => host.read("etc/systemd/system/freeswitch.service.d/50-bbb-deploy-addresses.conf")).toThrow();
    host.forgetCalls();
    await install("true");
    expect(host.called("systemctl").filter((call) => call.includes(" restart "))).toEqual([]);
  });

  test("links of recordings lead to the server's name", async () => {
    const file = "usr/local/bigbluebutton/core/scripts/bigbluebutton.yml";
    host.put("usr/lib/systemd/system/bbb-rap-resque-worker.service", "");
    host.put(file, "# mine\nplayback_host: 203.0.113.11\nplayback_protocol: http\nsteps:\n  a: b\n");
    host.fake("systemctl", "[[ $1 != is-active && $1 != cat ]]");
    const { code } = await install("touch $home/installed");
    expect([code, host.read(file)]).toEqual([
      0,
      `# mine\nplayback_host: ${NAME}\nplayback_protocol: https\nsteps:\n  a: b\n`,
    ]);
    expect(host.called("systemctl")).toContain("systemctl restart bbb-rap-resque-worker");
  });
});

test("wget is there before the installer, which asks for its packages by it", async () => {
  host.fake(
    "dpkg-query",
    `if [[ $* == *Status-Abbrev* || $* == *wget* ]]; then exit 0; fi
if [[ $* == *bbb-* && ! -e $HOME/installed ]]; then exit 1; fi
echo installed`,
  );
  await install("touch $home/installed");
  expect(host.called("apt-get").join("\n")).toMatch(/ install wget$/m);
});

describe("a copy of an image", () => {
  const image = {
    role: "bbb",
    release: "jammy-30",
    bbb: "3.0.26",
    built: 1764460800,
    services: ["nginx.service"],
  };
  const VARS = "opt/freeswitch/etc/freeswitch/vars.xml";
  const SFU = "usr/local/bigbluebutton/bbb-webrtc-sfu/config/default.yml";

  beforeEach(() => {
    host.put("etc/bbb-deploy/image.json", JSON.stringify(image));
    host.put("etc/machine-id", `${"1".repeat(32)}\n`);
    host.put("etc/bigbluebutton/livekit.yaml", "keys:\n  sealed-livekit-key: sealed-livekit-secret\n");
    host.put(SFU, "livekit:\n  key: sealed-livekit-key\n");
    host.put(VARS, '<X-PRE-PROCESS cmd="set" data="local_ip_v4=127.0.0.1"/>\n');
    host.fake("make-ssl-cert");
  });

  test("has secrets of its own before the installer runs, once", async () => {
    const tell = `grep -o sealed ${host.root}/${SFU} || echo none is sealed
grep -o local_ip_v4=[0-9.]* ${host.root}/${VARS}; touch $home/installed`;
    const { code, output } = await install(tell);
    expect(output).toContain("this host is a copy of an image with BigBlueButton 3.0.26");
    expect(output).toMatch(/^none is sealed$/m);
    expect(output).toMatch(/^local_ip_v4=203\.0\.113\.11$/m);
    expect(code).toBe(0);
    const key = host.read("etc/bigbluebutton/livekit.yaml");
    expect((await install(tell)).output).not.toContain("this host is a copy");
    expect(host.read("etc/bigbluebutton/livekit.yaml")).toBe(key);
  });

  test("that can't have any is not installed", async () => {
    host.put("etc/machine-id", "");
    const { code, output } = await install("touch $home/ran");
    expect(output).toContain("this host has no machine-id");
    expect(code).toBe(1);
    expect(host.called("apt-get")).toEqual([]);
  });
});

test("a host that is no copy of an image does not look for secrets to replace", async () => {
  host.put("etc/bigbluebutton/livekit.yaml", "keys:\n  sealed-livekit-key: sealed-livekit-secret\n");
  await install("touch $home/installed");
  expect(host.read("etc/bigbluebutton/livekit.yaml")).toContain("sealed-livekit-key");
});
