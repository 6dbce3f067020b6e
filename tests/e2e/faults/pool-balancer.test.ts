import { setTimeout as sleep } from "node:timers/promises";

import { until, up } from "../support/faults";
import { reboot } from "../support/hosts";
import {
  BALANCER,
  frontEnd,
  meetingsOn,
  node,
  PASSWORDS,
  poll,
  poolOf,
  poolOutputs,
  TURN,
  type FrontEnd,
  type PoolOutputs,
} from "../support/pool";
import { createOn, endAll, relayed, serverId, watchCalls } from "../support/poolFaults";
import { must, onHost } from "../support/sandbox";
import { turnPeers } from "../support/turn";

/** Bad days of a pool's balancer, which forgets, fails and is replaced, and of its TURN server. One deployment of two servers. */

const upTo = (servers: number, ...more: string[]) => up(...poolOf(servers, more));
const bash = (fqdn: string, script: string) => onHost(fqdn, ["bash", "-c", script]);

let out: PoolOutputs;
let front: FrontEnd;

beforeAll(async () => {
  await must(["reset"]);
  await upTo(2);
  out = await poolOutputs();
  front = frontEnd(out);
});

describe("The balancer of a pool", () => {
  let ids: readonly string[];
  const meetings = () => meetingsOn(1, 2);
  const answers = () => until(async () => (await front.serverOf(ids[0]!)) === node(1), 180);

  beforeAll(async () => {
    ids = [await createOn(front, 1, "on-one"), await createOn(front, 2, "on-two")];
  });
  afterEach(async () => {
    expect(await meetings()).toEqual(expect.arrayContaining([...ids]));
    expect(await poolOutputs()).toMatchObject({ apiUrl: out.apiUrl, sharedSecret: out.sharedSecret });
  });

  test("reboots: meetings go on, and joins work again by themselves", async () => {
    const watch = await watchCalls({ join: front.joinUrl(ids[0]!) });
    await reboot(BALANCER);
    await answers();
    await sleep(2000);
    const { join } = await watch.stop();
    expect(join!.at(-1)![2]).toBe(node(1));
    expect(await front.serverOf(ids[1]!)).toBe(node(2));
  });

  test("without PostgreSQL: joins and new meetings go on", async () => {
    await bash(BALANCER, "systemctl stop postgresql");
    expect(await front.serverOf(ids[0]!)).toBe(node(1));
    await front.create("without-a-database");
    const callback = { "meta_bn-recording-ready-url": "https://moodle.example.test/ready" };
    const asked = { meetingID: "with-a-callback", name: "x", ...PASSWORDS, ...callback };
    expect(await front.call("create", asked)).not.toContain("SUCCESS");
    await bash(BALANCER, "systemctl start postgresql");
    await until(async () => (await front.call("create", asked)).includes("SUCCESS"), 60);
  });

  test("with a full disk: meetings go on, nobody joins or opens one, and all is well once there is room", async () => {
    await bash(
      BALANCER,
      "fallocate -l $(df --output=avail -B1 / | tail -n 1) /root/filler || true; runuser -u redis -- dd if=/dev/zero of=/var/lib/redis/rest bs=4k 2>/dev/null || true",
    );
    await until(async () => !(await front.tryCreate(`full-${Date.now()}`)).includes("SUCCESS"), 120);
    expect(await front.serverOf(ids[0]!)).toBeUndefined();
    await bash(BALANCER, "rm -f /root/filler /var/lib/redis/rest");
    await answers();
    await front.create("room-again");
  });

  test("whose Redis is emptied: it gets its servers again by itself, new meetings go on, and those of before are not found", async () => {
    await bash(BALANCER, "redis-cli FLUSHALL");
    expect(await front.tryCreate("to-nobody")).toContain("Could not find any available servers");
    const timer = await bash(BALANCER, "systemctl show -P TimersMonotonic bbb-deploy-pool.timer");
    expect(timer).toContain("OnUnitInactiveUSec=5min");
    await bash(BALANCER, "systemctl start bbb-deploy-pool");
    await poll();
    expect(await front.serverOf(ids[0]!)).toBeUndefined();
    await front.create("after-the-loss");
  });

  test("replaced by a new one: meetings go on, the pool is there again with the same secret, and no server runs a step", async () => {
    const before = await serverId(BALANCER);
    const steps = () => Promise.all([1, 2].map((number) => bash(node(number), "ls -l /var/log/bbb-deploy")));
    const logs = await steps();
    const { stdout } = await upTo(2, "--replace", "balancer-host-server");
    expect(await serverId(BALANCER)).not.toBe(before);
    expect(await steps()).toEqual(logs);
    for (const number of [1, 2])
      expect(stdout).toMatch(new RegExp(`bbb-${number}-member (updated|replaced)`));
    await front.create("by-the-new-one");
    expect((await upTo(2)).stdout).toMatch(/Resources:\n +\d+ unchanged\n/);
  });

  afterAll(endAll);
});

describe("The TURN server of a pool", () => {
  const expectBoth = async () => expect([await relayed(out, 1), await relayed(out, 2)]).toEqual(["ok", "ok"]);
  let peers: readonly string[];
  beforeAll(async () => {
    await expectBoth();
    peers = await turnPeers(TURN);
  });
  afterEach(async () => {
    expect((await turnPeers(TURN)).sort()).toEqual([...peers].sort());
    await expectBoth();
  });

  test("whose coturn is installed anew: it relays to each server", async () => {
    await bash(
      TURN,
      "DEBIAN_FRONTEND=noninteractive apt-get install --reinstall -y -o Dpkg::Options::=--force-confold coturn && rm -rf /var/lib/turn && apt-get install --reinstall -y -o Dpkg::Options::=--force-confold coturn && systemctl restart coturn && sleep 2",
    );
  });

  test("whose database is gone as it starts: it has its peers and its secret again", async () => {
    await bash(TURN, "systemctl stop coturn; rm -f /var/lib/turn/turndb*; systemctl start coturn; sleep 2");
  });
});
