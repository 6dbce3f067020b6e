import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";

import { cloudEnvironment } from "../../../sandbox/commands/engine";
import type { Finding } from "../../../operator/check/finding";
import { accountObjects } from "../support/account";
import { hetzner } from "../support/clouds";
import { serviceStarts, status } from "../support/hosts";
import { OLD_CERTIFICATE } from "../support/oldCertificate";
import {
  IN_HETZNER_DNS as NAMES,
  must,
  onHost,
  outside,
  PROJECT,
  sandbox,
  update,
  type Result,
} from "../support/sandbox";

/**
 * Runs of scripts/check on one deployment: in its first state, then with one fault after the other, each mended again.
 */

const HERE = "from here";
const CLOUD = "Hetzner Cloud";
const BBB = `${NAMES.bbb} (BigBlueButton)`;
const TURN = `${NAMES.turn} (TURN)`;

interface Report {
  readonly stack: string;
  readonly verdict: string;
  readonly counts: Readonly<Record<"ok" | "warn" | "FAIL" | "skip", number>>;
  readonly checks: readonly (Finding & { readonly place: string })[];
}

/** `scripts/check ARGS… --sandbox`, as its shim starts it. */
const check = (...args: string[]): Promise<Result> => sandbox(["operator", "check", ...args, "--sandbox"]);

const keyOf = ({ place, name }: { place: string; name: string }) => `${place}: ${name}`;

/** True for findings about root disk and memory, which are this machine's own. */
const ofThisMachine = ({ name }: Finding) => name === "disk" || name === "memory";

async function report(...args: string[]): Promise<{ code: number; report: Report; wrong: string[] }> {
  const { code, stdout } = await check("--json", ...args);
  const report = JSON.parse(stdout) as Report;
  const wrong = report.checks.filter((one) => one.verdict !== "ok" && !ofThisMachine(one)).map(keyOf);
  return { code, report, wrong: [...new Set(wrong)].sort() };
}

const root = (fqdn: string, script: string, ...args: string[]) =>
  onHost(fqdn, ["bash", "-c", `set -euo pipefail; ${script}`, "bash", ...args]);

async function expectAllIsWell(): Promise<Report> {
  const { code, report: all, wrong } = await report();
  expect(wrong).toEqual([]);
  expect(code).toBe(0);
  return all;
}

async function post(path: string, body?: unknown): Promise<void> {
  const [answer] = await hetzner(["POST", path, body]);
  expect(answer).toMatchObject({ status: 201 });
}

async function cloudObject(kind: string, name: RegExp): Promise<{ readonly id: string }> {
  const found = (await accountObjects()).filter((one) => one.kind === kind && name.test(one.name));
  expect(found).toHaveLength(1);
  return found[0]!;
}

const XML = "/etc/bigbluebutton/turn-stun-servers.xml";
const CONF = "/etc/turnserver.conf";
const TURN_DATABASE = "/var/lib/turn/turndb";
const EMPTY_XML = '<?xml version="1.0"?><beans xmlns="http://www.springframework.org/schema/beans"/>';

const TURN_WAYS = ["TURN over UDP", "TURN over TCP", "TURN over TLS", "TURN by IPv6", "wrong TURN secret"];
const API = ["front page", "API", "certificate", "signed call", "wrong signature"];

const at = (place: string, names: readonly string[]) => names.map((name) => keyOf({ place, name }));

/** Consequences of a TURN host that does not answer, for everybody. */
const WITHOUT_TURN = [
  ...at(HERE, ["ports", "certificate", "STUN over UDP", "STUN over TLS", "clocks"]),
  ...[BBB, TURN].flatMap((place) => at(place, [...TURN_WAYS, "ports"])),
  ...at(TURN, ["TURN certificate"]),
];

const SSH_KEY = "/etc/ssh/ssh_host_ed25519_key";
const KEY = "/etc/turnserver/privkey.pem";
const INDEX = "/var/www/bigbluebutton-default/assets/index.html";
/** Path of a stand-in that is found before the true timedatectl. */
const TIMEDATECTL = "/usr/local/sbin/timedatectl";
const FILLED = "/srv/bigbluebutton/filled";

interface Drift {
  readonly name: string;
  begin(): Promise<unknown>;
  mend(): Promise<unknown>;
  /** Required findings, by place and name: the answer and the advice. */
  readonly finds: Readonly<Record<string, readonly [answer: RegExp, remedy: RegExp]>>;
  /** Other findings that the fault may cause. */
  readonly follows?: readonly string[];
  /** @default FAIL */
  readonly verdict?: "FAIL" | "warn";
}

let firewall: { readonly id: string; readonly rules?: unknown };
let leftOver: string | undefined;

const drifts: readonly Drift[] = [
  {
    name: "files that were overwritten behind our back",
    begin: () =>
      Promise.all([
        root(NAMES.bbb, 'cp -p "$1" /root/xml; printf %s "$2" >"$1"', XML, EMPTY_XML),
        root(
          NAMES.turn,
          `cp -p "$1" /root/conf; echo allow-loopback-peers >>"$1"; sqlite3 "$2" "INSERT INTO allowed_peer_ip VALUES ('', '10.0.0.1')"`,
          CONF,
          TURN_DATABASE,
        ),
      ]),
    mend: () =>
      Promise.all([
        root(NAMES.bbb, 'cat /root/xml >"$1"', XML),
        root(
          NAMES.turn,
          `cat /root/conf >"$1"; sqlite3 "$2" "DELETE FROM allowed_peer_ip WHERE realm = ''"`,
          CONF,
          TURN_DATABASE,
        ),
      ]),
    finds: {
      [`${BBB}: TURN wiring`]: [/^overwritten, .*names no TURN server/, /rotateTurnSecret/],
      [`${TURN}: coturn's settings`]: [/^not as deployed in allow-loopback-peers/, /rotateTurnSecret/],
      [`${TURN}: coturn's peers`]: [/^it relays to 10\.0\.0\.1, too/, /rotateTurnSecret/],
    },
  },
  {
    name: "a coturn that was stopped",
    begin: () => root(NAMES.turn, "systemctl stop coturn"),
    mend: () => root(NAMES.turn, "systemctl start coturn"),
    finds: {
      [`${TURN}: coturn`]: [/^coturn is inactive/, /systemctl restart coturn/],
      [`${HERE}: STUN over UDP`]: [/^no answer/, /systemctl status coturn/],
      [`${BBB}: TURN over TLS`]: [/./, /systemctl status coturn/],
    },
    follows: WITHOUT_TURN,
  },
  {
    name: "a coturn that hangs while it is active",
    begin: () => root(NAMES.turn, 'kill -STOP "$(systemctl show -p MainPID --value coturn)"'),
    // The remedy that the check names.
    mend: () => root(NAMES.turn, "systemctl restart coturn"),
    finds: {
      [`${TURN}: coturn`]: [
        /^coturn is active, but hangs: it does not answer at .*, 3478\/udp/,
        /^systemctl restart coturn/,
      ],
      [`${HERE}: STUN over UDP`]: [/^no answer/, /where it runs, systemctl restart coturn/],
      [`${BBB}: TURN over TLS`]: [/./, /systemctl restart coturn/],
    },
    follows: WITHOUT_TURN,
  },
  {
    name: "a key that coturn cannot read, and does not need until it starts anew",
    begin: () => root(NAMES.turn, 'chmod 600 "$1"', KEY),
    mend: () => root(NAMES.turn, 'chown root:turnserver "$1" && chmod 640 "$1"', KEY),
    finds: {
      [`${TURN}: files`]: [
        /^turnserver can't read \/etc\/turnserver\/privkey\.pem$/,
        /^chown root:turnserver \S+ && chmod 640 \S+, then systemctl restart coturn$/,
      ],
    },
  },
  {
    name: "an address of IPv6 that the TURN host has lost",
    begin: () =>
      root(
        NAMES.turn,
        `ip -6 -o address show scope global | awk '{print $2, $4}' >/root/ipv6
while read -r device address; do ip -6 address del "$address" dev "$device"; done </root/ipv6`,
      ),
    mend: () =>
      root(
        NAMES.turn,
        `while read -r device address; do ip -6 address add "$address" dev "$device" nodad; done </root/ipv6
systemctl restart coturn`,
      ),
    finds: {
      [`${TURN}: IPv6`]: [/^\S+, which the name leads to, is on none of the interfaces/, /disable_ipv6=0/],
    },
    follows: [...WITHOUT_TURN, ...at(TURN, ["coturn"])],
  },
  {
    name: "IPv6 switched off, and a /tmp that is noexec, on the BigBlueButton host",
    begin: () => root(NAMES.bbb, "ip -6 address del ::1/128 dev lo; mount -o remount,noexec /tmp"),
    mend: () => root(NAMES.bbb, "ip -6 address add ::1/128 dev lo; mount -o remount,exec /tmp"),
    finds: {
      [`${BBB}: IPv6`]: [/^IPv6 is switched off on this host/, /net\.ipv6\.conf\.all\.disable_ipv6=0/],
      [`${BBB}: temporary files`]: [/^mounted noexec/, /^mount -o remount,exec \/tmp/],
    },
    follows: at(BBB, ["bbb-conf"]),
  },
  {
    name: "a firewall on the BigBlueButton host that stops media",
    begin: () =>
      root(
        NAMES.bbb,
        `nft -f - <<'HERE'
table inet school {
  chain in {
    type filter hook input priority filter; policy accept;
    iifname != "lo" udp dport 16384-32768 drop
  }
}
HERE`,
      ),
    mend: () => root(NAMES.bbb, "nft delete table inet school"),
    finds: Object.fromEntries(
      ["TURN over UDP", "TURN over TCP", "TURN over TLS", "TURN by IPv6"].map((name) => [
        `${BBB}: ${name}`,
        [
          /^media does not get through: nothing relayed to \S+\/udp arrives, and on this host there is a firewall: nftables' table inet school$/,
          /inet school accept 16384-32768\/udp/,
        ] as const,
      ]),
    ),
    // Not asked where no way in works.
    follows: at(BBB, ["wrong TURN secret"]),
  },
  {
    name: "a front page that is an error though the API answers",
    begin: () => root(NAMES.bbb, 'mv "$1" /root/', INDEX),
    mend: () => root(NAMES.bbb, 'mv "/root/${1##*/}" "$1"', INDEX),
    finds: Object.fromEntries(
      [HERE, BBB, TURN].map((place) => [
        `${place}: front page`,
        [/^HTTP status 4\d\d: people see an error instead of the page$/, /nginx -t/] as const,
      ]),
    ),
  },
  {
    name: "helpers on a host that hang",
    begin: () =>
      root(NAMES.bbb, 'printf "#!/bin/sh\\nsleep 400 & sleep 400\\n" >"$1" && chmod +x "$1"', TIMEDATECTL),
    mend: () => root(NAMES.bbb, 'rm "$1"', TIMEDATECTL),
    finds: {
      [`${BBB}: clock`]: [
        /^timedatectl did not answer within 20 s$/,
        /^run it by hand on that host: timedatectl/,
      ],
    },
    verdict: "warn",
  },
  {
    name: "a recordings volume that was mounted read-only",
    begin: () => root(NAMES.bbb, "mount -o remount,ro /srv/bigbluebutton"),
    mend: () => root(NAMES.bbb, "mount -o remount,rw /srv/bigbluebutton"),
    finds: {
      [`${BBB}: recordings`]: [
        /^the volume at \/srv\/bigbluebutton is mounted read-only/,
        /mount -o remount,rw \/srv\/bigbluebutton/,
      ],
    },
  },
  {
    name: "a place of recordings that is not on the volume any more",
    begin: () => root(NAMES.bbb, "umount /var/mediasoup"),
    mend: () =>
      root(
        NAMES.bbb,
        "cp -a /var/mediasoup/. /srv/bigbluebutton/var/mediasoup/ && mount --bind /srv/bigbluebutton/var/mediasoup /var/mediasoup",
      ),
    finds: {
      [`${BBB}: recordings`]: [/^\/var\/mediasoup is not on the volume/, /&& mount \/var\/mediasoup$/],
    },
  },
  {
    name: "a BigBlueButton of which a service was stopped",
    begin: () => root(NAMES.bbb, "systemctl stop bbb-web"),
    mend: () =>
      root(
        NAMES.bbb,
        'systemctl start bbb-web; for _ in {1..60}; do curl -sf -o /dev/null "$1" && exit; sleep 0.5; done; exit 1',
        "http://127.0.0.1:8090/bigbluebutton/api",
      ),
    finds: {
      [`${BBB}: services`]: [/^bbb-web is inactive/, /systemctl restart bbb-web/],
      [`${HERE}: API`]: [/^HTTP status 50\d/, /systemctl status nginx bbb-web/],
      [`${TURN}: API`]: [/^HTTP status 50\d/, /systemctl status nginx bbb-web/],
    },
    follows: [...[HERE, BBB, TURN].flatMap((place) => at(place, API)), ...at(BBB, ["bbb-conf"])],
  },
  {
    name: "a service that hangs, and is active all the same",
    begin: () => root(NAMES.bbb, "systemctl kill --signal=STOP bbb-graphql-middleware"),
    mend: () => root(NAMES.bbb, "systemctl kill --signal=CONT bbb-graphql-middleware"),
    finds: {
      [`${BBB}: answers`]: [
        /^bbb-graphql-middleware is active, but hangs: /,
        /^systemctl restart bbb-graphql-middleware;/,
      ],
    },
  },
  {
    name: "a firewall with a rule too few and one too many",
    begin: async () => {
      firewall = await cloudObject("firewalls", /^bbb\b/);
      const rules = firewall.rules as { port: string | null; source_ips: string[] }[];
      const ssh = rules.find(({ port }) => port === "22")!;
      const open = { ...ssh, source_ips: ["0.0.0.0/0"], description: "for everybody" };
      const others = rules.filter(({ port }) => port !== "443");
      await post(`/firewalls/${firewall.id}/actions/set_rules`, { rules: [...others, open] });
    },
    mend: () => post(`/firewalls/${firewall.id}/actions/set_rules`, { rules: firewall.rules }),
    finds: {
      [`${CLOUD}: firewalls`]: [
        /lacks 443\/tcp from 0\.0\.0\.0\/0, 443\/tcp from ::\/0; .*lets in more: 22\/tcp from 0\.0\.0\.0\/0/,
        /^pulumi refresh, then pulumi up/,
      ],
      [`${HERE}: ports`]: [/^no answer at 443/, /firewall must let 443\/tcp in/],
      [`${TURN}: ports`]: [/^no answer at 443; open to everybody: 22/, /attach the firewall again/],
    },
    follows: [...[HERE, TURN].flatMap((place) => at(place, API)), ...at(TURN, ["clock"])],
  },
  {
    name: "a record that leads elsewhere",
    begin: () =>
      post("/zones/example.test/rrsets/turn/A/actions/set_records", { records: [{ value: "203.0.113.99" }] }),
    mend: async () => {
      const { addresses } = JSON.parse(await must(["outputs", "--json"])) as {
        addresses: { turn: { ipv4: string } };
      };
      const records = [{ value: addresses.turn.ipv4 }];
      await post("/zones/example.test/rrsets/turn/A/actions/set_records", { records });
    },
    finds: {
      [`${HERE}: name`]: [/says 203\.0\.113\.99/, /^the records of turn\.example\.test must be/],
      [`${TURN}: name`]: [/says of turn\.example\.test: 203\.0\.113\.99/, /^Set the A record of turn/],
    },
    follows: WITHOUT_TURN,
  },
  {
    name: "a certificate near its end, which certbot knows nothing of",
    begin: () => root(NAMES.turn, OLD_CERTIFICATE, NAMES.turn),
    mend: () => root(NAMES.turn, "/etc/letsencrypt/renewal-hooks/deploy/bbb-deploy-coturn"),
    finds: {
      [`${HERE}: certificate`]: [/^valid until .*, [34] days$/, /certbot certificates/],
      [`${TURN}: renewal`]: [/not the one that this host keeps/, /renewal-hooks\/deploy\/bbb-deploy-coturn/],
    },
    follows: [...[BBB, TURN].flatMap((place) => at(place, TURN_WAYS)), ...at(TURN, ["TURN certificate"])],
  },
  {
    name: "recordings that leave almost no room",
    begin: () =>
      root(
        NAMES.bbb,
        'fallocate -l "$(($(df -B1 --output=avail "${1%/*}" | tail -1) - 100000000))" "$1"',
        FILLED,
      ),
    mend: () => root(NAMES.bbb, 'rm "$1"', FILLED),
    finds: { [`${BBB}: recordings`]: [/^0\.1 of \d+\.\d GB free/, /take a larger disk or volume/] },
  },
  {
    name: "another machine at the TURN server's address",
    begin: () =>
      root(
        NAMES.turn,
        'mkdir /root/ssh; mv "$1" "$1.pub" /root/ssh; ssh-keygen -q -t ed25519 -N "" -f "$1"; systemctl restart ssh',
        SSH_KEY,
      ),
    mend: () =>
      root(NAMES.turn, 'mv -f /root/ssh/* "${1%/*}"; rmdir /root/ssh; systemctl restart ssh', SSH_KEY),
    finds: { [`${TURN}: SSH`]: [/^another machine answers/, /find out who answers there/] },
  },
  {
    name: "a server that was switched off, and something that nobody knows",
    begin: async () => {
      const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const { n, e } = publicKey.export({ format: "jwk" });
      const part = (bytes: Buffer) =>
        Buffer.concat([Buffer.from([0, 0, bytes.length >> 8, bytes.length & 255]), bytes]);
      const key = Buffer.concat([
        part(Buffer.from("ssh-rsa")),
        part(Buffer.from(e!, "base64url")),
        part(Buffer.concat([Buffer.from([0]), Buffer.from(n!, "base64url")])),
      ]);
      await post("/ssh_keys", {
        ...{ name: "left-over", public_key: `ssh-rsa ${key.toString("base64")}` },
        labels: { project: "bigbluebutton", stack: "sandbox" },
      });
      leftOver = (await cloudObject("ssh_keys", /^left-over$/)).id;
      const { id } = await cloudObject("servers", /^turn/);
      await post(`/servers/${id}/actions/poweroff`);
    },
    mend: async () => {
      await hetzner(["DELETE", `/ssh_keys/${leftOver}`]);
      const { id } = await cloudObject("servers", /^turn/);
      await post(`/servers/${id}/actions/poweron`);
      const up = "for _ in {1..120}; do systemctl -q is-active coturn ssh && exit; sleep 0.5; done; exit 1";
      let tries = 0;
      while ((await sandbox(["exec", "--at", NAMES.turn, "--", "bash", "-c", up])).code !== 0) {
        if (++tries > 20) throw new Error("the TURN server does not come back");
      }
    },
    finds: {
      [`${CLOUD}: servers`]: [/^turn-host-server is off/, /start it in the cloud's console/],
      [`${CLOUD}: resources`]: [/^ssh-key left-over \(\d+\) is not in the state/, /remove it in the console/],
      [`${TURN}: SSH`]: [/./, /is the server running/],
    },
    follows: WITHOUT_TURN,
  },
];

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded", ["--set", "recordingsGb=10"]);
});

describe("as it was deployed", () => {
  test("all is well, as JSON and by the exit code, in every place that can be asked", async () => {
    const all = await expectAllIsWell();
    expect(all.stack).toBe("sandbox");
    expect([...new Set(all.checks.map(({ place }) => place))]).toEqual([HERE, CLOUD, BBB, TURN]);
    expect(all.checks.length).toBeGreaterThan(50);
  });

  test("all is well, as a page with a line for each and a summary", async () => {
    const { code, stdout, stderr } = await check("sandbox");
    expect([code, stderr]).toEqual([0, ""]);
    for (const place of [HERE, CLOUD, BBB, TURN]) expect(stdout).toContain(`\n${place}\nok `);
    expect(stdout).toMatch(/\nok +\d+\.\d s {2}TURN wiring +turn-stun-servers\.xml +as deployed: turn:/);
    expect(stdout.trim().split("\n").at(-1)).toMatch(/^sandbox: \d+ ok.*, in \d+\.\d s$/);
    expect(stdout).not.toMatch(/^FAIL/m);
  });

  test("a check changes nothing, neither at the cloud nor on a host", async () => {
    const both = [NAMES.bbb, NAMES.turn];
    const before = { starts: await serviceStarts(NAMES), calls: (await status()).mutatingApiCalls };
    await Promise.all(both.map((fqdn) => root(fqdn, "touch /run/before; sleep 1")));
    await report();
    const changed = await Promise.all(
      both.map((fqdn) => root(fqdn, "find / -xdev -newer /run/before -type f -not -path '/var/log/*'")),
    );
    // The one that BigBlueButton's own bbb-conf touches whatever it is asked.
    expect(changed).toEqual(["/etc/bigbluebutton/bbb-webrtc-sfu/production.yml\n", ""]);
    expect({ starts: await serviceStarts(NAMES), calls: (await status()).mutatingApiCalls }).toEqual(before);
  });
});

describe("drift", () => {
  test.each(drifts)("$name", async ({ begin, mend, finds, follows = [], verdict = "FAIL" }) => {
    await begin();
    try {
      const { code, report: drifted, wrong } = await report();
      for (const [key, [answer, remedy]] of Object.entries(finds)) {
        const findings = drifted.checks.filter((one) => keyOf(one) === key && one.verdict !== "ok");
        expect([key, findings]).toEqual([
          key,
          expect.arrayContaining([
            expect.objectContaining({
              answer: expect.stringMatching(answer) as string,
              remedy: expect.stringMatching(remedy) as string,
            }),
          ]),
        ]);
      }
      expect(wrong.filter((key) => !(key in finds) && !follows.includes(key))).toEqual([]);
      expect([code, drifted.verdict]).toEqual([verdict === "FAIL" ? 1 : 0, verdict]);
    } finally {
      await mend();
    }
  });

  test("a pending reboot and a failed unit are warnings, and failures only if asked for", async () => {
    await root(
      NAMES.bbb,
      "touch /var/run/reboot-required; echo linux-image >/var/run/reboot-required.pkgs; systemd-run -q --unit=broken false",
    );
    const lax = await report();
    expect(lax.wrong).toEqual(at(BBB, ["units", "updates"]));
    expect(lax.report.checks).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ place: BBB, name: "units", verdict: "warn" }),
        expect.objectContaining({
          ...{ place: BBB, name: "updates", verdict: "warn" },
          answer: expect.stringMatching(/^a reboot is pending since .*, for linux-image/) as string,
          remedy: "systemctl reboot, when no meeting is running",
        }),
      ]),
    );
    expect([lax.code, lax.report.verdict]).toEqual([0, "warn"]);
    expect((await report("--strict")).code).toBe(1);
    await root(NAMES.bbb, "rm /var/run/reboot-required*; systemctl reset-failed broken");
  });

  test("all of it is mended: all is well again", async () => {
    await expectAllIsWell();
  });
});

test("without a token, what would need it is not asked, and says so", async () => {
  const script = [
    ...["-r", join(PROJECT, "scripts/lib/load.cjs")],
    ...[join(PROJECT, "operator/check.ts"), "--sandbox", "--json"],
  ];
  const { HCLOUD_TOKEN, ...rest } = cloudEnvironment();
  expect(HCLOUD_TOKEN).toBeDefined();
  const environment = { ...rest, BBB_OPERATOR_SANDBOX: "1" };
  const { code, stdout } = await outside(
    ["env", ...Object.entries(environment).map((pair) => pair.join("=")), process.execPath, ...script],
    { as: "operator" },
  );
  const { checks, counts } = JSON.parse(stdout) as Report;
  expect(checks.filter(({ verdict }) => verdict === "skip")).toMatchObject([
    { place: CLOUD, name: "resources", answer: expect.stringMatching(/^no HCLOUD_TOKEN/) as string },
  ]);
  expect([code, counts.FAIL]).toEqual([0, 0]);
});

test("a stack that there is not is one clear line, and no report", async () => {
  expect(await check("prdo", "--json")).toEqual({
    code: 2,
    stdout: "",
    stderr: "error: there is no stack prdo: there are sandbox\n",
  });
});

test("a resource that was deleted in the console is missed by name", async () => {
  const { id } = await cloudObject("ssh_keys", /./);
  await hetzner(["DELETE", `/ssh_keys/${id}`]);
  const { code, report: drifted, wrong } = await report();
  expect(wrong).toEqual(at(CLOUD, ["resources"]));
  expect(drifted.checks.find(({ name }) => name === "resources")).toMatchObject({
    ...{ verdict: "FAIL", answer: expect.stringMatching(/^\S+ \(ssh-key \d+\) is not there/) as string },
    remedy: "pulumi refresh, then pulumi up, which makes it anew",
  });
  expect(code).toBe(1);
});
