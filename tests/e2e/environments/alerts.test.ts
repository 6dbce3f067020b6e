import { setTimeout as sleep } from "node:timers/promises";

import type { Message } from "../../../sandbox/services/messages";
import { accountObjects } from "../support/account";
import { hetzner } from "../support/clouds";
import { watchExecs, watchMissing, foundInExecs } from "../support/execWatch";
import { arm, disarm } from "../support/faults";
import { OLD_CERTIFICATE } from "../support/oldCertificate";
import { found, foundInHostLogs, type Secret } from "../support/secrets";
import {
  IN_HETZNER_DNS as NAMES,
  must,
  onHost,
  printed,
  sandbox,
  testUnless,
  tryUpdate,
  update,
} from "../support/sandbox";

/** Alerts of one deployment: what they tell, when, and when they don't. Rounds are started by hand where time matters. */

const PASSWORD = "password-of-the-sandbox";
const TOKEN = "Vh7tQx2mLp9zRw4k";
const SECRETS: readonly Secret[] = [
  ["password of the mail server", PASSWORD],
  ["webhook's URL", TOKEN],
];
const hosts = ["bbb", "turn"] as const;
type Role = (typeof hosts)[number];

const alerts = (email: object = {}) =>
  JSON.stringify({
    email: {
      ...{ to: ["admin@example.test"], from: "bbb@example.test", server: "mail.sandbox.test", user: "bbb" },
      ...{ password: { secure: PASSWORD } },
      ...email,
    },
    webhook: { form: "json", url: { secure: `https://mail.sandbox.test/hook/${TOKEN}` } },
    healthcheckUrl: "https://mail.sandbox.test/ping/bbb",
  });
const with_ = (value: string) => ["--set", "recordingsGb=10", "--set", `alerts=${value}`];
const WITH = with_(alerts());

const root = (role: Role, script: string, ...args: string[]) =>
  onHost(NAMES[role], ["bash", "-c", `set -euo pipefail; ${script}`, "bash", ...args]);

interface Told {
  readonly title: string;
  readonly test: boolean;
  readonly host: string;
  readonly events: readonly {
    readonly kind: string;
    readonly name: string;
    readonly verdict: string;
    readonly answer: string;
  }[];
}

async function messages(): Promise<readonly Message[]> {
  return JSON.parse(await must(["messages", "--json"])) as readonly Message[];
}

/** What webhooks were told, and the subjects of e-mails, from a place in the order on. */
async function toldSince(
  place: number,
): Promise<{ readonly hooks: readonly Told[]; readonly subjects: readonly string[] }> {
  const all = (await messages()).slice(place);
  return {
    hooks: all.flatMap((one) =>
      one.kind === "webhook" && one.webhook.url.startsWith("/hook/")
        ? [JSON.parse(one.webhook.body) as Told]
        : [],
    ),
    subjects: all.flatMap((one) =>
      one.kind === "email"
        ? [/^Subject: ((?:.|\n )*)$/m.exec(one.email.text)?.[1]?.replaceAll("\n ", " ") ?? ""]
        : [],
    ),
  };
}

const here = async () => (await messages()).length;

/** One round on a host, to its end. */
async function round(...roles: readonly Role[]): Promise<void> {
  await Promise.all(roles.map((role) => root(role, "systemctl start bbb-alerts.service")));
}

/** Ends the timer, so that a round is when the test says so. */
function stopTimer(role: Role): Promise<string> {
  return root(
    role,
    "systemctl stop bbb-alerts.timer; while [[ $(systemctl is-active bbb-alerts.service) == activating ]]; do sleep 0.2; done",
  );
}

/** This machine's own disk and memory are the hosts', and may be short. */
const ofThisMachine = (name: string) => name === "disk" || name === "memory";

/** Events of some messages: "bbb wrong services", without those of this machine. */
const eventsOf = (hooks: readonly Told[]) =>
  hooks.flatMap(({ host, events }) =>
    events
      .filter(({ name }) => !ofThisMachine(name))
      .map(({ kind, name }) => `${host === NAMES.bbb ? "bbb" : "turn"} ${kind} ${name}`),
  );

const XML = "/etc/bigbluebutton/turn-stun-servers.xml";
const TIMEDATECTL = "/usr/local/sbin/timedatectl";
const FILLED = "/srv/bigbluebutton/filled";

async function post(path: string, body?: unknown): Promise<void> {
  const [answer] = await hetzner(["POST", path, body]);
  expect(answer).toMatchObject({ status: 201 });
}

async function record(value: string): Promise<void> {
  await post("/zones/example.test/rrsets/turn/A/actions/set_records", { records: [{ value }] });
}

async function power(state: "poweroff" | "poweron" | "reboot"): Promise<void> {
  const server = (await accountObjects()).find(({ kind, name }) => kind === "servers" && /^turn/.test(name))!;
  await post(`/servers/${server.id}/actions/${state}`);
  if (state === "poweroff") return;
  const up = "for _ in {1..120}; do systemctl -q is-active coturn ssh && exit; sleep 0.5; done; exit 1";
  for (
    let tries = 0;
    (await sandbox(["exec", "--at", NAMES.turn, "--", "bash", "-c", up])).code !== 0;
    tries++
  ) {
    if (tries > 20) throw new Error("the TURN server does not come back");
  }
  await stopTimer("turn");
}

interface Fault {
  readonly name: string;
  readonly begin: () => Promise<unknown>;
  readonly mend: () => Promise<unknown>;
  /** Event that tells of it: the host, the check. */
  readonly told: string;
}

/** Faults that go on at the same time and are told by different checks. */
const groups: readonly (readonly Fault[])[] = [
  [
    {
      name: "a service that was stopped",
      begin: () => root("bbb", "systemctl stop bbb-graphql-middleware"),
      mend: () => root("bbb", "systemctl start bbb-graphql-middleware"),
      told: "bbb wrong services",
    },
    {
      name: "a disk for recordings that is full",
      begin: () =>
        root(
          "bbb",
          'fallocate -l "$(($(df -B1 --output=avail "${1%/*}" | tail -1) - 100000000))" "$1"',
          FILLED,
        ),
      mend: () => root("bbb", 'rm "$1"', FILLED),
      told: "bbb wrong recordings",
    },
    {
      name: "a file with a secret that everybody can read",
      begin: () => root("bbb", 'chmod o+r "$1"', XML),
      mend: () => root("bbb", 'chmod o-r "$1"', XML),
      told: "bbb wrong TURN wiring",
    },
    {
      name: "a clock of which nobody tells whether it is right",
      begin: () => root("bbb", 'printf "#!/bin/sh\\nsleep 400\\n" >"$1" && chmod +x "$1"', TIMEDATECTL),
      mend: () => root("bbb", 'rm "$1"', TIMEDATECTL),
      told: "bbb wrong clock",
    },
    {
      name: "a certificate near its end",
      begin: () => root("turn", OLD_CERTIFICATE, NAMES.turn),
      mend: () => root("turn", "/etc/letsencrypt/renewal-hooks/deploy/bbb-deploy-coturn"),
      told: "turn wrong renewal",
    },
  ],
  [
    {
      name: "an API that does not answer",
      begin: () => root("bbb", "systemctl stop bbb-web"),
      mend: () =>
        root(
          "bbb",
          'systemctl start bbb-web; for _ in {1..60}; do curl -sf -o /dev/null "$1" && exit; sleep 0.5; done; exit 1',
          "http://127.0.0.1:8090/bigbluebutton/api",
        ),
      told: "bbb wrong API",
    },
    {
      name: "a place of recordings that is not mounted",
      begin: () => root("bbb", "umount /var/mediasoup"),
      mend: () => root("bbb", "mountpoint -q /var/mediasoup || mount /var/mediasoup"),
      told: "bbb wrong recordings",
    },
    {
      name: "a TURN server that was stopped",
      begin: () => root("turn", "systemctl stop coturn"),
      mend: () => root("turn", "systemctl start coturn"),
      told: "turn wrong coturn",
    },
    {
      name: "a record that leads elsewhere",
      begin: () => record("203.0.113.99"),
      mend: async () => {
        const { addresses } = JSON.parse(await must(["outputs", "--json"])) as {
          addresses: { turn: { ipv4: string } };
        };
        await record(addresses.turn.ipv4);
      },
      told: "turn wrong name",
    },
  ],
  [
    {
      name: "the other server switched off",
      begin: () => power("poweroff"),
      mend: () => power("poweron"),
      told: "bbb wrong other host",
    },
  ],
];

let execs: Awaited<ReturnType<typeof watchExecs>> | undefined;

beforeAll(async () => {
  await must(["reset"]);
  await must(["start"]);
  if (watchMissing() === undefined) execs = await watchExecs();
  await update("up", "embedded", WITH);
  // The hosts have just started, and a round is to come when the test says so.
  for (const role of hosts) {
    await root(
      role,
      `mkdir -p /etc/systemd/system/bbb-alerts.service.d
printf '[Service]\\nEnvironment=BBB_ALERTS_BOOT_SECONDS=0\\n' >/etc/systemd/system/bbb-alerts.service.d/test.conf
systemctl daemon-reload`,
    );
    await stopTimer(role);
  }
});
afterAll(() => execs?.stop());

test("each server has sent a test message by each way, once", async () => {
  const { hooks, subjects } = await toldSince(0);
  const titles = hosts.map((role) => `${NAMES[role]}: test of the alerts`);
  expect(hooks.map(({ title }) => title).sort()).toEqual([...titles].sort());
  expect([...subjects].sort()).toEqual([...titles].sort());
  expect(
    await root("bbb", "stat -c '%a %U' /var/lib/bbb-deploy/alerts /var/lib/bbb-deploy/alerts/settings.json"),
  ).toBe("700 root\n600 root\n");
});

test("where all is well, rounds tell nothing but that the server lives, at next to no cost", async () => {
  await round(...hosts);
  await round(...hosts);
  const before = await here();
  await round(...hosts);
  const all = (await messages()).slice(before);
  expect(all.map((one) => (one.kind === "webhook" ? one.webhook.url : one.email.text))).toEqual([
    expect.stringMatching(/^\/ping\/bbb(\/fail)?$/) as string,
  ]);
  for (const role of hosts) {
    const { round } = JSON.parse(await root(role, "cat /var/lib/bbb-deploy/alerts/state.json")) as {
      round: { processor: number };
    };
    // A hundredth of the 240 seconds between two rounds.
    expect(round.processor).toBeLessThan(2.4);
    process.stdout.write(`a round on ${NAMES[role]}: ${round.processor.toFixed(2)} s of processor time\n`);
  }
});

describe.each(groups.map((faults) => [faults.map(({ name }) => name).join(", "), faults] as const))(
  "%s",
  (_name, faults) => {
    const roles = faults.some(({ told }) => told.endsWith("other host")) ? (["bbb"] as const) : hosts;

    test("told in the second round by one message of each server, and not again", async () => {
      for (const { begin } of faults) await begin();
      const before = await here();
      await round(...roles);
      expect(eventsOf((await toldSince(before)).hooks)).toEqual([]);
      await round(...roles);
      const { hooks, subjects } = await toldSince(before);
      expect(eventsOf(hooks)).toEqual(expect.arrayContaining(faults.map(({ told }) => told)));
      expect(hooks.length).toBeLessThanOrEqual(roles.length);
      expect([...subjects].sort()).toEqual(hooks.map(({ title }) => title).sort());
      await round(...roles);
      const after = eventsOf((await toldSince(before)).hooks);
      for (const { told } of faults) expect(after.filter((event) => event === told)).toEqual([told]);
    });

    test("told to be well again once it is", async () => {
      for (const { mend } of faults) await mend();
      const before = await here();
      await round(...roles);
      await round(...roles);
      await round(...roles);
      const { hooks } = await toldSince(before);
      expect(eventsOf(hooks)).toEqual(
        expect.arrayContaining(faults.map(({ told }) => told.replace(" wrong ", " well "))),
      );
      expect(eventsOf(hooks).filter((event) => !event.includes(" well "))).toEqual([]);
      const state = JSON.parse(await root("bbb", "cat /var/lib/bbb-deploy/alerts/state.json")) as {
        checks: object;
      };
      expect(Object.keys(state.checks).filter((name) => !ofThisMachine(name))).toEqual([]);
    });
  },
);

test("what comes and goes between two rounds is told to nobody", async () => {
  const before = await here();
  await root("bbb", "systemctl stop bbb-graphql-middleware");
  await round("bbb");
  await root("bbb", "systemctl start bbb-graphql-middleware");
  await round("bbb");
  await round("bbb");
  expect(eventsOf((await toldSince(before)).hooks)).toEqual([]);
});

test("a reboot is no news, and makes nobody forget", async () => {
  const DATABASE = "/var/lib/turn/turndb";
  await root("turn", 'chmod o+r "$1"', DATABASE);
  await round("turn");
  await round("turn");
  const before = await here();
  await power("reboot");
  await round("turn");
  await round("turn");
  expect(eventsOf((await toldSince(before)).hooks)).toEqual([]);
  await root("turn", 'chmod o-r "$1"', DATABASE);
  await round("turn");
  await round("turn");
  expect(eventsOf((await toldSince(before)).hooks)).toEqual(["turn well coturn's peers"]);
});

test("a message that a webhook refuses is kept, and scripts/check says so until it got through", async () => {
  const line = async () => {
    const { stdout } = await sandbox(["operator", "check", "--json", "--sandbox"]);
    const { checks } = JSON.parse(stdout) as {
      checks: { place: string; name: string; verdict: string; answer: string }[];
    };
    return checks.find(({ place, name }) => place.startsWith(NAMES.bbb) && name === "alerts")!;
  };
  await root("bbb", "systemctl start bbb-alerts.timer");
  expect(await line()).toMatchObject({
    verdict: "ok",
    answer: expect.stringMatching(
      /^e-mail, webhook \(json\), healthcheckUrl; last round .* UTC, \d+\.\d s of processor time; last message .*well again/,
    ) as string,
  });
  await stopTimer("bbb");
  await root("bbb", "systemctl stop bbb-graphql-middleware");
  const before = await here();
  await round("bbb");
  await arm("mail", { match: { method: "POST", path: "/hook/" }, status: 503, times: 1 });
  await round("bbb");
  await disarm();
  expect(await line()).toMatchObject({
    verdict: "FAIL",
    answer: expect.stringMatching(
      /webhook fails since .*: mail\.sandbox\.test answered 503 .*, 1 kept for the next round/,
    ) as string,
  });
  const first = await toldSince(before);
  expect([first.hooks, first.subjects]).toEqual([[], [expect.stringContaining("wrong: services")]]);
  await round("bbb");
  const second = await toldSince(before);
  expect([eventsOf(second.hooks), second.subjects.length]).toEqual([["bbb wrong services"], 1]);
  await root("bbb", "systemctl start bbb-graphql-middleware");
  await round("bbb");
  await round("bbb");
});

test("the timer itself tells of a fault", async () => {
  const before = await here();
  await root(
    "bbb",
    `mkdir -p /etc/systemd/system/bbb-alerts.timer.d
printf '[Timer]\\nOnActiveSec=\\nOnActiveSec=1\\nOnUnitActiveSec=5\\nAccuracySec=1\\n' >/etc/systemd/system/bbb-alerts.timer.d/test.conf
systemctl daemon-reload; systemctl restart bbb-alerts.timer; systemctl stop bbb-graphql-middleware`,
  );
  const told = async (event: string) => eventsOf((await toldSince(before)).hooks).includes(event);
  for (let tries = 0; !(await told("bbb wrong services")); tries++) {
    expect(tries).toBeLessThan(60);
    await sleep(2000);
  }
  await root("bbb", "systemctl start bbb-graphql-middleware");
  for (let tries = 0; !(await told("bbb well services")); tries++) {
    expect(tries).toBeLessThan(60);
    await sleep(2000);
  }
  await root(
    "bbb",
    "rm -r /etc/systemd/system/bbb-alerts.timer.d; systemctl daemon-reload; systemctl restart bbb-alerts.timer",
  );
});

test("a second update changes nothing and sends nothing", async () => {
  const before = await here();
  const { summary } = await update("up", "embedded", WITH);
  expect(Object.keys(summary)).toEqual(["unchanged"]);
  expect((await toldSince(before)).subjects).toEqual([]);
});

test("a password that the mail server refuses fails the update with its words, and the old settings stay", async () => {
  const { code, stdout, stderr } = await tryUpdate(
    "up",
    "embedded",
    with_(alerts({ password: { secure: "another-password" } })),
  );
  expect(code).toBe(1);
  expect(stdout + stderr).toMatch(/refused user and password: 535 5\.7\.8 Error: authentication failed/);
  expect(stdout + stderr).toMatch(/alerts\.email\.password/);
  expect(stdout + stderr).not.toContain("another-password");
  expect(await root("bbb", "cat /var/lib/bbb-deploy/alerts/settings.json")).toContain(PASSWORD);
  await update("up", "embedded", WITH);
});

testUnless(watchMissing())(
  "no secret was in a command line, an environment, a log or what an update printed",
  async () => {
    expect(found(SECRETS, printed.join("\n"))).toEqual([]);
    for (const fqdn of Object.values(NAMES)) expect(await foundInHostLogs(fqdn, SECRETS)).toEqual([]);
    // The test's own commands have them as settings, and the engine hands those to the program as PULUMI_CONFIG.
    const started = (await execs!.stop()).filter(
      ({ argv, env }) => ![...argv, ...env].some((word) => /^(alerts|PULUMI_CONFIG)=/.test(word)),
    );
    execs = undefined;
    expect(started.length).toBeGreaterThan(100);
    expect(foundInExecs(SECRETS, started)).toEqual([]);
  },
);

test("without the setting, timer, settings and state are gone from both servers, and nothing else changes", async () => {
  const { summary } = await update("up", "embedded", ["--set", "recordingsGb=10"]);
  expect(Object.keys(summary).sort()).toEqual(["deleted", "unchanged"]);
  expect(summary.deleted).toBe(2);
  for (const role of hosts) {
    expect(
      await root(
        role,
        "ls -d /var/lib/bbb-deploy/alerts /run/bbb-alerts.json /etc/systemd/system/bbb-alerts.* 2>/dev/null || true; systemctl is-active bbb-alerts.timer || true",
      ),
    ).toBe("/etc/systemd/system/bbb-alerts.service.d\ninactive\n");
  }
});
