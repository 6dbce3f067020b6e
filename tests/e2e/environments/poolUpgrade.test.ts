/** Work that ends meetings, on the servers of a pool: in turn, each when it is empty, while the others serve. */
import { setTimeout as sleep } from "node:timers/promises";

import { orders, shown } from "../support/certificates";
import { killWhen, startWatched } from "../support/kill";
import { BALANCER, endOn, meetingsOn, node, openOn, poolOf, runsOf } from "../support/pool";
import { must, onHost } from "../support/sandbox";

// Servers wait for each other.
jest.setTimeout(40 * 60_000);

const SERVERS = [1, 2, 3] as const;

type Given = Readonly<Record<string, string | number>>;
const given = (more: Given = {}) =>
  poolOf(
    3,
    Object.entries({ drainMinutes: 10, ...more }).flatMap(([name, value]) => ["--set", `${name}=${value}`]),
  );
/** Runs an update, however long its servers wait for each other. */
async function tryUp(
  more: Given,
): Promise<{ readonly code: number | null | undefined; readonly printed: string }> {
  const { update, ended } = startWatched(["up", "--engine", "embedded", ...given(more)]);
  await ended;
  return update;
}
const up = async (more: Given = {}) => {
  const { code, printed } = await tryUp(more);
  if (code !== 0) throw new Error(`up ended with exit code ${code}\n${printed}`);
  return printed;
};

const meetingOf = (number: number) => `on-${number}`;
const open = (number: number) => openOn(number, meetingOf(number));

/** Writes the servers that get new meetings and answer, a line for each look. */
const LOOK = `
import json, os, sys, time, urllib.request
sys.path.insert(0, "/usr/local/lib/bbb-deploy")
import pool
def answers(name):
    try:
        with urllib.request.urlopen(f"https://{name}/bigbluebutton/api", timeout=5) as answer:
            return b"SUCCESS" in answer.read()
    except OSError:
        return False
while not os.path.exists("/run/looked-enough"):
    enabled = [name for name, one in pool.known().items() if one.get("state") == "enabled"]
    # One that is taken out between the two looks is none that should have answered.
    silent = [name for name in enabled if not answers(name)]
    if silent:
        still = [name for name, one in pool.known().items() if one.get("state") == "enabled"]
        enabled = [name for name in enabled if name not in silent or name not in still]
    print(json.dumps(enabled), flush=True)
    time.sleep(0.3)
os.unlink("/run/looked-enough")
`;

/** Numbers of servers that served while something was done, one for each look. */
async function servingDuring(work: () => Promise<unknown>): Promise<readonly number[]> {
  const looks = onHost(BALANCER, ["python3", "-B", "-c", LOOK], { timeoutSeconds: 3600 });
  try {
    await work();
  } finally {
    await onHost(BALANCER, ["touch", "/run/looked-enough"]);
  }
  const found = (await looks)
    .split("\n")
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as string[]).length);
  expect(found.length).toBeGreaterThan(5);
  return found;
}

const leases = () =>
  onHost(BALANCER, ["bash", "-c", "cd /var/lib/bbb-deploy/balancer/leases && grep -H . * || true"]);
const starts = () => runsOf(...SERVERS);

let before: string[];
beforeAll(async () => {
  await must(["reset"]);
  await up();
});
beforeEach(async () => {
  before = await starts();
});
afterAll(() => must(["reset"]));

const expectAllRestarted = async () => {
  const after = await starts();
  for (const [i, invocation] of after.entries()) expect(invocation).not.toBe(before[i]);
  expect(await leases()).toBe("");
};

test("an upgrade with a meeting on each: in turn, each at its meeting's end, and never do fewer than two serve", async () => {
  for (const number of SERVERS) await open(number);
  const order: number[] = [];
  const serving = await servingDuring(async () => {
    const { update: running, ended } = startWatched([
      "up",
      "--engine",
      "embedded",
      ...given({ upgrade: "2" }),
    ]);
    const done: number[] = [];
    while (running.code === undefined) {
      const waits =
        /bbb-(\d)\.example\.test: it gets no new meetings; waiting for the end of what runs there: 1 meeting/g;
      const [next] = [...running.printed.matchAll(waits)]
        .map(([, number]) => Number(number))
        .filter((number) => !done.includes(number));
      if (next !== undefined) {
        // Those that are not at work have their meetings.
        for (const number of SERVERS.filter((one) => !done.includes(one)))
          expect(await meetingsOn(number)).toEqual([meetingOf(number)]);
        await endOn(next);
        done.push(next);
        order.push(next);
      }
      await sleep(500);
    }
    await ended;
    expect([running.code, running.printed]).toEqual([0, expect.any(String)]);
    expect(running.printed).toContain("waiting for its turn: bbb-");
  });
  expect(order.sort()).toEqual([1, 2, 3]);
  expect(Math.min(...serving)).toBe(2);
  expect(serving.at(-1)).toBe(3);
  await expectAllRestarted();
});

test("a second run changes nothing", async () => {
  expect(await up({ upgrade: "2" })).toMatch(/Resources:\n +\d+ unchanged\n/);
  expect(await starts()).toEqual(before);
});

test("an update that is killed at work: the lease stays with its server, and the next update takes it up", async () => {
  const change = { upgrade: "3" };
  const serving = await servingDuring(async () => {
    await killWhen(["up", "--engine", "embedded", ...given(change)], (output) =>
      /running bbb-install/.test(output),
    );
    const held = await leases();
    expect(held).toMatch(/"phase": "working"/);
    expect(held.match(/"phase": "working"/g)).toHaveLength(1);
    await up(change);
  });
  expect(Math.min(...serving)).toBe(2);
  await expectAllRestarted();
});

test("with maxUnavailable 2 two are out at once, and one serves all the time", async () => {
  const serving = await servingDuring(() => up({ upgrade: "4", maxUnavailable: 2 }));
  expect(Math.min(...serving)).toBe(1);
  await expectAllRestarted();
});

test("another server type: one with a meeting stays as it is, the others have it in turn; then it, too", async () => {
  // The balancer has maxUnavailable from the end of the update that sets it.
  await up({ upgrade: "4" });
  await open(2);
  const larger = { upgrade: "4", serverType: "ccx33" };
  const certificates = () =>
    Promise.all(SERVERS.map(async (one) => [await shown(node(one), "serial"), await orders(node(one))]));
  const held = await certificates();
  const serving = await servingDuring(async () => {
    const { code, printed } = await tryUp({ ...larger, drainMinutes: 0 });
    expect(code).not.toBe(0);
    expect(printed).toMatch(
      /changing serverType of bbb-2-host-server powers it off, and on bbb-2\.example\.test there is 1 meeting/,
    );
    expect(printed).toContain("pulumi config set duringMeetings ccx33");
    expect(await meetingsOn(2)).toEqual([meetingOf(2)]);
    await endOn(2);
    await up(larger);
  });
  expect(Math.min(...serving)).toBe(2);
  await expectAllRestarted();
  expect(await certificates()).toEqual(held);
});
