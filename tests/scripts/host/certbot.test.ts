import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { done, FakeHost, SCRIPTS } from "./scripts";

const NAME = "turn.example.test";
let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
  host.fake("systemctl");
  host.fake("certbot");
  host.fake("sleep");
});
afterEach(() => host.remove());

/** Bash that has read certbot.sh in, as the steps' scripts do. */
function certbot(lines: string) {
  const read = ["lib.sh", "certbot.sh"].map((name) => `. "${join(SCRIPTS, name)}"`).join("; ");
  return done(
    host.start(["bash", "-c", `set -euo pipefail; ${read}; ${lines}`], { BBB_DEPLOY_PAUSE: undefined }),
  );
}

const letsencrypt = (path: string) => join(host.root, "etc/letsencrypt", path);

describe("a certificate is asked for", () => {
  const asked = () => host.called("certbot").map((call) => call.replaceAll(host.root, ""));

  test("by coturn's host on port 80, with an elliptic key", async () => {
    expect((await certbot(`request_certificate turn ${NAME} a@b.test --keep-until-expiring`)).code).toBe(0);
    expect(asked()).toEqual([
      `certbot certonly --standalone --key-type ecdsa --non-interactive --agree-tos --email a@b.test --domain ${NAME} --cert-name ${NAME} --keep-until-expiring`,
    ]);
  });

  test("by BigBlueButton's below nginx's pages, with RSA, and nginx takes each renewal", async () => {
    host.put("var/www/bigbluebutton-default/assets/x", "");
    expect((await certbot(`request_certificate bbb ${NAME} a@b.test`)).code).toBe(0);
    expect(asked()).toEqual([
      `certbot certonly --webroot --webroot-path /var/www/bigbluebutton-default/assets --key-type rsa --rsa-key-size 4096 --deploy-hook systemctl reload nginx --non-interactive --agree-tos --email a@b.test --domain ${NAME} --cert-name ${NAME}`,
    ]);
  });

  test("without an address where there is none", async () => {
    await certbot(`request_certificate turn ${NAME} ""`);
    expect(asked()[0]).not.toContain("--email");
  });

  test("three times, with growing pauses, where a moment may help", async () => {
    host.fake("certbot", "exit 1");
    const { code, output } = await certbot(`request_certificate turn ${NAME} a@b.test || exit 9`);
    expect(code).toBe(9);
    expect(asked()).toHaveLength(3);
    expect(host.called("sleep")).toEqual(["sleep 20", "sleep 60"]);
    expect(output).toContain(
      `no certificate for ${NAME}: see /var/log/letsencrypt/letsencrypt.log on this host`,
    );
  });
});

describe("what certbot does not know of a certificate", () => {
  beforeEach(() => {
    host.put(`etc/letsencrypt/live/${NAME}/fullchain.pem`, "old");
    host.put(`etc/letsencrypt/archive/${NAME}/fullchain1.pem`, "old");
  });

  test("is moved out of its way, and kept under a name of its own", async () => {
    const { output } = await certbot(`request_certificate turn ${NAME} a@b.test`);
    expect(output).toContain(`certbot does not know what is left of a certificate of ${NAME}`);
    expect(existsSync(letsencrypt(`live/${NAME}`))).toBe(false);
    const [kept, ...more] = readdirSync(letsencrypt("bbb-deploy-leftovers"));
    expect(more).toEqual([]);
    expect(kept).toMatch(new RegExp(`^${NAME}\\.\\d+$`));
    expect(host.read(`etc/letsencrypt/bbb-deploy-leftovers/${kept}/live/${NAME}/fullchain.pem`)).toBe("old");
  });

  test("comes back where no other can be had", async () => {
    host.fake("certbot", "exit 1");
    await certbot(`request_certificate turn ${NAME} a@b.test || true`);
    expect(readFileSync(letsencrypt(`live/${NAME}/fullchain.pem`), "utf8")).toBe("old");
    expect(readFileSync(letsencrypt(`archive/${NAME}/fullchain1.pem`), "utf8")).toBe("old");
    expect(readdirSync(letsencrypt("bbb-deploy-leftovers"))).toEqual([]);
  });
});

describe("the operator's own certificate", () => {
  const use = () => {
    host.put("local/certs/fullchain.pem", "own");
    host.put(`etc/letsencrypt/live/${NAME}/README`, "");
    symlinkSync(join(host.root, "local/certs/fullchain.pem"), letsencrypt(`live/${NAME}/fullchain.pem`));
    host.put("etc/letsencrypt/renewal-hooks/deploy/bbb-deploy-coturn", "");
  };
  const leave = () => certbot(`leave_own_certificate turn ${NAME} a@b.test`);

  test("goes once the authority has given one", async () => {
    use();
    host.fake(
      "certbot",
      `mkdir -p ${letsencrypt(`live/${NAME}`)}; echo new >${letsencrypt(`live/${NAME}/fullchain.pem`)}`,
    );
    expect((await leave()).code).toBe(0);
    expect(host.read(`etc/letsencrypt/live/${NAME}/fullchain.pem`)).toBe("new\n");
    expect(existsSync(join(host.root, "local/certs"))).toBe(false);
  });

  test("stays where the authority gives none", async () => {
    use();
    host.fake("certbot", "exit 1");
    const { code, output } = await leave();
    expect([code, output]).toEqual([
      1,
      expect.stringContaining("stays in use, since the authority gave none"),
    ]);
    expect(readFileSync(letsencrypt(`live/${NAME}/fullchain.pem`), "utf8")).toBe("own");
  });

  test("is nothing to leave where it is not in use", async () => {
    expect(await leave()).toEqual({ code: 0, output: "" });
    expect(host.called("certbot")).toEqual([]);
  });
});
