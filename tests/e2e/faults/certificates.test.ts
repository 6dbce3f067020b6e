import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { CA_BUNDLE } from "../../../sandbox/paths";
import { Authority } from "../../settings/formats/authority";
import { orders, shown } from "../support/certificates";
import { arm, disarm, expectDeployed, failingUp, freshSandbox, up } from "../support/faults";
import { filesUnder, serviceStarts, STATE } from "../support/hosts";
import { IN_HETZNER_DNS, onHost, outputs, printed } from "../support/sandbox";
import { found, foundInHostLogs, keyLines } from "../support/secrets";
import { closePort, openPort } from "../support/cloudFirewall";

/** Failures of the certificate authority, renewals, and certificates of the operator's own. One deployment for all. */

const { bbb, turn } = IN_HETZNER_DNS;
const both = [bbb, turn];
const NEW_ORDER = { match: { method: "POST", path: "^/order-plz" } } as const;
const LIMIT =
  "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, retry after 2027-01-02 03:04:05 UTC: see https://letsencrypt.org/docs/rate-limits/";

const own = new Authority();
afterAll(() => own.remove());

/** Runs certbot's own unit, with the certificate due. */
async function renew(fqdn: string): Promise<string> {
  const due = `conf=/etc/letsencrypt/renewal/$0.conf; sed -i /^renew_before_expiry/d $conf; sed -i '1i renew_before_expiry = 9999 days' $conf; systemctl start certbot.service; systemctl is-failed certbot.service`;
  return (await onHost(fqdn, ["bash", "-c", `${due} || true`, fqdn])).trim();
}

async function hostCheck(fqdn: string): Promise<string> {
  const code = `import sys; sys.path.insert(0, "/usr/local/lib/bbb-deploy")
from checks import Page
import system_check
page = Page(False)
page.check("renewal", "", system_check.check_renewal, "${fqdn}", "${fqdn === bbb ? "bbb" : "turn"}", False)
page.check("units", "", system_check.check_units)`;
  return onHost(fqdn, ["python3", "-B", "-c", code]);
}

beforeAll(freshSandbox);

afterEach(disarm);

describe("The certificate authority", () => {
  test("a rate limit: one order a host, explained with its end and the ways out, and nothing is asked again", async () => {
    await arm("acme", {
      ...NEW_ORDER,
      code: "rateLimited",
      status: 429,
      message: LIMIT,
      retryAfter: "3600",
      times: "every",
    });
    const { stdout } = await failingUp(
      [],
      /a limit of the certificate authority is reached: 5 certificates for the same names in 7 days/,
      /wait until 2027-01-02 03:04 UTC/,
      /acmeServer: staging/,
      /certificateFile/,
    );
    const asked = await Promise.all(both.map(orders));
    expect(Math.max(...asked)).toBe(1);
    // The error shows the line once more, without the resource's name.
    const runs = stdout.match(/^ *bbb-install: running bbb-install.*\[bbb 5\/7\]/gm);
    expect(runs?.length ?? 0).toBeLessThanOrEqual(1);
  });

  test("failing twice, then fine: the update after the limit succeeds", async () => {
    await arm("acme", { ...NEW_ORDER, code: "serverInternal", status: 500, times: 2 });
    const { stdout } = await up();
    expect(stdout).toMatch(/says serverInternal/);
    await expectDeployed();
    const { certificates } = await outputs();
    expect(Object.keys(certificates)).toEqual(both);
    for (const fqdn of both) {
      const end = (await shown(fqdn, "enddate")).replace("notAfter=", "");
      expect(new Date(certificates[fqdn]!.validUntil)).toEqual(new Date(end));
      expect(certificates[fqdn]!.issuedBy).toContain("Pebble");
    }
  });
});

describe("A renewal", () => {
  test("port 80 open: new certificates are in use on both, and coturn was not restarted", async () => {
    const before = await Promise.all(both.map((fqdn) => shown(fqdn, "serial")));
    const { coturn } = await serviceStarts(IN_HETZNER_DNS);
    for (const fqdn of both) expect(await renew(fqdn)).toBe("inactive");
    const after = await Promise.all(both.map((fqdn) => shown(fqdn, "serial")));
    for (const [i, serial] of after.entries()) {
      expect(serial).toMatch(/^serial=/);
      expect(serial).not.toBe(before[i]);
    }
    expect((await serviceStarts(IN_HETZNER_DNS)).coturn).toBe(coturn);
  });

  test("port 80 closed behind our back: a failed unit that says so, check says so, and all is well once it is open", async () => {
    const rules = await closePort("turn", 80);
    expect(await renew(turn)).toBe("failed");
    const journal = await onHost(turn, [
      "journalctl",
      "-u",
      "certbot",
      "-n",
      "30",
      "-o",
      "cat",
      "--no-pager",
    ]);
    expect(journal).toMatch(/was not renewed:\n.*connection.*80\/tcp must be open/);
    const told = await hostCheck(turn);
    expect(told).toMatch(/FAIL .*renewal .*the last renewal failed .*80\/tcp must be open/);
    expect(told).toMatch(/warn .*failed: certbot.service/);
    await openPort("turn", rules);
    expect(await renew(turn)).toBe("inactive");
    expect(await hostCheck(turn)).toMatch(/ok .*renewal/);
  });

  test.each([
    ["whose settings are gone", turn, "rm renewal/$0.conf"],
    ["of which nothing but the archive is left", turn, "rm -r renewal/$0.conf live/$0"],
    ["whose settings are gone", bbb, "rm renewal/$0.conf"],
  ])(
    "a certificate %s, on %s: the remedy of the check gets one that is in use and renewed",
    async (_, fqdn, lose) => {
      const before = await shown(fqdn, "serial");
      await onHost(fqdn, ["bash", "-c", `cd /etc/letsencrypt && ${lose}`, fqdn]);
      const told = await hostCheck(fqdn);
      expect(told).toMatch(/FAIL .*renewal .*certbot does not know the certificate of/);
      const [remedy] = /\/usr\/local\/lib\/bbb-deploy\/certificate\.sh --role \w+ --hostname \S+/.exec(told)!;
      expect(await onHost(fqdn, ["bash", "-c", remedy])).toContain(
        `certbot renews the certificate of ${fqdn}`,
      );
      expect(await hostCheck(fqdn)).toMatch(/ok .*renewal/);
      const after = await shown(fqdn, "serial");
      expect(after).toMatch(/^serial=/);
      expect(after).not.toBe(before);
      expect(await onHost(fqdn, ["ls", "/etc/letsencrypt/renewal"])).toBe(`${fqdn}.conf\n`);
    },
  );
});

/** Settings for one of {@link own}; its leaf must have been made. */
const files = (name: string, prefix: "certificate" | "turnCertificate" = "certificate") => [
  ...["--set", `${prefix}File=${own.put(`${name}.chain`, own.read(`${name}.pem`) + own.intermediate)}`],
  ...["--set", `${prefix}KeyFile=${own.path(`${name}.key`)}`],
  ...["--set", `acmeCa=${readFileSync(CA_BUNDLE, "utf8")}${own.root}`],
];

describe("A certificate of the operator's own", () => {
  test("in place of the authority's: both names show it, no installer runs, and its key is in no log and no checkpoint", async () => {
    const leaf = own.leaf("wildcard", ["*.example.test"]);
    const { coturn } = await serviceStarts(IN_HETZNER_DNS);
    const { stdout } = await up(...files("wildcard"));
    expect(stdout).not.toContain("running bbb-install");
    for (const fqdn of both) expect(await shown(fqdn, "issuer")).toContain("Own Intermediate");
    expect((await serviceStarts(IN_HETZNER_DNS)).coturn).toBe(coturn);
    expect((await outputs()).certificates[turn]).toMatchObject({ issuedBy: "Own Intermediate" });
    expect(leaf).toContain("BEGIN CERTIFICATE");
    const key = keyLines("own key", await onHost(bbb, ["cat", "/local/certs/privkey.pem"]));
    expect(key.length).toBeGreaterThan(0);
    expect(found(key, printed.join("\n"))).toEqual([]);
    for (const fqdn of both) expect(await foundInHostLogs(fqdn, key)).toEqual([]);
    const kept = filesUnder(STATE, (path) => path.startsWith(join(STATE, "stacks")) || /log/.test(path));
    expect(
      kept.flatMap((path) => found(key, readFileSync(path, "latin1")).map((n) => `${n} in ${path}`)),
    ).toEqual([]);
    expect(Object.keys((await up(...files("wildcard"))).summary)).toEqual(["unchanged"]);
  });

  test("a new one is taken into use without an installer, and a wrong one before anything is touched", async () => {
    own.leaf("second", ["*.example.test"]);
    const { stdout } = await up(...files("second"));
    expect(stdout).not.toContain("running bbb-install");
    const serial = (
      await onHost(bbb, ["openssl", "x509", "-noout", "-serial", "-in", "/local/certs/fullchain.pem"])
    ).trim();
    for (const fqdn of both) expect(await shown(fqdn, "serial")).toBe(serial);
    own.leaf("other", ["other.example.test"]);
    await failingUp(
      [...files("other"), "--set", `certificateKeyFile=${own.path("second.key")}`],
      /2 problems in the settings/,
      /is not for bbb\.example\.test, but for DNS:other\.example\.test/,
      /does not belong to the certificate/,
    );
  });

  test("given up: the authority's again on both", async () => {
    const { stdout } = await up();
    expect(stdout).not.toContain("running bbb-install");
    for (const fqdn of both) expect(await shown(fqdn, "issuer")).toContain("Pebble");
    await expectDeployed();
  });
});

describe("A first deployment", () => {
  beforeAll(freshSandbox);

  test("with a certificate of the operator's own for each host: the authority is asked for none", async () => {
    own.leaf("bbb", [bbb]);
    own.leaf("turn", [turn]);
    const both = [...files("bbb"), ...files("turn", "turnCertificate")];
    await up(...both);
    for (const [name, fqdn] of Object.entries({ bbb, turn })) {
      expect(await orders(fqdn)).toBe(0);
      const { serialNumber } = new X509Certificate(own.read(`${name}.pem`));
      expect(await shown(fqdn, "serial")).toBe(`serial=${serialNumber}`);
    }
    expect(Object.keys((await up(...both)).summary)).toEqual(["unchanged"]);
  });

  test("TURN's own given up: its certificate is the authority's, BigBlueButton's stays", async () => {
    await up(...files("bbb"));
    expect(await shown(bbb, "issuer")).toContain("Own Intermediate");
    expect(await shown(turn, "issuer")).toContain("Pebble");
    expect(await orders(bbb)).toBe(0);
    expect(Object.keys((await up(...files("bbb"))).summary)).toEqual(["unchanged"]);
  });
});
