/** A pool: servers behind Scalelite's stand-in, which grows and shrinks while a class of eight meetings goes on. */
import { accountObjects } from "../support/account";
import {
  apiOf,
  apiOn,
  BALANCER,
  call,
  endOn,
  frontEnd,
  meetingsOf,
  meetingsOn,
  node,
  poolOf,
  poolOutputs,
  rake,
  runOf,
  runsOf,
  secretOf,
  TURN,
  type Api,
  type PoolOutputs,
} from "../support/pool";
import { relayed } from "../support/poolFaults";
import { must, onHost, tryUpdate, update, type Update } from "../support/sandbox";
import { joinAll, startClass, type SchoolClass } from "../support/schoolClass";
import { turnPeers } from "../support/turn";

const up = (servers: number, more: readonly string[] = []) => update("up", "embedded", poolOf(servers, more));
const tryUp = (servers: number, more: readonly string[] = []) =>
  tryUpdate("up", "embedded", poolOf(servers, more));

const create = (id: string) => frontEnd(out).create(id);
const SUCCESS = "<returncode>SUCCESS</returncode>";
const leadsTo = (id: string) => frontEnd(out).serverOf(id);
/** Runs of BigBlueButton on the first two servers, and of coturn. */
const runs = async () => [...(await runsOf(1, 2)), await runOf(TURN, "coturn")];
const nginx = () => runOf(BALANCER, "nginx");
const names = async () =>
  (await accountObjects())
    .filter(({ kind }) => kind === "servers")
    .map(({ name }) => name)
    .sort();

let out: PoolOutputs;
let first: Update;
let school: SchoolClass;
/** Processes of the first two servers and of the TURN server, while the class goes on. */
let processes: string[];
/** What the pool of three has put out. */
let grown: PoolOutputs;
/** Address of the third server. */
let third: string;

beforeAll(async () => {
  await must(["reset"]);
  first = await up(2);
  out = await poolOutputs();
});

describe("two servers from nothing", () => {
  test("each is verified by itself, then the pool through the balancer", () => {
    for (const step of ["bbb-1-verify", "bbb-2-verify", "turn-verify", "balancer-verify"])
      expect(first.stdout).toMatch(new RegExp(`\\+ +command:remote:Command ${step} created`));
  });

  test("meetings land on both, and a join leads to the server of the meeting", async () => {
    for (let i = 1; i <= 8; i++) await create(`m${i}`);
    const found = await meetingsOf(1, 2);
    expect(found.map(({ server }) => server).sort()).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    for (const { id, server } of found.slice(0, 2)) expect(await leadsTo(id)).toBe(node(server));
  });

  test("a front end never sees a server's secret, and no server takes the front ends'", async () => {
    const own = await Promise.all([secretOf(1), secretOf(2)]);
    expect(new Set([...own, out.sharedSecret]).size).toBe(3);
    const forFrontEnds = Object.entries(await poolOutputs()).filter(([name]) => name !== "check");
    const shown = JSON.stringify(forFrontEnds) + (await must(["outputs", "--json"]));
    for (const secret of own) expect(shown + first.stdout).not.toContain(secret);
    const api = { ...(await apiOn(1)), secret: out.sharedSecret };
    expect(await call(api, "getMeetings")).toContain("checksumError");
  });

  test("a second run changes nothing", async () => {
    expect((await up(2)).stdout).toMatch(/Resources:\n +\d+ unchanged\n/);
  });

  test("the servers are in one placement group, and neither the balancer nor the TURN server", async () => {
    const objects = await accountObjects();
    const ids = objects.filter(({ kind, name }) => kind === "servers" && /^bbb-\d/.test(name));
    const groups = objects.filter(({ kind }) => kind === "placement_groups");
    expect(groups.map(({ servers }) => servers)).toEqual([ids.map(({ id }) => Number(id))]);
  });

  test("a class meets: two people in each of the eight, who get their sound by the TURN server", async () => {
    school = await startClass(out, 1, 2);
    processes = await runs();
    expect(school.meetings.map(({ people }) => people)).toEqual(Array(8).fill(2));
  });
});

describe("from two to three while meetings run", () => {
  let balancer: string;
  beforeAll(async () => {
    balancer = await nginx();
    await up(3);
    grown = await poolOutputs();
    third = grown.servers[node(3)]!.ipv4;
  });

  test("nothing restarts on those that were there, and their meetings go on", async () => {
    expect(await runs()).toEqual(processes);
    expect(await nginx()).toBe(balancer);
    expect(await meetingsOf(1, 2)).toEqual(school.meetings);
  });

  test("new meetings reach the third", async () => {
    await create("m9");
    expect(await leadsTo("m9")).toBe(node(3));
  });
});

describe("from three to two", () => {
  test("with a meeting on the third it is refused, with its number and what to do; the meeting, its joins and its relays go on", async () => {
    const { code, stdout, stderr } = await tryUp(2);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain(`${node(3)} stays: it still has 1 meeting`);
    expect(stdout + stderr).toContain("run the same command again");
    expect(await names()).toContain(node(3));
    expect(await leadsTo("m9")).toBe(node(3));
    expect(await meetingsOn(3)).toEqual(["m9"]);
    expect(await turnPeers(TURN)).toContain(third);
    expect(await relayed(grown, 3)).toBe("ok");
    await create("m10");
    expect(await leadsTo("m10")).not.toBe(node(3));
  });

  test("also where the balancer has forgotten the meeting, as by an end that its server refused", async () => {
    expect(await call(apiOf(out), "end", { meetingID: "m9", password: "another" })).not.toContain(SUCCESS);
    expect(await leadsTo("m9")).toBeUndefined();
    const { code, stdout, stderr } = await tryUp(2);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain(`${node(3)} stays: it still has 1 meeting`);
    expect(await meetingsOn(3)).toEqual(["m9"]);
  });

  test("after its end the same command succeeds, and nothing of the server is left", async () => {
    await endOn(3, ["m9"]);
    await up(2);
    expect(await names()).toEqual([node(1), node(2), BALANCER, TURN].sort());
    const left = (await accountObjects()).filter((object) => JSON.stringify(object).includes("bbb-3"));
    expect(left.map(({ kind, name }) => `${kind} ${name}`)).toEqual([]);
    expect(await turnPeers(TURN)).not.toContain(third);
    expect(await relayed(grown, 3)).toBe(403);
    expect(await rake("servers:yaml[true]")).not.toContain(node(3));
    expect((await up(2)).stdout).toMatch(/Resources:\n +\d+ unchanged\n/);
  });
});

describe("the balancer", () => {
  test("restarts without an end to a meeting; joins work again", async () => {
    await create("m11");
    await onHost(BALANCER, [
      ...["systemctl", "restart", "nginx", "postgresql", "redis-server"],
      ...["bbb-deploy-scalelite-api", "bbb-deploy-scalelite-poller"],
    ]);
    const healthy = "until curl -sf http://127.0.0.1:3000/health_check; do sleep 1; done";
    await onHost(BALANCER, ["bash", "-c", healthy]);
    expect(await leadsTo("m11")).toMatch(/^bbb-[12]/);
  });

  test("is a stack's for good: a pool becomes no single server", async () => {
    const { code, stdout, stderr } = await tryUp(0);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain("this stack is a pool");
  });
});

describe("a new secret of the front ends", () => {
  const rotated = ["--set", "rotateSharedSecret=2026-12-01"];
  const answers = async (api: Api) => (await call(api, "getMeetings")).includes(SUCCESS);
  const KEPT = "/var/lib/bbb-deploy/balancer/front-end-secrets.json";
  let former: Api;

  test("is taken beside the former one, and no meeting's server sees anything of it", async () => {
    former = apiOf(out);
    const { stdout } = await up(2, rotated);
    out = await poolOutputs();
    expect(out.sharedSecret).not.toBe(former.secret);
    expect(await Promise.all([answers(former), answers(apiOf(out))])).toEqual([true, true]);
    expect(stdout).toMatch(
      /the former secret of the front ends is taken until \d{4}-\d\d-\d\d \d\d:\d\d UTC/,
    );
  });

  test("is the only one two days later", async () => {
    await onHost(BALANCER, ["sed", "-i", "-E", 's/"until": [0-9]+/"until": 1/', KEPT]);
    await onHost(BALANCER, ["systemctl", "start", "bbb-deploy-scalelite-secret"]);
    const healthy = "until curl -sf http://127.0.0.1:3000/health_check; do sleep 1; done";
    await onHost(BALANCER, ["bash", "-c", healthy]);
    expect(await Promise.all([answers(former), answers(apiOf(out))])).toEqual([false, true]);
    await up(2, rotated);
    expect(await answers(former)).toBe(false);
  });
});

describe("the class", () => {
  test("went on all the time: no meeting ended, nobody left, nothing restarted", async () => {
    const before = school.meetings.map(({ id }) => id);
    expect((await meetingsOf(1, 2)).filter(({ id }) => before.includes(id))).toEqual(school.meetings);
    expect(await runs()).toEqual(processes);
  });

  test("none of its relays was cut, nor lost anything", async () => {
    const relays = await school.stop();
    expect(relays).toHaveLength(8);
    expect(relays.map(({ lost }) => lost)).toEqual(Array(8).fill(0));
    expect(Math.min(...relays.map(({ sent }) => sent))).toBeGreaterThan(100);
  });

  test("takes one more in each meeting by the balancer", async () => {
    const pages = await joinAll(
      apiOf(out),
      school.meetings.map(({ id }) => id),
    );
    expect(pages.map((page) => new URL(page).hostname)).toEqual(
      school.meetings.map(({ server }) => node(server)),
    );
  });
});

describe("a new secret of one server", () => {
  const replace = [...["--set", "rotateSharedSecret=2026-12-01"], "--replace", "bbb-2-shared-secret"];

  test("is refused while meetings run there", async () => {
    const { code, stdout, stderr } = await tryUp(2, replace);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/bbb-2\.example\.test was not touched: .* would end its meetings/);
  });

  test("is known to that server and to the balancer, and disturbs no other", async () => {
    const [one, two] = [await secretOf(1), await secretOf(2)];
    const before = await meetingsOf(1);
    await endOn(2);
    await up(2, replace);
    expect(await secretOf(1)).toBe(one);
    expect(await secretOf(2)).not.toBe(two);
    expect(await meetingsOf(1)).toEqual(before);
    await create("m12");
    expect(await leadsTo("m12")).toBe(node(2));
  });
});

describe("destroy", () => {
  test("is refused while a meeting runs, without any program, also by a balancer that has lost its memory", async () => {
    await onHost(BALANCER, ["redis-cli", "FLUSHALL"]);
    expect(await leadsTo("m12")).toBeUndefined();
    // As its timer does.
    await onHost(BALANCER, ["systemctl", "start", "bbb-deploy-pool"]);
    expect(await rake("servers:yaml[true]")).toContain(node(1));
    const { code, stdout, stderr } = await tryUpdate("destroy", "embedded");
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/bbb-[12]\.example\.test stays: it still has \d+ meetings?/);
    expect(await names()).toEqual(expect.arrayContaining([node(1), node(2), BALANCER, TURN]));
  });

  test("leaves nothing of an empty pool", async () => {
    for (const number of [1, 2]) await endOn(number);
    await update("destroy", "embedded");
    expect(await accountObjects()).toEqual([]);
  });
});
