import { Mistake } from "../../../cli/mistake";
import { down, type DownOptions } from "../../../operator/testServers/change";
import { epoch, FakeWorld, object } from "./fakes";

const ifThere = (yes: boolean): DownOptions => ({ force: false, ifThere: yes, confirm: async () => true });

test("a server that is gone is a mistake, but for somebody who only wants it gone", async () => {
  const world = new FakeWorld().add("test-other", epoch(60));
  await expect(down(world, "pr-7", ifThere(false))).rejects.toThrow(
    "there is no test server pr-7: there are other",
  );
  expect(await down(world, "pr-7", ifThere(true))).toMatchObject({ stack: "test-pr-7", outcome: "gone" });
  expect(world.changed).toEqual([]);
});

test("one whose stack is lost is not gone", async () => {
  const world = new FakeWorld();
  world.objects.push(object("server", "1", { stack: "test-pr-7", expires: epoch(60) }));
  await expect(down(world, "pr-7", ifThere(true))).rejects.toThrow(Mistake);
  await expect(down(world, "pr-7", ifThere(true))).rejects.toThrow("reap --orphans");
});

test("one that is there goes", async () => {
  const world = new FakeWorld().add("test-pr-7", epoch(60));
  expect(await down(world, "pr-7", ifThere(true))).toMatchObject({ outcome: "removed" });
});
