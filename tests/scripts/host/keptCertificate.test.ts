/** Certificates of a pool's servers, on their way from a server to the balancer, and to the next server of the same name. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { keptCertificateCommand } from "../../../steps/keptCertificate";
import { done, FakeHost, SCRIPTS } from "./scripts";

const NAME = "bbb-2.example.test";
const SCRIPT = join(SCRIPTS, "kept-certificate.sh");
const CONF = `archive_dir = /etc/letsencrypt/archive/${NAME}
cert = /etc/letsencrypt/live/${NAME}/cert.pem
privkey = /etc/letsencrypt/live/${NAME}/privkey.pem
chain = /etc/letsencrypt/live/${NAME}/chain.pem
fullchain = /etc/letsencrypt/live/${NAME}/fullchain.pem
[renewalparams]
account = 0123
renew_hook = systemctl reload nginx
server = https://acme.test/dir
[[webroot_map]]
`;

let old: FakeHost;
let balancer: FakeHost;
let next: FakeHost;
beforeEach(() => {
  [old, balancer, next] = [new FakeHost(), new FakeHost(), new FakeHost()];
  for (const host of [old, balancer, next]) host.fake("systemctl");
});
afterEach(() => [old, balancer, next].forEach((host) => host.remove()));

/** Gives a host a certificate in certbot's form. */
function issue(host: FakeHost, days: number, { name = NAME, conf = CONF } = {}): void {
  const archive = join(host.root, "etc/letsencrypt/archive", NAME);
  const live = join(host.root, "etc/letsencrypt/live", NAME);
  for (const folder of [archive, live]) mkdirSync(folder, { recursive: true });
  const key = join(archive, "privkey1.pem");
  const made = execFileSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key],
    ...["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`, "-days", String(days)],
  ]);
  for (const part of ["cert", "chain", "fullchain"]) writeFileSync(join(archive, `${part}1.pem`), made);
  for (const part of ["cert", "chain", "fullchain", "privkey"])
    symlinkSync(`../../archive/${NAME}/${part}1.pem`, join(live, `${part}.pem`));
  host.put(`etc/letsencrypt/renewal/${NAME}.conf`, conf);
  host.put("etc/letsencrypt/accounts/acme.test/dir/0123/private_key.json", "{}");
}

const ask = (host: FakeHost, verb: string, input = "") => done(host.start(["sh", SCRIPT, verb, NAME]), input);
/** Brings a certificate to the balancer and back. @returns what the balancer gives */
const roundTrip = async () => {
  const { code, output } = await ask(old, "pack");
  expect(code).toBe(0);
  expect(await ask(balancer, "keep", output)).toEqual({ code: 0, output: "" });
  return (await ask(balancer, "give")).output;
};
const take = (given: string) => {
  next.put("var/lib/bbb-deploy/kept-certificate", given);
  const read = ["lib.sh", "certbot.sh"].map((file) => `. "${join(SCRIPTS, file)}"`).join("; ");
  return done(
    next.start([
      "bash",
      "-c",
      `set -euo pipefail; ${read}; take_kept_certificate ${NAME}; certbot_knows ${NAME}`,
    ]),
  );
};
const of = (host: FakeHost, path: string) => readFileSync(join(host.root, "etc/letsencrypt", path), "utf8");

test("the next server has the same certificate, key and account, and certbot renews it there", async () => {
  issue(old, 89);
  const { code, output } = await take(await roundTrip());
  expect(output).toMatch(
    /the certificate of bbb-2\.example\.test is that of the server before.*valid until \d/,
  );
  expect(code).toBe(0);
  for (const part of ["privkey", "fullchain"])
    expect(of(next, `live/${NAME}/${part}.pem`)).toBe(of(old, `live/${NAME}/${part}.pem`));
  expect(of(next, `renewal/${NAME}.conf`)).toBe(CONF);
  expect(of(next, "accounts/acme.test/dir/0123/private_key.json")).toBe("{}");
  expect(existsSync(join(next.root, "var/lib/bbb-deploy/kept-certificate"))).toBe(false);
});

test("the balancer's copy is root's alone", async () => {
  issue(old, 89);
  await roundTrip();
  const folder = join(balancer.root, "var/lib/bbb-deploy/balancer/certificates");
  expect([folder, join(folder, NAME)].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o600]);
});

test.each([
  ["of fewer than 30 days is not given", 29, NAME],
  ["of another name is not given", 89, "other.example.test"],
])("one %s", async (_, days, name) => {
  issue(old, days, { name });
  expect(await roundTrip()).toBe("");
});

test("the operator's own is none that certbot knows, and is not copied", async () => {
  expect(await ask(old, "pack")).toEqual({ code: 0, output: "" });
  expect(await ask(balancer, "give")).toEqual({ code: 0, output: "" });
});

test("one that is there stays", async () => {
  issue(old, 89);
  issue(next, 80);
  const mine = of(next, `live/${NAME}/fullchain.pem`);
  expect((await take(await roundTrip())).code).toBe(0);
  expect(of(next, `live/${NAME}/fullchain.pem`)).toBe(mine);
});

test.each([
  ["cut off", (given: string) => given.slice(0, -2000)],
  ["no archive at all", () => "x\ny\n"],
])("one that is %s is left out, and the step goes on", async (_, spoil) => {
  issue(old, 89);
  const { code, output } = await take(spoil(await roundTrip()));
  expect(output).not.toContain("is that of the server before");
  // certbot knows none.
  expect(code).toBe(1);
  expect(existsSync(join(next.root, "etc/letsencrypt/live", NAME))).toBe(false);
  expect(existsSync(join(next.root, "var/lib/bbb-deploy/kept-certificate"))).toBe(false);
});

test("a key of another certificate is not taken", async () => {
  issue(old, 89);
  execFileSync("openssl", [
    ...["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ...["-out", join(old.root, "etc/letsencrypt/archive", NAME, "privkey1.pem")],
  ]);
  expect((await take(await roundTrip())).output).not.toContain("is that of the server before");
  expect(existsSync(join(next.root, "etc/letsencrypt/live", NAME))).toBe(false);
});

test("a command that the old server's renewal ran is not run by the new one", async () => {
  issue(old, 89, { conf: CONF.replace("server =", "pre_hook = curl evil.test\nserver =") });
  expect((await take(await roundTrip())).code).toBe(0);
  expect(of(next, `renewal/${NAME}.conf`)).toBe(CONF);
});

test("neither a name nor a secret is more than an argument of the command", () => {
  expect(keptCertificateCommand("ubuntu", "give", NAME)).toMatch(
    /^sudo -n sh -c [^]* kept-certificate\.sh give bbb-2\.example\.test$/,
  );
});
