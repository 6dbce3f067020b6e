import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { done, FakeHost, SCRIPTS, type Done } from "./scripts";

const TOKEN = "t0ken".repeat(12);
const SECRET = "s3cret".repeat(10);
const OWN = "var/lib/bbb-deploy/metrics";
const CODE = "usr/local/lib/bigbluebutton-exporter";
const UNITS = "etc/systemd/system";
const EXPORTER = `${UNITS}/bigbluebutton-exporter.service`;
const RELAYS = `${UNITS}/bbb-turn-metrics.service`;
const DROP_IN = `${UNITS}/prometheus-node-exporter.service.d/50-bbb-deploy.conf`;
const SNIPPET = "etc/bigbluebutton/nginx/bbb-deploy-metrics.nginx";
const WEB = "etc/bbb-deploy/metrics-web.yml";

/** Stands for the packages of a host: a list of those that are installed. */
const DPKG =
  'if [[ $1 == --audit ]]; then exit 0; fi; grep -qx "${@: -1}" "$BBB_TEST_PACKAGES" && echo installed';
const APT = `for word; do :; done
case " $* " in
  *" install "*) for word; do [[ $word == python3-* || $word == prometheus-* ]] && echo "$word" >>"$BBB_TEST_PACKAGES"; done; exit 0 ;;
  *" purge "*) sed -i "/^$word$/d" "$BBB_TEST_PACKAGES" ;;
esac`;
/** In place of metrics_check.py, which asks the real ports. */
const CHECK = `import os, sys
token = sys.stdin.readline().strip()
print("asked", *sys.argv[1:])
sys.exit(0 if token == ${JSON.stringify(TOKEN)} and not os.environ.get("BBB_TEST_SILENT") else 1)
`;
const BCRYPT = `import hashlib
def gensalt(rounds): return b"salt"
def hashpw(password, salt): return b"$2b$" + hashlib.sha256(password).hexdigest().encode()
def checkpw(password, known): return hashpw(password, b"") == known
`;

let host: FakeHost;
let lib: string;
let archive: string;
let hash: string;

/** Archive in the form of the exporter's; its programs say what they are. */
function pack(version: string): string {
  const folder = join(host.directory, version, `bigbluebutton-exporter-${version}`, "bbb-exporter");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "server.py"), `VERSION = "${version}"\n`);
  writeFileSync(join(folder, "api.py"), "import server\n");
  writeFileSync(join(folder, "..", "setup.py"), "no program of the exporter\n");
  archive = join(host.directory, `${version}.tar.gz`);
  execFileSync("tar", [
    "-czf",
    archive,
    "-C",
    join(host.directory, version),
    `bigbluebutton-exporter-${version}`,
  ]);
  const sums = "sha256sum -- *.py | sha256sum | cut -d' ' -f1";
  return execFileSync("bash", ["-c", sums], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  }).trim();
}

beforeEach(() => {
  host = new FakeHost();
  lib = join(host.directory, "lib");
  mkdirSync(lib);
  for (const name of readdirSync(SCRIPTS)) {
    if (/^(lib|addition|metrics.*)\.(sh|py)$|^failures\.py$|^checks\.py$/.test(name))
      copyFileSync(join(SCRIPTS, name), join(lib, name));
  }
  writeFileSync(join(lib, "metrics_check.py"), CHECK);
  writeFileSync(join(lib, "bcrypt.py"), BCRYPT);
  writeFileSync(join(host.directory, "packages"), "");
  host.fake("systemctl", "[[ $1 != is-active ]] || exit 3");
  host.fake("nginx");
  host.fake("dpkg-query", DPKG);
  host.fake("dpkg", DPKG);
  host.fake("apt-get", APT);
  host.fake("curl", 'cp "${@: -1}" "${@: -2:1}"');
  hash = pack("0.7.1");
});
afterEach(() => host.remove());

const step = (flags: readonly string[], input: string, env: NodeJS.ProcessEnv = {}): Promise<Done> =>
  done(
    host.start(["bash", join(lib, "metrics.sh"), ...flags], {
      ...{ BBB_DEPLOY_PATIENCE: "0", BBB_TEST_PACKAGES: join(host.directory, "packages") },
      ...env,
    }),
    input,
  );
const bbb = (more: readonly string[] = [], env: NodeJS.ProcessEnv = {}, secret = SECRET) =>
  step(
    [
      ...["--server", "7", "--role", "bbb", "--hostname", "bbb.school.eu"],
      ...["--exporter-url", archive, "--exporter-sha256", hash, ...more],
    ],
    `${TOKEN}\n${secret}\n`,
    env,
  );
const turn = (token = TOKEN) =>
  step(["--server", "8", "--role", "turn", "--hostname", "turn.school.eu"], `${token}\n`);
const balancer = (more: readonly string[] = []) =>
  step(["--server", "9", "--role", "balancer", "--hostname", "bbb.school.eu", ...more], `${TOKEN}\n`);
const remove = (server: string) => step(["--server", server, "--remove"], "");
const there = (path: string) => existsSync(join(host.root, path));
const mode = (path: string) => (statSync(join(host.root, path)).mode & 0o777).toString(8);
const restarts = () => host.called("systemctl").filter((call) => / (restart|reload) /.test(call));

describe("balancer of a pool", () => {
  const ITS_SNIPPET = "etc/bbb-deploy/balancer-nginx/metrics.nginx";
  const POOL = `${UNITS}/bbb-pool-metrics.service`;

  test("its exporter listens on loopback with the pool's numbers, and its nginx asks it for whoever has the token", async () => {
    const { code, output } = await balancer(["--networks", "198.51.100.9/32"]);
    expect(output).toMatch(/^metrics are on: asked balancer bbb\.school\.eu$/m);
    expect(code).toBe(0);
    expect(host.read(DROP_IN)).toMatch(
      /^ExecStart=\S+ --web\.listen-address=127\.0\.0\.1:9100 --collector\.textfile\.directory=\S+\/node-exporter$/m,
    );
    expect(host.read(ITS_SNIPPET)).toBe(`# Written by the deployment, for the setting metrics.
location = /metrics/host {
  allow 127.0.0.1;
  allow 198.51.100.9/32;
  deny all;
  if ($http_authorization != "Bearer ${TOKEN}") { return 401; }
  proxy_pass http://127.0.0.1:9100/metrics;
  proxy_set_header Authorization "";
  access_log off;
}
`);
    expect(mode(ITS_SNIPPET)).toBe("640");
    expect(host.read(POOL)).toMatch(/^ExecStart=\S+ -B \S+\/pool_metrics\.py \S+\/bbb-pool\.prom$/m);
    expect([there(CODE), there(SNIPPET), there(EXPORTER)]).toEqual([false, false, false]);
  });

  test("with the setting gone, nothing of it stays", async () => {
    await balancer();
    host.put("var/lib/prometheus/node-exporter/bbb-pool.prom", "bbb_pool_up 1\n");
    expect((await remove("9")).code).toBe(0);
    for (const path of [OWN, POOL, ITS_SNIPPET, DROP_IN, "var/lib/prometheus/node-exporter/bbb-pool.prom"])
      expect(there(path)).toBe(false);
    expect(host.called("systemctl")).toEqual(
      expect.arrayContaining(["systemctl disable --now bbb-pool-metrics.service", "systemctl reload nginx"]),
    );
  });
});

describe("BigBlueButton server", () => {
  test("both exporters listen on loopback, and nginx asks them for whoever has the token", async () => {
    const { code, output } = await bbb();
    expect(output).toMatch(/^metrics are on: asked bbb bbb\.school\.eu$/m);
    expect(code).toBe(0);
    expect(host.read(DROP_IN)).toMatch(
      /^ExecStart=\nExecStart=\S+ --web\.listen-address=127\.0\.0\.1:9100$/m,
    );
    expect(JSON.parse(host.read(`${OWN}/exporter.json`))).toEqual({
      ...{ API_BASE_URL: "https://bbb.school.eu/bigbluebutton/api/", API_SECRET: SECRET },
      ...{ BIND_IP: "127.0.0.1", PORT: "9688" },
      ...{ RECORDINGS_METRICS_READ_FROM_DISK: "true", BBB_VERSION_READ_FROM_DISK: "true" },
    });
    expect(host.read(SNIPPET)).toBe(`# Written by the deployment, for the setting metrics.
location = /metrics/bigbluebutton {
  if ($http_authorization != "Bearer ${TOKEN}") { return 401; }
  proxy_pass http://127.0.0.1:9688/metrics;
  proxy_set_header Authorization "";
  access_log off;
}
location = /metrics/host {
  if ($http_authorization != "Bearer ${TOKEN}") { return 401; }
  proxy_pass http://127.0.0.1:9100/metrics;
  proxy_set_header Authorization "";
  access_log off;
}
`);
    expect(readdirSync(join(host.root, CODE)).sort()).toEqual(["api.py", "server.py"]);
    expect(restarts()).toEqual([
      "systemctl restart prometheus-node-exporter.service",
      "systemctl restart bigbluebutton-exporter.service",
      "systemctl reload nginx",
    ]);
  });

  test("the secrets are in two files for root, and in nothing that is printed, called or a unit", async () => {
    const { output } = await bbb();
    expect([mode(OWN), mode(`${OWN}/exporter.json`), mode(SNIPPET)]).toEqual(["700", "600", "640"]);
    const open = [output, host.read(EXPORTER), host.read(DROP_IN), ...host.called()].join("\n");
    expect(open).not.toContain(TOKEN);
    expect(open).not.toContain(SECRET);
    expect(host.read(EXPORTER)).toMatch(/^DynamicUser=yes\nStandardInput=file:\S+\/exporter\.json$/m);
  });

  test("node_exporter is configured before its package starts it", async () => {
    host.fake("apt-get", `${APT}\n[[ " $* " != *node-exporter* || -e "$BBB_DEPLOY_ROOT/${DROP_IN}" ]]`);
    expect((await bbb()).code).toBe(0);
  });

  test("networks alone may ask, and this host itself for its check", async () => {
    await bbb(["--networks", "198.51.100.9/32,2001:db8:1::/48"]);
    expect(host.read(SNIPPET).match(/^ {2}(allow|deny).*$/gm)).toEqual(
      Array(2)
        .fill(["  allow 127.0.0.1;", "  allow 198.51.100.9/32;", "  allow 2001:db8:1::/48;", "  deny all;"])
        .flat(),
    );
  });

  test("a second run restarts and fetches nothing", async () => {
    await bbb();
    host.fake("systemctl");
    host.forgetCalls();
    expect((await bbb()).code).toBe(0);
    expect([...restarts(), ...host.called("curl"), ...host.called("nginx")]).toEqual([]);
  });

  test("another secret of the API restarts the exporter alone", async () => {
    await bbb();
    host.fake("systemctl");
    host.forgetCalls();
    await bbb([], {}, "another");
    expect(restarts()).toEqual(["systemctl restart bigbluebutton-exporter.service"]);
  });

  test("programs with another hash are not run; those of before stay", async () => {
    await bbb();
    const wanted = hash;
    pack("0.8.0");
    hash = "0".repeat(64);
    const { code, output } = await bbb();
    expect(code).toBe(1);
    expect(output).toMatch(/have sha256 [0-9a-f]{64}, not 0{64}: .* metrics\.exporterSha256/);
    expect(host.read(`${CODE}/server.py`)).toBe('VERSION = "0.7.1"\n');
    expect(there(`${CODE}.new`)).toBe(false);
    hash = wanted;
  });

  test("another version takes the place of the former, of which nothing stays", async () => {
    await bbb();
    writeFileSync(join(host.root, CODE, "former.py"), "");
    hash = pack("0.8.0");
    expect((await bbb()).code).toBe(0);
    expect(host.read(`${CODE}/server.py`)).toBe('VERSION = "0.8.0"\n');
    expect(there(`${CODE}/former.py`)).toBe(false);
  });

  test("what is no archive of it, and what nginx does not take, fail the step", async () => {
    const whole = archive;
    writeFileSync((archive = join(host.directory, "page.html")), "<html>");
    expect((await bbb()).output).toContain("is no archive of bigbluebutton-exporter");
    archive = whole;
    host.fake("nginx", "exit 1");
    const { code, output } = await bbb();
    expect(code).toBe(1);
    expect(output).toContain("so it stays as it was");
    expect(there(SNIPPET)).toBe(false);
  });

  test("metrics that do not answer fail the step", async () => {
    const { code, output } = await bbb([], { BBB_TEST_SILENT: "1" });
    expect([code, output]).toEqual([1, expect.stringContaining("do not answer as they should: asked bbb")]);
  });

  test("the removal takes all of it away, and node_exporter where it came with it", async () => {
    await bbb();
    host.forgetCalls();
    expect(await remove("7")).toMatchObject({
      code: 0,
      output: expect.stringContaining("metrics are off") as string,
    });
    expect([OWN, CODE, EXPORTER, DROP_IN, SNIPPET].filter(there)).toEqual([]);
    expect(restarts()).toEqual(["systemctl reload nginx"]);
    expect(host.called("systemctl")).toContain("systemctl disable --now bigbluebutton-exporter.service");
    expect(host.called("apt-get").join()).toMatch(/ purge prometheus-node-exporter$/);
    expect((await remove("7")).code).toBe(0);
  });

  test("a node_exporter of the operator's own goes back to its settings", async () => {
    writeFileSync(join(host.directory, "packages"), "prometheus-node-exporter\n");
    await bbb();
    host.forgetCalls();
    await remove("7");
    expect(host.called("apt-get")).toEqual([]);
    expect(restarts()).toContain("systemctl restart prometheus-node-exporter.service");
  });

  test("the removal for an old server leaves a newer one's metrics alone", async () => {
    await bbb();
    expect((await remove("6")).output).toContain("those of a newer server");
    expect(there(SNIPPET)).toBe(true);
  });
});

describe("TURN server", () => {
  test("node_exporter has coturn's certificate and the token's hash, and coturn's relays beside its own numbers", async () => {
    expect((await turn()).output).toMatch(/^metrics are on: asked turn turn\.school\.eu$/m);
    expect(host.read(DROP_IN)).toMatch(
      / --web\.listen-address=:9100 --web\.config\.file=\S+\/metrics-web\.yml /,
    );
    expect(host.read(DROP_IN)).toMatch(/^SupplementaryGroups=turnserver$/m);
    expect(host.read(WEB)).toMatch(
      /^tls_server_config:\n {2}cert_file: \S+\/etc\/turnserver\/fullchain\.pem\n {2}key_file: \S+\/privkey\.pem\nbasic_auth_users:\n {2}metrics: \$2b\$[0-9a-f]{64}$/m,
    );
    expect(host.read(WEB)).not.toContain(TOKEN);
    expect(mode(WEB)).toBe("640");
    expect(host.read(RELAYS)).toMatch(/^ExecStart=\/bin\/bash \S+\/metrics_turn\.sh \S+\/bbb-turn\.prom$/m);
  });

  test("the hash of a token that stays is the same; another token restarts node_exporter", async () => {
    await turn();
    const before = host.read(WEB);
    host.fake("systemctl");
    host.forgetCalls();
    await turn();
    expect(host.read(WEB)).toBe(before);
    expect(restarts()).toEqual([]);
    await turn("another");
    expect(host.read(WEB)).not.toBe(before);
    expect(restarts()).toEqual(["systemctl restart prometheus-node-exporter.service"]);
  });

  test("the removal", async () => {
    await turn();
    expect((await remove("8")).code).toBe(0);
    expect([OWN, RELAYS, DROP_IN, WEB].filter(there)).toEqual([]);
  });

  test("coturn's relays are UDP sockets of its own from 32769 on", async () => {
    host.fake(
      "ss",
      `cat <<'END'
UNCONN 0 0 203.0.113.2:3478 0.0.0.0:* users:(("turnserver",pid=1,fd=3))
UNCONN 0 0 203.0.113.2:40000 0.0.0.0:* users:(("turnserver",pid=1,fd=4))
UNCONN 0 0 [2001:db8::2]:65535 [::]:* users:(("turnserver",pid=1,fd=5))
UNCONN 0 0 127.0.0.1:50000 0.0.0.0:* users:(("systemd-resolve",pid=2,fd=5))
END`,
    );
    host.fake("systemctl");
    host.put("numbers", "");
    const numbers = () =>
      done(host.start(["bash", join(SCRIPTS, "metrics_turn.sh"), join(host.root, "numbers"), "once"]));
    expect(await numbers()).toEqual({ code: 0, output: "" });
    expect(host.read("numbers")).toMatch(
      /^# HELP turn_up .*\n# TYPE turn_up gauge\nturn_up 1\n(#.*\n){2}turn_relays 2\n$/,
    );
    host.fake("systemctl", "exit 3");
    await numbers();
    expect(host.read("numbers")).toMatch(/^turn_up 0$/m);
  });
});

test("the exporter gets its settings by standard input, and its secret is in no environment that the host shows", async () => {
  host.put("code/helpers.py", "NAME = 'helpers'\n");
  host.put(
    "code/server.py",
    `import logging, os, helpers
logging.info("not told")
logging.error("no answer: %s", "getMeetings?checksum=a1b2c3&x=y")
print(helpers.NAME, __name__, os.environ["API_SECRET"], "s3cret" in open("/proc/self/environ").read())
`,
  );
  const run = host.start([
    "/usr/bin/python3",
    "-B",
    join(SCRIPTS, "metrics_exporter.py"),
    join(host.root, "code"),
  ]);
  expect(await done(run, JSON.stringify({ API_SECRET: "s3cret" }))).toEqual({
    code: 0,
    output: "ERROR:root:no answer: getMeetings?checksum=(secret)&x=y\nhelpers __main__ s3cret False\n",
  });
});
