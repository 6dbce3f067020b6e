/** A class of eight meetings, which its balancer has opened, while both servers are to be upgraded. Its growth and shrinkage: pool.test.ts. */
import {
  apiOf,
  endOn,
  frontEnd,
  known,
  meetingsOf,
  node,
  poolOf,
  poolOutputs,
  runOf,
  runsOf,
  TURN,
  type Meeting,
  type PoolOutputs,
} from "../support/pool";
import { must, tryUpdate, update } from "../support/sandbox";
import { joinAll, openRelays, startClass, type Relays, type SchoolClass } from "../support/schoolClass";

/** An upgrade waits for no meeting: one that runs is a refusal. */
const UPGRADE = poolOf(2, ["--set", "upgrade=2026-12-01"]);

let out: PoolOutputs;
let school: SchoolClass;
/** Runs of BigBlueButton on both servers and of coturn, as the class begins. */
let before: readonly string[];
const runs = async () => [...(await runsOf(1, 2)), await runOf(TURN, "coturn")];

const on = (server: number) => school.meetings.filter((one) => one.server === server);
const idsOf = (meetings: readonly Meeting[]) => meetings.map(({ id }) => id);
/** Upgrades what may be. @returns what it printed */
const refused = async () => {
  const { code, stdout, stderr } = await tryUpdate("up", "embedded", UPGRADE);
  expect(code).not.toBe(0);
  return stdout + stderr;
};
const expectRefusalOf = (printed: string, ...servers: readonly number[]) => {
  const words =
    /(bbb-\d)\.example\.test was not touched: .* there are 4 meetings \(8 people\)\. Run pulumi up again when they have ended/g;
  const found = new Set([...printed.matchAll(words)].map(([, name]) => name));
  expect([...found].sort()).toEqual(servers.map((number) => `bbb-${number}`));
};
const expectBothServe = async () => {
  const serves = { state: "enabled", online: true, leaving: false };
  expect(await known()).toMatchObject({ [node(1)]: serves, [node(2)]: serves });
};
const expectNothingLost = async (relays: Relays, count: number) => {
  const traffic = await relays.stop();
  expect(traffic.map(({ lost }) => lost)).toEqual(Array(count).fill(0));
  expect(Math.min(...traffic.map(({ sent }) => sent))).toBeGreaterThan(50);
};

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded", poolOf(2));
  out = await poolOutputs();
  for (let i = 1; i <= 8; i++) await frontEnd(out).create(`m${i}`);
  school = await startClass(out, 1, 2);
  before = await runs();
});

test("with the class on both neither is touched: each says what runs there and what to do, and gets new meetings again", async () => {
  expect(school.meetings.map(({ server }) => server).sort()).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
  expect(school.meetings.map(({ people }) => people)).toEqual(Array(8).fill(2));
  expectRefusalOf(await refused(), 1, 2);
  await expectBothServe();
});

test("not one meeting ended, nobody left, nothing restarted, and no relay lost anything", async () => {
  expect(await meetingsOf(1, 2)).toEqual(school.meetings);
  expect(await runs()).toEqual(before);
  await expectNothingLost(school, 8);
});

test("once the meetings of one server have ended, that one is upgraded, and the class of the other goes on", async () => {
  const relays = await openRelays(out, on(1));
  await endOn(2);
  expectRefusalOf(await refused(), 1);
  const [first, second, coturn] = await runs();
  expect([first, coturn]).toEqual([before[0], before[2]]);
  expect(second).not.toBe(before[1]);
  expect(await meetingsOf(1, 2)).toEqual(on(1));
  await expectNothingLost(relays, 4);
  const pages = await joinAll(apiOf(out), idsOf(on(1)));
  expect(pages.map((page) => new URL(page).hostname)).toEqual(Array(4).fill(node(1)));
  await expectBothServe();
});

test("once those of the other have ended, that one is upgraded alone, and the pool of both is verified", async () => {
  const [first, second, coturn] = await runs();
  await endOn(1);
  const { stdout } = await update("up", "embedded", UPGRADE);
  const after = await runs();
  expect(after.slice(1)).toEqual([second, coturn]);
  expect(after[0]).not.toBe(first);
  for (const step of ["bbb-1-verify", "balancer-verify"])
    expect(stdout).toMatch(new RegExp(`command:remote:Command ${step} (updated|replaced)`));
  expect(stdout).not.toMatch(/bbb-2-install/);
  await expectBothServe();
  for (const id of ["next-1", "next-2"]) await frontEnd(out).create(id);
  expect((await meetingsOf(1, 2)).map(({ server }) => server).sort()).toEqual([1, 2]);
});
