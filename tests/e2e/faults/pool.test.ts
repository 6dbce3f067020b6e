import { setTimeout as sleep } from "node:timers/promises";

import { accountObjects } from "../support/account";
import { hetzner } from "../support/clouds";
import { block, cutSsh, unblock, until } from "../support/faults";
import { startWatched } from "../support/kill";
import {
  BALANCER,
  endOn,
  frontEnd,
  known,
  meetingsOn,
  node,
  openOn,
  poll,
  poolOf,
  poolOutputs,
  rake,
  TURN,
  type FrontEnd,
  type PoolOutputs,
} from "../support/pool";
import { createOn, endAll, relayed, serverId, watchCalls, type Seen } from "../support/poolFaults";
import { must, onHost, sandbox, tryUpdate, update } from "../support/sandbox";

/**
 * A pool's bad days, on one deployment of two servers: a server that fails, waits for meetings that are cut off, and
 * removals while meetings run and of a server that is dead.
 */

// A test server's, so that it is taken away by their commands.
const STACK = ["--stack", "test-pool"];
const upTo = (servers: number, ...more: string[]) =>
  update("up", "embedded", [...STACK, ...poolOf(servers, more)]);
const tryUpTo = (servers: number) => tryUpdate("up", "embedded", [...STACK, ...poolOf(servers)]);
const testServer = (...args: string[]) => sandbox(["operator", "testServer", ...args, "--sandbox"]);

let out: PoolOutputs;
let front: FrontEnd;

const bash = (fqdn: string, script: string) => onHost(fqdn, ["bash", "-c", script]);
/** Makes a server swallow all packets but those of this machine's own commands, or ends that. */
const silence = (number: number) =>
  bash(
    node(number),
    "nft -f - <<<'table inet fault { chain input { type filter hook input priority -300; policy accept; iif != lo drop; }; }'",
  );
const hear = (number: number) =>
  bash(node(number), "nft -f - <<<$'table inet fault\\ndelete table inet fault'");

const serverNames = async () =>
  (await accountObjects()).filter(({ kind }) => kind === "servers").map(({ name }) => name);
const power = async (fqdn: string, action: "poweroff" | "poweron") => {
  const [answer] = await hetzner(["POST", `/servers/${await serverId(fqdn)}/actions/${action}`, {}]);
  expect(answer!.status).toBe(201);
};

/** Seconds from a time until an answer is first seen. */
const secondsUntil = (seen: Seen, since: number, answer: string | RegExp): number => {
  const found = seen.find(
    ([at, , one]) => at >= since && (typeof answer === "string" ? one === answer : answer.test(one)),
  );
  if (!found) throw new Error(`never ${String(answer)}: ${JSON.stringify(seen)}`);
  return found[0] - since;
};

beforeAll(async () => {
  await must(["reset"]);
  await upTo(2);
  out = await poolOutputs(STACK);
  front = frontEnd(out);
});
afterEach(unblock);

describe("A server of a pool", () => {
  test("silent for one poll: nothing is forgotten, and joins lead there again", async () => {
    const held = await createOn(front, 2, "once");
    await silence(2);
    await poll();
    expect(await front.call("getMeetings")).toContain("internalError");
    expect(await front.serverOf(held)).toBe(node(2));
    await hear(2);
    await poll();
    expect(await front.serverOf(held)).toBe(node(2));
    expect(await front.call("getMeetings")).toContain(held);
    await endAll();
  });

  test("whose packets are dropped: the others go on, and within 2 minutes front ends are told that its meetings are not found", async () => {
    const lost = await createOn(front, 2, "lost");
    const other = await createOn(front, 1, "other");
    for (const id of ["more", "yet-more"]) await openOn(1, id);
    await poll();
    const watch = await watchCalls({
      list: front.getMeetingsUrl,
      lost: front.joinUrl(lost),
      other: front.joinUrl(other),
    });
    await silence(2);
    const since = Date.now() / 1000;
    // The server with the least on it is the dead one until then.
    expect(await front.tryCreate("meets-the-dead")).toContain("internalError");
    await until(async () => (await known())[node(2)]?.online === false, 180);
    expect(await front.tryCreate("meets-the-dead")).toContain("<returncode>SUCCESS</returncode>");
    expect(await front.serverOf("meets-the-dead")).toBe(node(1));
    await sleep(3000);
    const seen = await watch.stop();
    expect(seen.other!.map(([, , answer]) => answer)).toEqual([node(1)]);
    expect(seen.lost!.map(([, , answer]) => answer)).toEqual([node(2), "notFound"]);
    expect(seen.list!.map(([, , answer]) => answer)).toEqual(["SUCCESS", "internalError", "SUCCESS"]);
    const numbers = {
      forgotten: secondsUntil(seen.lost!, since, "notFound"),
      listed: secondsUntil(seen.list!, since, "SUCCESS"),
    };
    for (const seconds of Object.values(numbers)) expect(seconds).toBeLessThan(120);
  });

  test("back with its meetings: new ones go there by themselves, and what ran on is not found", async () => {
    await hear(2);
    await poll();
    expect((await known())[node(2)]).toMatchObject({ online: true, state: "enabled" });
    const [held = ""] = await meetingsOn(2);
    expect(held).toMatch(/^lost-/);
    expect(await front.serverOf(held)).toBeUndefined();
    expect(await front.call("getMeetings")).toContain(held);
    await endOn(1);
    await createOn(front, 2, "again");
    await endAll();
  });

  test("whose API is off while it answers to SSH: offline after three polls, the others go on, and back with the API", async () => {
    const other = await createOn(front, 1, "beside");
    await bash(node(2), "systemctl stop bbb-web");
    for (let i = 0; i < 3; i++) await poll();
    expect((await known())[node(2)]).toMatchObject({ online: false });
    expect(await front.serverOf(other)).toBe(node(1));
    expect(await front.call("getMeetings")).toContain(other);
    await bash(node(2), "systemctl start bbb-web");
    await until(async () => {
      await poll();
      return (await known())[node(2)]?.online === true;
    }, 60);
    await endAll();
  });

  test("without power: the others go on, and once it runs again it gets meetings without an update", async () => {
    const other = await createOn(front, 1, "beside");
    const lost = await createOn(front, 2, "unpowered");
    await power(node(2), "poweroff");
    for (let i = 0; i < 3; i++) await poll();
    expect((await known())[node(2)]).toMatchObject({ online: false });
    expect(await front.serverOf(lost)).toBeUndefined();
    expect(await front.serverOf(other)).toBe(node(1));
    await power(node(2), "poweron");
    await until(async () => {
      await poll().catch(() => undefined);
      return (await known())[node(2)]?.online === true;
    }, 120);
    await createOn(front, 2, "back");
    await endAll();
  });

  test("of whose meeting an end was refused, so that the balancer has forgotten it: it stays for it", async () => {
    const held = await createOn(front, 2, "kept");
    await endOn(
      2,
      (await meetingsOn(2)).filter((id) => id !== held),
    );
    expect(await front.call("end", { meetingID: held, password: "wrong" })).toContain("FAILED");
    expect(await front.serverOf(held)).toBeUndefined();
    expect(await meetingsOn(2)).toEqual([held]);
    const { code, stdout, stderr } = await tryUpTo(1);
    expect([code === 0, stdout + stderr]).toEqual([
      false,
      expect.stringContaining(`${node(2)} stays: it still has 1 meeting`),
    ]);
    expect((await known())[node(2)]).toMatchObject({ leaving: true });
  });
});

describe("A wait for meetings", () => {
  const WAITING = poolOf(1, ["--set", "drainMinutes=10"]);
  let running: ReturnType<typeof startWatched>;
  const printed = (what: RegExp, seconds = 240) =>
    until(() => {
      if (running.update.code !== undefined)
        throw new Error(`ended without ${String(what)}:\n${running.update.printed}`);
      return what.test(running.update.printed);
    }, seconds);
  const begin = async () => {
    running = startWatched(["up", "--engine", "embedded", ...STACK, ...WAITING]);
    await printed(
      /bbb-2\.example\.test gets no new meetings; waiting for the end of what runs there: 1 meeting/,
    );
  };
  const expectThere = async () => {
    expect(Object.keys(await known())).toContain(node(2));
    expect(await serverNames()).toContain(node(2));
  };

  beforeAll(async () => {
    // For the meeting of the case before.
    await begin();
  });

  test("in which the server becomes silent: it goes on, and what runs there counts when it is back", async () => {
    await silence(2);
    await printed(
      /waiting, since bbb-2\.example\.test does not tell what runs there .*does not count as dead yet/,
    );
    const before = running.update.printed.length;
    await hear(2);
    await until(
      () => /waiting for the end of what runs there: 1 meeting/.test(running.update.printed.slice(before)),
      120,
    );
  });

  test("and another update at once: that one is refused by name, and the wait goes on", async () => {
    const { code, stdout, stderr } = await tryUpTo(2);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/another command is at work/);
    expect(running.update.code).toBeUndefined();
  });

  test("whose SSH to the balancer is cut: the update fails, and the server stays, though its meeting ends", async () => {
    await cutSsh(BALANCER);
    await running.ended;
    expect(running.update.code).not.toBe(0);
    await endOn(2);
    await sleep(25_000);
    await expectThere();
  });

  test("killed: nothing goes without it, though the meeting ends", async () => {
    await openOn(2, "waited-for");
    await begin();
    running.kill();
    await running.ended;
    await endOn(2);
    await sleep(25_000);
    await expectThere();
    expect((await known())[node(2)]).toMatchObject({ leaving: true });
  });

  test("and a way back after that: with the number of before the server gets meetings again", async () => {
    await upTo(2);
    expect((await known())[node(2)]).toMatchObject({ leaving: false, state: "enabled", online: true });
    await createOn(front, 2, "returned");
    await endAll();
  });

  test("by a balancer that SSH does not reach: no server goes, and it is told in minutes", async () => {
    await openOn(2, "unreached");
    block(22, "reject");
    const { code } = await tryUpdate("destroy", "embedded", STACK);
    unblock();
    expect(code).not.toBe(0);
    expect(await serverNames()).toEqual(expect.arrayContaining([node(1), node(2), BALANCER, TURN]));
    await endAll();
  });
});

describe("A removal from a pool", () => {
  const references = async () =>
    (await accountObjects()).map(({ kind, id, name }) => `${kind} ${id} ${name}`).sort();
  let expires: number;

  test("of all of it by a plain destroy while meetings run: refused, and nothing of the servers goes", async () => {
    for (const number of [1, 2]) await openOn(number, `of-${number}`);
    const before = await references();
    const { code, stdout, stderr } = await tryUpdate("destroy", "embedded", STACK);
    expect(code).not.toBe(0);
    for (const number of [1, 2])
      expect(stdout + stderr).toContain(`${node(number)} stays: it still has 1 meeting`);
    expect(await references()).toEqual(before);
    for (const number of [1, 2]) {
      expect(await relayed(out, number)).toBe("ok");
      expect(await meetingsOn(number)).toEqual([`of-${number}`]);
    }
  });

  test("that was refused and is not tried again: the servers get new meetings", async () => {
    expect(await front.tryCreate("too-early")).toContain("Could not find any available servers");
    await bash(
      BALANCER,
      'sed -i -E \'s/"until": [0-9]+/"until": 1/\' /var/lib/bbb-deploy/balancer/members/*.json; systemctl start bbb-deploy-pool',
    );
    await poll();
    await front.create("after-all");
    await endAll();
  });

  test("of the highest, which has no power: it goes without its answer, said loudly, and TURN refuses its address within seconds", async () => {
    await createOn(front, 2, "dies");
    await endOn(1);
    const other = "lives";
    await openOn(1, other);
    await power(node(2), "poweroff");
    expires = Math.ceil(Date.now() / 1000) + 60;
    const { stdout } = await upTo(1, "--set", `expires=${expires}`);
    expect(stdout).toContain(`WARNING: ${node(2)} is dead`);
    expect(await relayed(out, 2)).toBe(403);
    expect(await relayed(out, 1)).toBe("ok");
    expect(await meetingsOn(1)).toEqual([other]);
    const left = (await accountObjects()).filter((object) => JSON.stringify(object).includes("bbb-2"));
    expect(left.map(({ kind, name }) => `${kind} ${name}`)).toEqual([]);
    expect(await rake("servers:yaml[true]")).not.toContain(node(2));
  });

  test("of all of it by test-server while a meeting runs: neither down nor reap takes anything away", async () => {
    const before = await references();
    const down = await testServer("down", "pool", "--yes");
    expect([down.code, down.stderr]).toEqual([
      1,
      expect.stringContaining(`pool is in use, ${node(1)}: 1 meeting (0 people): add --force`),
    ]);
    await sleep(Math.max(0, expires * 1000 - Date.now()));
    const reap = await testServer("reap", "--yes", "--wait", "0");
    expect([reap.code, reap.stdout]).toEqual([
      1,
      expect.stringContaining(`pool: SKIPPED, pool is in use, ${node(1)}`),
    ]);
    expect(await references()).toEqual(before);
    expect((await meetingsOn(1)).length).toBe(1);
  });

  test("of all of it once it is empty and its time is up: reap leaves nothing", async () => {
    await endOn(1);
    expect(await testServer("reap", "--yes")).toMatchObject({ code: 0 });
    expect(await accountObjects()).toEqual([]);
  });
});
