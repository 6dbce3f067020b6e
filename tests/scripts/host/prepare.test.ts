import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { FakeHost, run } from "./scripts";

let host: FakeHost;
let certificates: string[];

const FLAGS =
  "--role bbb --hostname bbb.example.test --ipv4 203.0.113.10 --swap-mb 4096 --acme-server https://acme.test/dir --email a@b.test".split(
    " ",
  );

beforeAll(async () => {
  const make = (name: string) =>
    run([
      "bash",
      "-c",
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=${name} 2>/dev/null`,
    ]);
  certificates = (await Promise.all(["one", "two"].map(make))).map(({ output }) => output);
});

beforeEach(() => {
  host = new FakeHost();
  host.put(
    "etc/hosts",
    "127.0.0.1 localhost\n127.0.1.1 bbb.example.test bbb\n::1 localhost\n198.51.100.7 other.example.test\n",
  );
  host.put("etc/default/locale", "LANG=C\n");
  host.put("etc/fstab", "");
  host.put("etc/letsencrypt/cli.ini", "max-log-backups = 0\nserver = https://old.test/dir\n");
  host.fake("dpkg-query", "echo installed");
  host.fake("systemctl", 'if [[ $1 == show-environment ]]; then echo "LANG=C"; fi');
  host.fake("swapon");
  host.fake("systemd-detect-virt", "exit 0");
  host.fake("update-ca-certificates");
});

afterEach(() => host.remove());

const prepare = (flags: readonly string[] = [], pem = "") =>
  host.script("prepare.sh", [...FLAGS, ...flags], pem);
const trusted = () => readdirSync(join(host.root, "usr/local/share/ca-certificates")).sort();

test("the host's name leads to its own address, once, whatever else /etc/hosts has", async () => {
  expect((await prepare()).code).toBe(0);
  const expected =
    "127.0.0.1 localhost\n::1 localhost\n198.51.100.7 other.example.test\n203.0.113.10 bbb.example.test bbb # bbb-deploy\n";
  expect(host.read("etc/hosts")).toBe(expected);
  await prepare();
  expect(host.read("etc/hosts")).toBe(expected);
  expect(host.read("etc/hostname")).toBe("bbb\n");
});

test("behind NAT the name leads to the address on the interface; cloud-init's template says the same", async () => {
  host.put("etc/cloud/templates/hosts.debian.tmpl", "127.0.1.1 {{fqdn}} {{hostname}}\n127.0.0.1 localhost\n");
  await prepare(["--private-ipv4", "10.0.0.5"]);
  expect(host.read("etc/hosts")).toContain("10.0.0.5 bbb.example.test bbb # bbb-deploy\n");
  expect(host.read("etc/cloud/templates/hosts.debian.tmpl")).toBe(
    "127.0.0.1 localhost\n10.0.0.5 bbb.example.test bbb # bbb-deploy\n",
  );
});

test("certbot asks the authority of the settings, and its other settings stay", async () => {
  await prepare();
  const expected =
    "# The setting acmeServer of the deployment.\nserver = https://acme.test/dir\nmax-log-backups = 0\n";
  expect(host.read("etc/letsencrypt/cli.ini")).toBe(expected);
  await prepare();
  expect(host.read("etc/letsencrypt/cli.ini")).toBe(expected);
});

describe("a certificate from another authority than the settings' own", () => {
  const LINEAGE = "etc/letsencrypt/renewal/bbb.example.test.conf";
  beforeEach(() => host.fake("certbot"));

  test.each([
    ["bbb", "--webroot --webroot-path"],
    ["turn", "--standalone --key-type ecdsa"],
  ])("is replaced on the %s host, without an end to what runs", async (role, way) => {
    host.put(LINEAGE, "[renewalparams]\nserver = https://acme.test/dir2\n");
    const { code, output } = await prepare(["--role", role]);
    expect(output).toContain("is from another authority: asking https://acme.test/dir for one");
    expect(host.called("certbot")).toEqual([expect.stringContaining(`certonly ${way}`)]);
    expect(host.called("certbot")[0]).toMatch(
      /--email a@b.test --domain bbb.example.test --cert-name bbb.example.test --force-renewal/,
    );
    expect(code).toBe(0);
  });

  test("that can't be had fails the step, and says so", async () => {
    host.put(LINEAGE, "server = https://acme.test/dir2\n");
    host.fake("certbot", "exit 1");
    const { code, output } = await prepare();
    expect(host.called("certbot")).toHaveLength(3);
    expect(output).toContain("there is no certificate for bbb.example.test from https://acme.test/dir");
    expect(code).toBe(1);
  });

  test("is the only one that is: the settings' own stays, and a host without any has none asked for", async () => {
    await prepare();
    host.put(LINEAGE, "server = https://acme.test/dir\n");
    await prepare();
    expect(host.called("certbot")).toEqual([]);
  });
});

describe("a certificate on a server that was off for long", () => {
  const LIVE = "etc/letsencrypt/live/bbb.example.test/fullchain.pem";

  const lasting = async (days: number) => {
    const made = await run([
      "bash",
      "-c",
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x -days ${days} 2>/dev/null`,
    ]);
    host.put(LIVE, made.output);
  };
  beforeEach(() => {
    host.fake("certbot");
    // Nothing but the question whether it lasts until tomorrow differs with the day.
    host.fake(
      "openssl",
      'if [[ $* == *"-checkend 86400"* && -e $BBB_DEPLOY_ROOT/overdue ]]; then exit 1; fi; exec /usr/bin/openssl "$@"',
    );
  });

  test.each([
    ["bbb", "--webroot --webroot-path", "systemctl reload nginx.service"],
    ["turn", "--standalone --key-type ecdsa", undefined],
  ])("is renewed on the %s host before anything relies on it", async (role, way, reload) => {
    await lasting(90);
    host.put("overdue", "");
    const { code, output } = await prepare(["--role", role]);
    expect(output).toContain("has run out, or does within a day: asking https://acme.test/dir for a new one");
    expect(host.called("certbot")).toEqual([expect.stringContaining(`certonly ${way}`)]);
    expect(host.called("certbot")[0]).toContain("--keep-until-expiring");
    if (reload) expect(host.called("systemctl")).toContain(reload);
    expect(code).toBe(0);
  });

  test("that can't be renewed fails the step", async () => {
    await lasting(90);
    host.put("overdue", "");
    host.fake("certbot", "exit 1");
    const { code, output } = await prepare();
    expect([code, output]).toEqual([
      1,
      expect.stringContaining("has run out, and there is no new one, for the reason above"),
    ]);
  });

  test("is left to its timer where it lasts longer, and where it can't be read", async () => {
    await lasting(2);
    await prepare();
    host.put("overdue", "");
    host.put(LIVE, "no certificate\n");
    await prepare();
    expect(host.called("certbot")).toEqual([]);
  });
});

test("a locale without UTF-8 gets one, for services that run already too; a container no swap", async () => {
  const { output } = await prepare();
  expect(host.read("etc/default/locale")).toBe("LANG=C.UTF-8\n");
  expect(host.called("systemctl")).toContain("systemctl set-environment LANG=C.UTF-8");
  expect(output).toContain("no swap: this host is a container");
  host.put("etc/default/locale", "LANG=de_DE.UTF-8\n");
  await prepare();
  expect(host.read("etc/default/locale")).toBe("LANG=de_DE.UTF-8\n");
});

test("each certificate of a private authority becomes a file, once, and goes when it is not wanted", async () => {
  await prepare([], certificates.join(""));
  expect(trusted()).toEqual(["bbb-deploy-own-01.crt", "bbb-deploy-own-02.crt"]);
  expect(host.read("usr/local/share/ca-certificates/bbb-deploy-own-02.crt")).toBe(certificates[1]);
  await prepare([], certificates.join(""));
  expect(host.called("update-ca-certificates")).toHaveLength(1);
  await prepare([], certificates[0]);
  expect(trusted()).toEqual(["bbb-deploy-own-01.crt"]);
  expect(host.called("update-ca-certificates")).toHaveLength(2);
});

test("certificates that are named by URL are fetched", async () => {
  host.put("root.pem", certificates[0]!);
  await prepare(["--acme-ca-urls", `file://${host.root}/root.pem,file://${host.root}/root.pem`]);
  expect(trusted()).toEqual(["bbb-deploy-url1-01.crt", "bbb-deploy-url2-01.crt"]);
});

test("text that is no certificate is refused", async () => {
  const { code, output } = await prepare([], "not a certificate\n");
  expect([code, output]).toEqual([1, expect.stringContaining("the setting acmeCa holds no certificate")]);
});

test("the metadata service is closed to all but root, in a table of its own, time and again", async () => {
  await prepare();
  expect(host.read("etc/systemd/system/bbb-deploy-metadata-guard.service")).toContain(
    "/etc/bbb-deploy/metadata-guard.nft",
  );
  const rules = join(host.root, "etc/bbb-deploy/metadata-guard.nft");
  const inNamespace = `set -e; ip link set lo up; ip address add 169.254.169.254/32 dev lo; ip address add 192.0.2.5/32 dev lo; nft add table inet other
    nft -f ${rules}; nft -f ${rules}; nft list tables
    python3 -m http.server --bind 169.254.169.254 80 >/dev/null 2>&1 & trap "kill $!" EXIT
    ask() { curl -s -o /dev/null -m 3 --interface 192.0.2.5 http://169.254.169.254/; echo "$1 $?"; }
    for i in $(seq 50); do if curl -s -o /dev/null http://169.254.169.254/; then break; fi; sleep 0.1; done
    export -f ask; ask root; setpriv --reuid 65534 --clear-groups bash -c "ask nobody"`;
  const { output } = await run(["unshare", "--net", "bash", "-c", inNamespace]);
  expect(output).toBe("table inet other\ntable inet bbb_metadata_guard\nroot 0\nnobody 7\n");
});

test("a flag that it does not know stops it before it changes anything", async () => {
  const { code, output } = await prepare(["--unknown", "x"]);
  expect([code, output]).toEqual([1, expect.stringContaining("prepare.sh takes no argument --unknown")]);
  expect(existsSync(join(host.root, "etc/hostname"))).toBe(false);
  expect((await host.script("prepare.sh", ["--role", "bbb"])).output).toContain(
    "prepare.sh needs --hostname",
  );
});

describe("a changed address of the account", () => {
  const certbot = () => {
    host.fake("certbot", `echo "$@" >>${host.directory}/certbot`);
    return () =>
      existsSync(join(host.directory, "certbot"))
        ? readFileSync(join(host.directory, "certbot"), "utf8")
        : "";
  };

  test("is left for the installers; without an account there is nobody to tell", async () => {
    const asked = certbot();
    expect((await prepare()).code).toBe(0);
    expect(host.read("var/lib/bbb-deploy/email")).toBe("a@b.test\n");
    expect(asked()).toBe("");
  });

  test("is told the authority that has the account, once", async () => {
    const asked = certbot();
    host.put("etc/letsencrypt/accounts/acme.test/dir/x/regr.json", "{}");
    host.put("var/lib/bbb-deploy/email", "old@b.test\n");
    for (let i = 0; i < 2; i++) expect((await prepare()).code).toBe(0);
    expect(asked()).toBe("update_account --non-interactive --email a@b.test\n");
  });

  test("that the authority does not take is not kept, so that the next update asks again", async () => {
    host.fake("certbot", "exit 1");
    host.put("etc/letsencrypt/accounts/acme.test/dir/x/regr.json", "{}");
    host.put("var/lib/bbb-deploy/email", "old@b.test\n");
    const { code, output } = await prepare();
    expect(code).not.toBe(0);
    expect(output).toContain("https://acme.test/dir does not take a@b.test");
    expect(host.read("var/lib/bbb-deploy/email")).toBe("old@b.test\n");
  });
});
