import { Failure, Mistake } from "../../../cli/mistake";
import { park, type ParkOptions } from "../../../operator/park/park";
import { wake } from "../../../operator/park/wake";
import { FakeCloud, Killed } from "./fakes";

let cloud: FakeCloud;
beforeEach(() => (cloud = new FakeCloud()));

const options: ParkOptions = { withTurn: false, endMeetings: false, confirm: async () => true };
const parks = (more: Partial<ParkOptions> = {}, at = cloud.taking) =>
  park(cloud.world(at), { ...options, ...more });
const wakes = (at = cloud.taking) => wake(cloud.world(at), { confirm: async () => true });
const roles = () => [...cloud.servers.values()].map(({ labels }) => labels.role).sort();

describe("at a cloud that makes snapshots", () => {
  test("the server becomes a snapshot of its disk, and is deleted once that is there; TURN stays", async () => {
    expect(await parks()).toBe(true);
    expect(cloud.done).toEqual(["release", "stop 1", "take 1", "available 100", "let go 1", "refresh"]);
    expect(roles()).toEqual(["turn"]);
    expect([...cloud.snapshots.values()]).toMatchObject([
      { labels: { project: "bigbluebutton", stack: "prod", role: "bbb", purpose: "parked", server: "1" } },
    ]);
    expect(cloud.said).toContain("the snapshot 100 has 7.3 GB");
  });

  test("woken, it is made from that, for this one update; the snapshot goes after it", async () => {
    await parks();
    cloud.done.length = 0;
    expect(await wakes()).toBe(true);
    expect(cloud.done).toEqual(["label 100 waking", "refresh", 'up {"image":"100"}', "remove 100"]);
    expect(roles()).toEqual(["bbb", "turn"]);
  });

  test("the TURN server goes with it where asked, without a snapshot, and the same update makes it", async () => {
    await parks({ withTurn: true });
    expect(roles()).toEqual([]);
    expect([...cloud.snapshots.values()]).toMatchObject([{ labels: { turn: "parked" } }]);
    await wakes();
    expect(roles()).toEqual(["bbb", "turn"]);
  });

  test("a server that does not work after it keeps its snapshot, and waking goes on", async () => {
    await parks();
    cloud.failing = "verification failed";
    await expect(wakes()).rejects.toThrow("verification failed");
    expect(cloud.snapshots.size).toBe(1);
    cloud.failing = undefined;
    await wakes();
    expect(cloud.snapshots.size).toBe(0);
    expect([...cloud.servers.values()].filter(({ labels }) => labels.role === "bbb")).toHaveLength(1);
  });

  test("three times in a row leaves nothing", async () => {
    for (let time = 0; time < 3; time++) {
      await parks();
      await wakes();
    }
    expect([roles(), cloud.snapshots.size]).toEqual([["bbb", "turn"], 0]);
  });

  test("what runs, or was never there, is told", async () => {
    await wakes();
    expect(cloud.said).toEqual(["bbb.example.org runs already"]);
    cloud.servers.delete("1");
    await expect(wakes()).rejects.toThrow(/nothing of stack prod is parked: pulumi refresh/);
    await expect(parks()).rejects.toThrow(Mistake);
    expect(cloud.done).toEqual([]);
  });

  test("parked once more, it says since when, and brings the state up to date", async () => {
    await parks();
    cloud.done.length = 0;
    await parks();
    expect(cloud.said).toContain("parked since 2026-11-20 18:00 UTC");
    expect(cloud.done).toEqual(["refresh"]);
  });

  test("a snapshot that was left by an earlier time goes only when there is a new one", async () => {
    cloud.put("7", { purpose: "waking", server: "1" }, true);
    await parks();
    expect(cloud.done).toEqual([
      "release",
      "stop 1",
      "take 1",
      "available 100",
      "remove 7",
      "let go 1",
      "refresh",
    ]);
  });

  // Every action once the last that was done; then the same command, or the other one, brings it to its end.
  const actions = ["nothing", "release", "stop", "take", "available", "turn stop", "turn let go", "let go"];
  test.each(actions.map((name, index) => [name, index] as const))(
    "killed after %s: parking goes on, and ends as without",
    async (_, index) => {
      cloud.killAfter = index;
      await expect(parks({ withTurn: true })).rejects.toThrow(Killed);
      cloud.killAfter = Infinity;
      await parks({ withTurn: true });
      expect([roles(), cloud.snapshots.size]).toEqual([[], 1]);
      await wakes();
      expect([roles(), cloud.snapshots.size]).toEqual([["bbb", "turn"], 0]);
    },
  );
  test.each(actions.map((name, index) => [name, index] as const))(
    "killed after %s: waking brings back what there is",
    async (_, index) => {
      cloud.killAfter = index;
      await expect(parks({ withTurn: true })).rejects.toThrow(Killed);
      cloud.killAfter = Infinity;
      await wakes();
      expect([roles(), cloud.snapshots.size]).toEqual([["bbb", "turn"], 0]);
      expect([...cloud.servers.values()].map(({ status }) => status)).toEqual(["running", "running"]);
    },
  );
  test.each([0, 1, 2, 3])("waking killed after %i actions goes on", async (index) => {
    await parks();
    cloud.killAfter = cloud.done.length + index;
    await expect(wakes()).rejects.toThrow(Killed);
    cloud.killAfter = Infinity;
    await wakes();
    expect([roles(), cloud.snapshots.size]).toEqual([["bbb", "turn"], 0]);
  });

  test("a snapshot that is being made while the server is off is waited for, not made twice", async () => {
    cloud.killAfter = 3;
    await expect(parks()).rejects.toThrow(Killed);
    cloud.killAfter = Infinity;
    await parks();
    expect(cloud.done.filter((one) => one.startsWith("take"))).toEqual(["take 1"]);
  });

  test("one of a server that was started again in between is not taken for the present one", async () => {
    cloud.killAfter = 3;
    await expect(parks()).rejects.toThrow(Killed);
    cloud.killAfter = Infinity;
    await cloud.taking.start("1");
    await parks();
    expect(cloud.done.filter((one) => /^(take|remove)/.test(one))).toEqual([
      "take 1",
      "take 1",
      "remove 100",
    ]);
  });
});

describe("meetings", () => {
  test("refuse it before anything is touched, unless they may be ended", async () => {
    cloud.meetings = 2;
    const refused = parks();
    await expect(refused).rejects.toThrow("2 meetings run on bbb.example.org; nothing was changed");
    await expect(refused).rejects.toBeInstanceOf(Failure);
    expect(cloud.done).toEqual([]);
    await parks({ endMeetings: true });
    expect(cloud.done[0]).toBe("release, ending meetings");
  });

  test("that can't be asked for refuse it, too", async () => {
    cloud.meetings = new Error("no answer within 15 seconds");
    await expect(parks()).rejects.toThrow(/does not tell \(no answer.*--end-meetings goes on all the same/);
    expect(cloud.done).toEqual([]);
    expect(await parks({ endMeetings: true })).toBe(true);
  });

  test("whoever says no has changed nothing", async () => {
    expect(await parks({ confirm: async () => false })).toBe(false);
    await cloud.taking.stop("1");
    cloud.done.length = 0;
    expect(await wake(cloud.world(cloud.stopping), { confirm: async () => false })).toBe(false);
    expect(cloud.done).toEqual([]);
  });
});

describe("at a cloud where a stopped server costs its disk only", () => {
  const at = () => cloud.stopping;
  test("it is stopped, and started again with a certificate that is good; the state is not touched", async () => {
    await parks({ withTurn: true }, at());
    expect(cloud.done).toEqual(["release", "stop 1", "stop 2"]);
    cloud.done.length = 0;
    await wakes(at());
    expect(cloud.done).toEqual(["start 1", "start 2", "renew", "answers"]);
  });

  test("stopped already, nothing is done to it", async () => {
    await parks({}, at());
    await parks({}, at());
    expect(cloud.done).toEqual(["release", "stop 1"]);
  });
});
