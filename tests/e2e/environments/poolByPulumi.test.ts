/**
 * A pool by the real engine, which ends an update at its first failure: the removal of a membership that fails must keep the
 * server, and an upgrade that one server refuses must not leave another half done.
 */
import { accountObjects } from "../support/account";
import { until } from "../support/faults";
import { startWatched } from "../support/kill";
import {
  apiOf,
  BALANCER,
  call,
  endOn,
  known,
  meetingsOn,
  node,
  openOn,
  poolOf,
  poolOutputs,
  TURN,
} from "../support/pool";
import { engineMissing, must, onHost, testUnless, tryUpdate, update } from "../support/sandbox";

const missing = engineMissing("pulumi");
const test = testUnless(missing);
const up = (servers: number, more: readonly string[] = []) => update("up", "pulumi", poolOf(servers, more));
const UPGRADED = ["--set", "upgrade=2026-12-01"];
const servers = async () =>
  (await accountObjects())
    .filter(({ kind }) => kind === "servers")
    .map(({ name }) => name)
    .sort();

describe("a pool by the pulumi engine", () => {
  if (missing === undefined)
    beforeAll(async () => {
      await must(["reset"]);
      await up(2);
    });

  test("answers by its balancer, and a second run changes nothing", async () => {
    expect(await call(apiOf(await poolOutputs()), "getMeetings")).toContain("SUCCESS");
    expect((await up(2)).stdout).toMatch(/Resources:\n +\d+ unchanged\n/);
  });

  test("keeps a server that has a meeting, and all that it is made of", async () => {
    await openOn(2, "lesson");
    const before = await accountObjects();
    const { code, stdout, stderr } = await tryUpdate("up", "pulumi", poolOf(1));
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain(`${node(2)} stays: it still has 1 meeting`);
    expect(await accountObjects()).toEqual(before);
    expect(await meetingsOn(2)).toEqual(["lesson"]);
  });

  test("keeps it in a plain destroy, which runs no program", async () => {
    const { code, stdout, stderr } = await tryUpdate("destroy", "pulumi");
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain(`${node(2)} stays: it still has 1 meeting`);
    expect(await servers()).toEqual(expect.arrayContaining([node(2), BALANCER, TURN]));
    expect(await meetingsOn(2)).toEqual(["lesson"]);
  });

  test("is whole again by the next update", async () => {
    await up(2);
    expect(await servers()).toEqual([node(1), node(2), BALANCER, TURN].sort());
  });

  test("has an upgrade that one server refuses come to its end on the other", async () => {
    for (const number of [1, 2]) if ((await meetingsOn(number)).length === 0) await openOn(number, "lesson");
    await onHost(BALANCER, ["bash", "-c", "echo 1 >/var/lib/bbb-deploy/balancer/drain-minutes"]);
    const { update: upgrade, ended } = startWatched(["up", "--engine", "pulumi", ...poolOf(2, UPGRADED)]);
    const refusing = () =>
      Number(/bbb-(\d)\S+ it gets no new meetings; waiting for the end/.exec(upgrade.printed)?.[1]);
    await until(() => upgrade.code !== undefined || refusing() > 0, 300);
    const [refused, other] = refusing() === 1 ? [1, 2] : [2, 1];
    await endOn(other);
    await ended;
    expect([upgrade.code === 0, upgrade.printed]).toEqual([
      false,
      expect.stringMatching(new RegExp(`${node(refused)} was not touched: .* there is 1 meeting`)),
    ]);
    expect(await meetingsOn(refused)).toEqual(["lesson"]);
    expect(upgrade.printed).toMatch(new RegExp(`bbb-${other}-verify .*(updated|replaced)`));
    const serves = { state: "enabled", online: true, leaving: false };
    expect(await known()).toMatchObject({ [node(1)]: serves, [node(2)]: serves });
  });

  test("lets the server go after the meeting's end, and nothing else changes", async () => {
    for (const number of [1, 2]) if ((await meetingsOn(number)).length > 0) await endOn(number);
    await up(1, UPGRADED);
    expect(await servers()).toEqual([node(1), BALANCER, TURN].sort());
    expect((await up(1, UPGRADED)).stdout).toMatch(/Resources:\n +\d+ unchanged\n/);
  });

  test("leaves nothing once it is empty", async () => {
    await update("destroy", "pulumi");
    expect(await accountObjects()).toEqual([]);
  });
});
