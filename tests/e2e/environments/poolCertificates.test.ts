/** Certificates of the servers of a pool: of one that is made anew, of one that was not there for a while, and a wildcard. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { CA_BUNDLE } from "../../../sandbox/paths";
import { Authority } from "../../settings/formats/authority";
import { accountObjects } from "../support/account";
import { orders, shown } from "../support/certificates";
import { filesUnder, STATE } from "../support/hosts";
import { BALANCER, endOn, meetingsOn, node, openOn, poolOf } from "../support/pool";
import { must, onHost, printed, tryUpdate, update } from "../support/sandbox";
import { found, foundInHostLogs, keyLines } from "../support/secrets";

const up = (servers: number, more: readonly string[] = []) => update("up", "embedded", poolOf(servers, more));

const own = new Authority();
beforeAll(async () => {
  await must(["reset"]);
  await up(2);
});
afterAll(() => own.remove());

const bootOf = (fqdn: string) => onHost(fqdn, ["cat", "/etc/machine-id"]);
const keyOf = async (fqdn: string) =>
  keyLines("key of a certificate", await onHost(fqdn, ["cat", `/etc/letsencrypt/live/${fqdn}/privkey.pem`]));

describe("a server that is made anew", () => {
  const REPLACE = ["--replace", "bbb-2-host-server"];
  let serial: string;
  beforeAll(async () => {
    serial = await shown(node(2), "serial");
  });
  const expectSame = async () => {
    expect(serial).toMatch(/^serial=[0-9A-F]+$/);
    expect(await shown(node(2), "serial")).toBe(serial);
    expect(await orders(node(2))).toBe(0);
  };

  test("by --replace while a meeting runs there: refused with what to do, and nothing of it goes", async () => {
    await openOn(2, "lesson");
    const before = await accountObjects();
    const { code, stdout, stderr } = await tryUpdate("up", "embedded", poolOf(2, REPLACE));
    expect([code === 0, stdout + stderr]).toEqual([
      false,
      expect.stringMatching(
        new RegExp(`${node(2)} stays: it still has 1 meeting .* run the same command again`),
      ),
    ]);
    expect(await accountObjects()).toEqual(before);
    expect(await meetingsOn(2)).toEqual(["lesson"]);
    await endOn(2);
  });

  test("by --replace: the same name and certificate, no order, and certbot renews it", async () => {
    expect(await orders(node(2))).toBe(1);
    const before = await bootOf(node(2));
    await up(2, REPLACE);
    expect(await bootOf(node(2))).not.toBe(before);
    await expectSame();
    const due = `conf=/etc/letsencrypt/renewal/$0.conf; sed -i '1i renew_before_expiry = 9999 days' $conf; certbot renew`;
    await onHost(node(2), ["bash", "-c", due, node(2)]);
    const renewed = await shown(node(2), "serial");
    expect(renewed).not.toBe(serial);
  });

  test("since it was not there for a while: likewise", async () => {
    // The balancer has the certificate of when the server was last taken into the pool.
    await up(1);
    await up(2);
    await expectSame();
  });

  test("the key is in no log and no state", async () => {
    const copy = await onHost(BALANCER, ["cat", `/var/lib/bbb-deploy/balancer/certificates/${node(2)}`]);
    // On its way it is in an archive.
    const key = [...(await keyOf(node(2))), ["its copy", copy.split("\n")[1]!.slice(200, 260)] as const];
    expect(key.length).toBeGreaterThan(2);
    expect(found(key, printed.join("\n"))).toEqual([]);
    for (const fqdn of [node(2), BALANCER]) expect(await foundInHostLogs(fqdn, key)).toEqual([]);
    const kept = filesUnder(STATE, (path) => path.startsWith(join(STATE, "stacks")) || /log/.test(path));
    expect(kept.length).toBeGreaterThan(0);
    expect(
      kept.flatMap((path) => found(key, readFileSync(path, "latin1")).map((n) => `${n} in ${path}`)),
    ).toEqual([]);
    const copies = await onHost(BALANCER, [
      "bash",
      "-c",
      "stat -c '%a %U' /var/lib/bbb-deploy/balancer/certificates{,/*}",
    ]);
    expect(copies).toBe("700 root\n600 root\n600 root\n");
  });
});

describe("a wildcard of the operator's own", () => {
  test("is used by the balancer and all servers, from the first update on, and nobody orders any", async () => {
    await update("destroy", "embedded");
    own.leaf("wildcard", ["*.example.test"]);
    await up(1, [
      ...["--set", `certificateFile=${own.put("chain", own.read("wildcard.pem") + own.intermediate)}`],
      ...["--set", `certificateKeyFile=${own.path("wildcard.key")}`],
      ...["--set", `acmeCa=${readFileSync(CA_BUNDLE, "utf8")}${own.root}`],
    ]);
    for (const fqdn of [BALANCER, node(1), "turn.example.test"]) {
      expect(await shown(fqdn, "issuer")).toContain("Own Intermediate");
      expect(await orders(fqdn)).toBe(0);
    }
    await update("destroy", "embedded");
  });
});
