import { chmodSync, existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { renderTurnAccess, type TurnAccessArgs } from "../../../bigbluebutton/coturn";
import { check, python } from "./checks";
import { FakeHost, SCRIPTS } from "./scripts";

const REALM = "turn.example.test";
const DATABASE = "var/lib/turn/turndb";
const TIMER = "etc/systemd/system/bbb-deploy-turn-secret.timer";
const [FIRST, SECOND, THIRD] = ["first-secret", "second-secret", "third-secret"] as const;
const PEERS = ["203.0.113.10", "2001:db8:10::1"];
const DAY = 86_400;

let host: FakeHost;
let database: string;

beforeEach(() => {
  host = new FakeHost();
  host.fake("systemctl", "if [[ $1 == is-active ]]; then exit 3; fi");
  host.fake("dpkg-query", "printf installed");
  host.fake("sleep");
  database = join(host.root, DATABASE);
  mkdirSync(join(host.root, "var/lib/turn"), { recursive: true });
});

afterEach(() => host.remove());

const apply = (change: Partial<TurnAccessArgs> = {}, ...flags: string[]) =>
  host.script(
    "turn-access.sh",
    ["--server", "1", ...flags],
    renderTurnAccess({ realm: REALM, secret: FIRST, peers: PEERS, ...change }),
  );

/** Runs statements in coturn's database. @returns the rows of the last one */
const sql = async (...statements: string[]) =>
  JSON.parse(
    await python(
      host,
      `import sqlite3\nrows = []\nwith sqlite3.connect(${JSON.stringify(database)}) as it:\n  for one in ${JSON.stringify(statements)}: rows = list(it.execute(one))\nprint(json.dumps(rows))`,
    ),
  ) as unknown[][];
const peers = () => sql("SELECT realm, ip_range FROM allowed_peer_ip ORDER BY ip_range");
const secrets = async () => (await sql("SELECT value FROM turn_secret ORDER BY rowid")).flat();
const running = () => host.fake("systemctl");
const restarts = () => host.called("systemctl").filter((line) => line.includes("restart coturn"));
const finding = (secret: string = FIRST, addresses: readonly string[] = PEERS) =>
  check(host, "turn_files", "check_access", database, REALM, addresses, secret);

test("peers and secret are in the database, for the realm alone, and coturn need not run", async () => {
  expect((await apply()).output).toContain("coturn relays to 2001:db8:10::1, 203.0.113.10\n");
  expect(await peers()).toEqual([
    [REALM, "2001:db8:10::1"],
    [REALM, "203.0.113.10"],
  ]);
  expect(await sql("SELECT * FROM turn_secret")).toEqual([[REALM, FIRST]]);
  expect(statSync(database).mode & 0o777).toBe(0o660);
  expect(restarts()).toEqual([]);
  expect(host.called("sleep")).toEqual([]);
});

test("the list is the whole truth: other rows go, of whatever realm", async () => {
  await apply();
  await sql(
    "INSERT INTO allowed_peer_ip VALUES ('', '0.0.0.0-255.255.255.255'), ('other', '10.0.0.1')",
    "INSERT INTO turn_secret VALUES ('other', 'x'), ('turn.example.test', 'y')",
  );
  running();
  const { output } = await apply({ peers: ["203.0.113.11"] });
  expect(output).toContain("coturn relays to 203.0.113.11\n");
  expect(output).toContain(
    "coturn relays no more to 0.0.0.0-255.255.255.255, 10.0.0.1, 2001:db8:10::1, 203.0.113.10\n",
  );
  expect(await peers()).toEqual([[REALM, "203.0.113.11"]]);
  expect(await secrets()).toEqual([FIRST]);
  expect(restarts()).toEqual([]);
  expect(host.called("sleep")).toEqual(["sleep 6"]);
});

test("the same again changes nothing, and waits for nothing", async () => {
  await apply();
  running();
  expect((await apply()).output).toContain("as they were");
  expect(host.called("sleep")).toEqual([]);
});

test("readers wait for no lock: coturn, which would wait for none, finds its rows while they are written", async () => {
  await apply();
  const read = `import sqlite3
writer = sqlite3.connect(${JSON.stringify(database)}, isolation_level=None)
writer.execute("BEGIN EXCLUSIVE")
writer.execute("DELETE FROM allowed_peer_ip")
print(len(list(sqlite3.connect(${JSON.stringify(database)}, timeout=0).execute("SELECT * FROM allowed_peer_ip"))))`;
  expect((await python(host, read)).trim()).toBe("2");
});

test("the kernel lets nothing to others from a relay, in either family", async () => {
  const rules = () => host.read("etc/bbb-deploy/relay-peers.nft").match(/^ +meta skuid.*$/gm);
  await apply();
  expect(rules()).toEqual([
    "    meta skuid turnserver udp sport 32769-65535 ip daddr != { 203.0.113.10 } counter drop",
    "    meta skuid turnserver udp sport 32769-65535 ip6 daddr != { 2001:db8:10::1 } counter drop",
  ]);
  await apply({ peers: ["203.0.113.10", "172.31.2.10"] });
  expect(rules()).toEqual([
    "    meta skuid turnserver udp sport 32769-65535 ip daddr != { 203.0.113.10, 172.31.2.10 } counter drop",
    "    meta skuid turnserver udp sport 32769-65535 meta nfproto ipv6 counter drop",
  ]);
  expect(host.called("systemctl")).toContain("systemctl restart bbb-deploy-relay-peers");
});

test.each(["", "{}", `{"realm":"x","secret":"y","peers":[]}`, `{"realm":"x","secret":"y","peers":["0/0"]}`])(
  "a request that is not whole is refused, and changes nothing: %#",
  async (text) => {
    await apply();
    host.forgetCalls();
    expect(await host.script("turn-access.sh", ["--server", "1"], text)).toMatchObject({
      code: 1,
      output: expect.stringContaining("not whole"),
    });
    expect(await peers()).toHaveLength(2);
    expect(host.called("systemctl")).toEqual([]);
  },
);

test("the removal leaves no peer, in the database or the kernel; that of a former server changes nothing", async () => {
  await apply();
  const former = renderTurnAccess({ realm: REALM, secret: FIRST, peers: PEERS });
  expect((await host.script("turn-access.sh", ["--server", "0", "--remove"], former)).code).toBe(0);
  expect(await peers()).toHaveLength(2);
  expect((await apply({}, "--remove")).code).toBe(0);
  expect(await peers()).toEqual([]);
  expect(host.read("etc/bbb-deploy/relay-peers.nft")).not.toContain("daddr");
});

test("a database that is gone while coturn runs is made anew, and coturn opens it", async () => {
  running();
  await apply();
  expect(restarts()).toHaveLength(1);
  expect(await peers()).toHaveLength(2);
});

describe("before coturn starts", () => {
  const restore = () =>
    python(
      host,
      `import os, subprocess, sys\nsubprocess.run([sys.executable, "-B", ${JSON.stringify(join(SCRIPTS, "turn_access.py"))}, "restore", "--root", ${JSON.stringify(host.root)}], check=True, env={**os.environ, "BBB_DEPLOY_TURN_USER": "root", "BBB_DEPLOY_STATE": ""})`,
    );

  test("a database that is gone has peers and secret again, those of a pool's servers among them", async () => {
    await apply();
    host.put("var/lib/bbb-deploy/turn-peers/bbb-2.example.test", "203.0.113.12\n");
    rmSync(join(host.root, "var/lib/turn"), { recursive: true });
    await restore();
    expect((await peers()).map(([, address]) => address)).toEqual([
      ...PEERS.slice(1),
      PEERS[0],
      "203.0.113.12",
    ]);
    expect(await secrets()).toEqual([FIRST]);
    expect(statSync(database).mode & 0o777).toBe(0o660);
  });

  test("what others have added since is gone, and a former secret is still taken", async () => {
    await apply();
    await apply({ secret: SECOND });
    await sql("INSERT INTO allowed_peer_ip VALUES ('', '0.0.0.0-255.255.255.255')");
    await restore();
    expect(await peers()).toHaveLength(2);
    expect((await secrets()).sort()).toEqual([FIRST, SECOND]);
  });

  test("nothing is put back of what was never told, or was taken away", async () => {
    await restore();
    expect(existsSync(database)).toBe(false);
    await apply();
    await apply({}, "--remove");
    await restore();
    expect(await peers()).toEqual([]);
  });
});

describe("a new secret", () => {
  beforeEach(async () => {
    await apply();
    running();
  });
  const until = async () =>
    Number((await sql("SELECT until FROM bbb_deploy_secret WHERE until IS NOT NULL"))[0]);

  test("is taken beside the former one, for which a timer is set; nothing restarts", async () => {
    const { output } = await apply({ secret: SECOND });
    expect((await secrets()).sort()).toEqual([FIRST, SECOND]);
    const end = await until();
    expect(Math.abs(end - Date.now() / 1000 - 2 * DAY)).toBeLessThan(60);
    const when = new Date(end * 1000).toISOString().slice(0, 19).replace("T", " ");
    expect(host.read(TIMER)).toContain(`OnCalendar=${when} UTC\n`);
    expect(host.called("systemctl")).toContain("systemctl enable bbb-deploy-turn-secret.timer");
    expect(output).toContain(`the former secret of the TURN server is taken until ${when.slice(0, 16)} UTC`);
    expect(restarts()).toEqual([]);
    expect(output + host.called().join("\n")).not.toMatch(/first-secret|second-secret/);
  });

  test("leaves the former one its time when the step runs again", async () => {
    await apply({ secret: SECOND });
    const end = await until();
    await apply({ secret: SECOND, peers: ["203.0.113.11"] });
    expect([await until(), (await secrets()).sort()]).toEqual([end, [FIRST, SECOND]]);
  });

  test("a further one ends the oldest at once", async () => {
    await apply({ secret: SECOND });
    await apply({ secret: THIRD });
    expect((await secrets()).sort()).toEqual([SECOND, THIRD]);
  });

  test("the former one goes when its time is over, by the timer's service or by the next run", async () => {
    await apply({ secret: SECOND });
    await sql("UPDATE bbb_deploy_secret SET until = 1 WHERE until IS NOT NULL");
    expect(await finding(SECOND)).toMatchObject({
      verdict: "warn",
      answer: "a former secret is still taken, though its time is over",
    });
    const service = host.read("etc/systemd/system/bbb-deploy-turn-secret.service");
    expect(service).toContain("Restart=on-failure\n");
    const [command] = /(?<=^ExecStart=).*/m.exec(service)!;
    await python(
      host,
      `import subprocess\nsubprocess.run([*${JSON.stringify(command.split(" "))}, "--root", ${JSON.stringify(host.root)}], check=True)`,
    );
    expect(await secrets()).toEqual([SECOND]);
    await apply({ secret: SECOND });
    expect(existsSync(join(host.root, TIMER))).toBe(false);
  });
});

describe("the check", () => {
  beforeEach(() => apply());
  const REMEDY = "put it back: give the setting rotateTurnSecret a new value, then pulumi up";

  test("as deployed", async () => {
    expect(await finding()).toMatchObject({ verdict: "ok", answer: `as deployed: ${PEERS.join(", ")}` });
    await apply({ secret: SECOND });
    expect(await finding(SECOND)).toMatchObject({
      verdict: "ok",
      answer: expect.stringMatching(/; the former secret until \d{4}-\d\d-\d\d \d\d:\d\d UTC$/),
    });
  });

  test.each([
    ["INSERT INTO allowed_peer_ip VALUES ('', '10.0.0.1')", "it relays to 10.0.0.1, too"],
    ["DELETE FROM allowed_peer_ip WHERE ip_range LIKE '203%'", "it does not relay to 203.0.113.10"],
    ["UPDATE allowed_peer_ip SET realm = 'x' WHERE ip_range LIKE '203%'", /not relay to 203.*relays to 203/],
    ["DELETE FROM turn_secret", "another secret than the deployment's: it refuses BigBlueButton's clients"],
    [
      "INSERT INTO turn_secret VALUES ('turn.example.test', 'more')",
      /^a secret that is not the deployment's, beside/,
    ],
    ["DROP TABLE bbb_deploy_secret", /not the deployment's, as after a reinstallation: no such table/],
  ])("finds %s", async (statement, answer) => {
    await sql(statement);
    const found = await finding();
    expect(found).toMatchObject({ verdict: "FAIL", remedy: REMEDY });
    expect(found.answer).toMatch(answer);
    expect(JSON.stringify(found)).not.toContain(FIRST);
  });

  test("a database that is missing, and one that everybody can read", async () => {
    chmodSync(database, 0o664);
    expect(await finding()).toMatchObject({ verdict: "warn", answer: expect.stringContaining("every user") });
    rmSync(database);
    expect(await finding()).toMatchObject({ verdict: "FAIL", answer: expect.stringContaining("is missing") });
    expect(existsSync(database)).toBe(false);
  });
});
