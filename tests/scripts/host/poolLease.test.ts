/** Leases of a pool: servers that leave it for work by leave_pool.py, one after the other, as lease_service.py lets them. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { FakeRedis } from "../../sandbox/bbb/scaleliteWorld";
import { freePort } from "../../support/freePort";
import { balancerEnvironment, balancerState, Node } from "./poolWorld";
import { SCRIPTS } from "./scripts";

let state: string;
let redis: FakeRedis;
let nodes: Node[];
let port: number;
let service: ChildProcess;
const started: ChildProcess[] = [];
const roots: string[] = [];

const PYTHON = ["/usr/bin/python3", "-B"] as const;
const environment = (more: NodeJS.ProcessEnv = {}) => ({
  ...balancerEnvironment(state, redis),
  BBB_DEPLOY_LEASE_PORT: String(port),
  BBB_DEPLOY_KNOWN_LASTS: "0",
  BBB_DEPLOY_OVERDUE_PATIENCE: "1",
  ...more,
});

interface Running {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<number | null>;
}

function run(words: readonly string[], env: NodeJS.ProcessEnv, input = ""): Running {
  const [program = "", ...args] = words;
  const child = spawn(program, args, { env, stdio: "pipe" });
  started.push(child);
  let said = "";
  child.stdout.on("data", (text: Buffer) => (said += text.toString()));
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  child.stdin.end(input);
  return { child, said: () => said, ended: new Promise((done) => child.once("close", (code) => done(code))) };
}

async function until(holds: () => boolean | Promise<boolean>, what: string, seconds = 20): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(50);
  }
}

const pool = async (args: readonly string[], input = "", more: NodeJS.ProcessEnv = {}) => {
  const running = run([...PYTHON, join(SCRIPTS, "pool.py"), ...args], environment(more), input);
  return { code: await running.ended, said: running.said() };
};
// On a busy machine it takes more than the seconds that other cases have.
const enter = ({ name }: Node) =>
  pool(["join", name], `{"fqdn":"${name}","secret":"of-${name}"}\n`, { BBB_DEPLOY_PATIENCE: "30" });

async function serve(more: NodeJS.ProcessEnv = {}): Promise<void> {
  service = run([...PYTHON, join(SCRIPTS, "lease_service.py")], environment(more)).child;
  await until(
    async () => (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)) !== undefined,
    "it answers",
  );
}

const settings = (file: string, value: string | number) =>
  writeFileSync(join(state, "balancer", file), `${value}\n`);

beforeEach(async () => {
  state = balancerState();
  mkdirSync(join(state, "balancer"), { recursive: true });
  settings("drain-minutes", 5);
  settings("max-unavailable", 1);
  port = await freePort();
  redis = new FakeRedis();
  nodes = [new Node(), new Node(), new Node()];
  await Promise.all([redis.listen(), ...nodes.map((node) => node.listen())]);
  settings("nodes", nodes.map(({ name }) => name).join(" "));
  for (const node of nodes) expect((await enter(node)).code).toBe(0);
});
afterEach(async () => {
  clearInterval(watch);
  for (const child of started.splice(0)) child.kill("SIGKILL");
  await sleep(50);
  for (const one of [redis, ...nodes]) one.close();
  for (const path of [state, ...roots.splice(0)]) rmSync(path, { recursive: true });
});

/** Starts a server's step that would end meetings. @param under Process that it runs under, and its arguments */
function leave({ name }: Node, { during = "", secret = `of-${name}`, under = [] as string[] } = {}): Running {
  const root = mkdtempSync(join(tmpdir(), "node-"));
  roots.push(root);
  mkdirSync(join(root, "etc/bigbluebutton"), { recursive: true });
  mkdirSync(join(root, "var/lib/bbb-deploy"), { recursive: true });
  writeFileSync(join(root, "etc/bigbluebutton/bbb-web.properties"), `securitySalt=${secret}\n`);
  writeFileSync(join(root, "var/lib/bbb-deploy/during-meetings"), during);
  return run(
    [
      ...[...under, ...PYTHON, join(SCRIPTS, "leave_pool.py"), "--balancer", `127.0.0.1:${port}`],
      ...["--node", name, "--what", "the upgrade", "--how", "set duringMeetings", "--allowed-by", "v2"],
    ],
    {
      ...{ PATH: process.env.PATH, LC_ALL: "C.UTF-8" },
      ...{
        BBB_DEPLOY_ROOT: root,
        BBB_DEPLOY_SCHEME: "http",
        BBB_DEPLOY_PAUSE: "0.1",
        BBB_DEPLOY_PATIENCE: "1",
      },
    },
  );
}

const stateOf = (node: Node) =>
  (JSON.parse(redis.hashes.get("scalelite-standin:servers")!.get(node.name)!) as { state: string }).state;
const leaseOf = (node: Node) =>
  JSON.parse(readFileSync(join(state, "balancer/leases", `${node.name}.json`), "utf8")) as {
    phase: string;
    until: number;
  };
const change = (node: Node, lease: object) =>
  writeFileSync(
    join(state, "balancer/leases", `${node.name}.json`),
    JSON.stringify({ ...leaseOf(node), ...lease }),
  );
const serving = () => nodes.filter((node) => stateOf(node) === "enabled").length;
let watch: NodeJS.Timeout | undefined;

test("a recording that is not on the balancer yet keeps no server from its turn: it stays, and so does that", async () => {
  await serve();
  nodes[0]!.told.recordings = { r1: { presentation: "1" } };
  const leaving = leave(nodes[0]!);
  expect([await leaving.ended, leaving.said()]).toEqual([0, expect.any(String)]);
});

test("three at once leave one after the other: never do fewer than two serve", async () => {
  await serve();
  let fewest = 3;
  watch = setInterval(() => (fewest = Math.min(fewest, serving())), 5);
  const steps = nodes.map(async (node) => {
    const step = leave(node);
    expect([await step.ended, step.said()]).toEqual([0, expect.any(String)]);
    expect(serving()).toBe(2);
    expect(stateOf(node)).not.toBe("enabled");
    await sleep(300);
    expect(serving()).toBe(2);
    expect((await enter(node)).code).toBe(0);
    return step.said();
  });
  const said = (await Promise.all(steps)).join("");
  clearInterval(watch);
  expect(fewest).toBe(2);
  expect(said).toContain("waiting for its turn: 127.0.0.1:");
  expect(said).toContain("is out of the pool for 0 min (the upgrade)");
  expect(serving()).toBe(3);
});

test("with maxUnavailable 2 two may be out at once, and no third", async () => {
  settings("max-unavailable", 2);
  await serve();
  const steps = nodes.map((node) => leave(node));
  await until(() => serving() === 1, "two are out");
  await sleep(1000);
  const out = steps.filter(({ child }) => child.exitCode === 0);
  expect([out.length, serving()]).toEqual([2, 1]);
  const first = nodes[steps.indexOf(out[0]!)]!;
  await enter(first);
  expect(await steps.find((step) => !out.includes(step))!.ended).toBe(0);
});

test("one with a meeting gets no new ones, and leaves at its end", async () => {
  await serve();
  const [a] = nodes as [Node];
  a.hold("m");
  const step = leave(a);
  await until(() => step.said().includes("waiting for the end"), "it waits");
  expect(step.said()).toContain("it gets no new meetings; waiting for the end of what runs there: 1 meeting");
  expect(stateOf(a)).not.toBe("enabled");
  a.hold();
  expect(await step.ended).toBe(0);
  expect(leaseOf(a).phase).toBe("working");
});

test("one whose meeting does not end in time is left alone, gets new meetings again, and lets others go", async () => {
  settings("drain-minutes", 0);
  await serve();
  const [a, b] = nodes as [Node, Node];
  a.hold("m");
  const step = leave(a);
  expect(await step.ended).toBe(1);
  expect(step.said()).toContain(
    `${a.name} was not touched: the upgrade would end its meetings, and there is 1 meeting`,
  );
  expect(step.said()).toContain("or allow it: set duringMeetings");
  expect(stateOf(a)).toBe("enabled");
  expect(await leave(b).ended).toBe(0);
});

test("one that is refused fails after the others' work, which the end of the update would leave half done", async () => {
  await serve();
  const [a, b] = nodes as [Node, Node];
  a.hold("m");
  const refused = leave(a);
  await until(() => refused.said().includes("waiting for the end"), "it waits");
  const other = leave(b);
  await until(() => other.said().includes("waiting for its turn"), "the other waits");
  settings("drain-minutes", 0);
  expect(await other.ended).toBe(0);
  await sleep(500);
  expect(refused.said()).toContain(
    `it stays as it is: there is 1 meeting (2 people). Its part of the update fails once the others are done: ${b.name}`,
  );
  expect([stateOf(a), refused.child.exitCode]).toEqual(["enabled", null]);
  await enter(b);
  expect(await refused.ended).toBe(1);
  expect(refused.said()).toContain(`${a.name} was not touched: the upgrade would end its meetings`);
});

test("those that are refused do not wait for each other, nor for long for one that does not come back", async () => {
  settings("drain-minutes", 0);
  await serve();
  const [a, b, c] = nodes as [Node, Node, Node];
  for (const node of [a, b]) node.hold("m");
  expect(await Promise.all([leave(a).ended, leave(b).ended])).toEqual([1, 1]);
  settings("max-unavailable", 2);
  expect(await leave(c).ended).toBe(0);
  const refused = leave(a);
  await until(() => refused.said().includes("Its part of the update fails once"), "it is refused");
  change(c, { seen: Date.now() / 1000 - 3601 });
  expect(await refused.ended).toBe(1);
});

test("duringMeetings does not wait for meetings, also where it is set later; it waits for the others", async () => {
  await serve();
  const [a, b] = nodes as [Node, Node];
  a.hold("m");
  const step = leave(a);
  await until(() => step.said().includes("waiting for the end"), "it waits");
  writeFileSync(join(roots[0]!, "var/lib/bbb-deploy/during-meetings"), "v2");
  expect(await step.ended).toBe(0);
  expect(step.said()).toContain("WARNING: the upgrade begins although there is 1 meeting");
  const second = leave(b, { during: "v2" });
  await until(() => second.said().includes("waiting for its turn"), "it waits");
  expect(second.child.exitCode).toBeNull();
});

test("a server that does not serve counts as one that is out, unless it is the one that asks", async () => {
  await serve();
  const [a, b] = nodes as [Node, Node];
  b.silent = true;
  const servers = redis.hashes.get("scalelite-standin:servers")!;
  servers.set(b.name, servers.get(b.name)!.replace('"online": true', '"online": false'));
  const step = leave(a);
  await until(() => step.said().includes(`waiting for its turn: ${b.name} does not serve`), "it waits");
  const dead = leave(b);
  expect(await dead.ended).toBe(0);
  expect(dead.said()).toContain("WARNING: the upgrade begins although nobody knows what runs there");
});

test("a server that Scalelite took for disabled does not serve, and its next membership mends that", async () => {
  await serve();
  const [a, b] = nodes as [Node, Node];
  const servers = redis.hashes.get("scalelite-standin:servers")!;
  const disable = () => servers.set(b.name, servers.get(b.name)!.replace('"enabled"', '"disabled"'));
  disable();
  const step = leave(a);
  await until(() => step.said().includes(`waiting for its turn: ${b.name} does not serve`), "it waits");
  // As a poll does that began before the membership.
  const spoil = setInterval(() => stateOf(b) === "enabled" && (disable(), clearInterval(spoil)), 1);
  expect((await enter(b)).code).toBe(0);
  clearInterval(spoil);
  expect(stateOf(b)).toBe("enabled");
  expect(await step.ended).toBe(0);
});

describe("an update that was killed", () => {
  test("while it waits: the wait is over with its connection, and the server serves", async () => {
    await serve();
    const [a] = nodes as [Node];
    a.hold("m");
    const sshd = join(state, "sshd");
    writeFileSync(sshd, '#!/bin/bash\n"$@" &\nwait\n', { mode: 0o755 });
    const step = leave(a, { under: [sshd] });
    await until(() => step.said().includes("waiting for the end"), "it waits");
    step.child.kill("SIGKILL");
    await until(() => step.said().includes("the connection of the update is gone"), "it ends");
    await until(() => stateOf(a) === "enabled", "it serves");
  });

  test("while it waits, with all that it started: its place lapses", async () => {
    await serve({ BBB_DEPLOY_WAIT_LAPSES: "0.5" });
    const [a, b] = nodes as [Node, Node];
    a.hold("m");
    const step = leave(a);
    await until(() => step.said().includes("waiting for the end"), "it waits");
    step.child.kill("SIGKILL");
    expect(await leave(b).ended).toBe(0);
    await until(() => stateOf(a) === "enabled", "it serves");
  });

  test("while it waits, and no other asks: the balancer's timer sees to it", async () => {
    await serve();
    const [a] = nodes as [Node];
    a.hold("m");
    const step = leave(a);
    await until(() => step.said().includes("waiting for the end"), "it waits");
    step.child.kill("SIGKILL");
    await pool(["apply"]);
    expect(stateOf(a)).not.toBe("enabled");
    await pool(["apply"], "", { BBB_DEPLOY_WAIT_LAPSES: "0" });
    expect(stateOf(a)).toBe("enabled");
  });

  test("at its work: the lease is the server's still, which takes it up; the service may have restarted", async () => {
    await serve();
    const [a, b] = nodes as [Node, Node];
    expect(await leave(a).ended).toBe(0);
    service.kill("SIGKILL");
    await sleep(100);
    await serve();
    const other = leave(b);
    await until(() => other.said().includes("waiting for its turn"), "the other waits");
    expect(await leave(a).ended).toBe(0);
    expect(serving()).toBe(2);
    await enter(a);
    expect(await other.ended).toBe(0);
  });

  test("and never taken up: past its deadline others are told whose lease it is, and how it ends", async () => {
    await serve();
    const [a, b] = nodes as [Node, Node];
    expect(await leave(a).ended).toBe(0);
    change(a, { until: Date.now() / 1000 - 1, since: Date.now() / 1000 - 7200 });
    const other = leave(b);
    expect(await other.ended).toBe(1);
    expect(other.said()).toContain(
      `${a.name} is out of the pool for 120 min, and should be back: the update that took it out (the upgrade) did not come to its end. Run pulumi up again`,
    );
    const [, remedy = ""] = /sudo \/usr\/bin\/python3 -B \S+\/pool\.py (back \S+)/.exec(other.said())!;
    expect(await pool(remedy.split(" "))).toMatchObject({
      code: 0,
      said: expect.stringContaining(`${a.name} gets new meetings again\n`) as string,
    });
    expect(stateOf(a)).toBe("enabled");
    expect(await leave(b).ended).toBe(0);
  });

  test("and never taken up: its own server's next update does, past the deadline as well", async () => {
    await serve();
    const [a] = nodes as [Node];
    expect(await leave(a).ended).toBe(0);
    change(a, { until: 0 });
    expect(await leave(a).ended).toBe(0);
    expect(leaseOf(a).until).toBeGreaterThan(Date.now() / 1000);
  });
});

describe("a server that is replaced", () => {
  const remove = ({ name }: Node) => pool(["leave", name, "--minutes", "0"]);
  const TURN = { BBB_DEPLOY_TURN_WITHIN: "0.5" };

  test("waits until one at work is back, or says which", async () => {
    await serve();
    const [a, b] = nodes as [Node, Node];
    expect(await leave(a).ended).toBe(0);
    const { code, said } = await pool(["leave", b.name, "--minutes", "0"], "", TURN);
    expect(code).toBe(1);
    expect(said).toContain(`${b.name} stays for now: ${a.name} is out of the pool`);
    await enter(a);
    expect((await remove(b)).code).toBe(0);
  });

  test("is out until the new one is a member: another waits so long", async () => {
    await serve();
    const [a, b] = nodes as [Node, Node];
    expect((await remove(b)).code).toBe(0);
    const step = leave(a);
    await until(() => step.said().includes(`waiting for its turn: ${b.name} is made anew`), "it waits");
    await enter(b);
    expect(await step.ended).toBe(0);
  });

  test("holds up no removal of all, as in a destroy", async () => {
    await serve();
    expect(await leave(nodes[0]!).ended).toBe(0);
    expect((await Promise.all(nodes.map(remove))).map(({ code }) => code)).toEqual([0, 0, 0]);
  });

  test("is not waited for where the settings have it no more", async () => {
    await serve();
    const [a, b, c] = nodes as [Node, Node, Node];
    settings("nodes", `${a.name} ${b.name}`);
    await pool(["keep", a.name, b.name]);
    expect((await remove(c)).code).toBe(0);
    expect(await leave(a).ended).toBe(0);
  });
});

describe("who may ask", () => {
  test("a server with another secret may not", async () => {
    await serve();
    const step = leave(nodes[0]!, { secret: "another" });
    expect(await step.ended).toBe(1);
    expect(step.said()).toContain("it knows another secret of this server");
    expect(serving()).toBe(3);
  });

  test("one that is no member may go at once: no front end is sent there", async () => {
    await serve();
    const stranger = new Node();
    await stranger.listen();
    expect(await leave(stranger).ended).toBe(0);
    stranger.close();
  });

  test.each(["", "[]", "{}", '{"node": "NAME"}', "x".repeat(20_000)])(
    "nonsense (%#) is refused",
    async (text) => {
      await serve();
      const body = text.replace("NAME", nodes[0]!.name);
      const answer = await fetch(`http://127.0.0.1:${port}/bbb-deploy/lease`, { method: "POST", body });
      expect([400, 403]).toContain(answer.status);
      expect(serving()).toBe(3);
    },
  );
});

test("a balancer that does not answer: nothing is touched, unless duringMeetings allows it", async () => {
  const step = leave(nodes[0]!);
  expect(await step.ended).toBe(1);
  expect(step.said()).toMatch(
    /does not say whether other servers serve meanwhile: .*; nothing was touched\. Bring the balancer back/,
  );
  const allowed = leave(nodes[0]!, { during: "v2" });
  expect(await allowed.ended).toBe(0);
  expect(allowed.said()).toContain("WARNING");
});
