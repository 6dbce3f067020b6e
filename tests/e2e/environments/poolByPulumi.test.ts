/** The gate of a pool by the real engine: the removal of a membership that fails must keep the server. */
import { accountObjects } from "../support/account";
import {
  apiOf,
  BALANCER,
  call,
  endOn,
  meetingsOn,
  node,
  openOn,
  poolOf,
  poolOutputs,
  TURN,
} from "../support/pool";
import { engineMissing, must, testUnless, tryUpdate, update } from "../support/sandbox";

const missing = engineMissing("pulumi");
const test = testUnless(missing);
const up = (servers: number, more: readonly string[] = []) => update("up", "pulumi", poolOf(servers, more));
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

  test("lets the server go after the meeting's end, and nothing else changes", async () => {
    await endOn(2);
    await up(1);
    expect(await servers()).toEqual([node(1), BALANCER, TURN].sort());
    expect((await up(1)).stdout).toMatch(/Resources:\n +\d+ unchanged\n/);
  });

  test("leaves nothing once it is empty", async () => {
    await update("destroy", "pulumi");
    expect(await accountObjects()).toEqual([]);
  });
});
