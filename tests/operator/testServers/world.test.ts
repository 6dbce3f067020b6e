import { Mistake } from "../../../cli/mistake";
import type { StackSettings } from "../../../cli/stackFiles";
import { look, type World } from "../../../operator/testServers/world";
import { epoch, FakeWorld, object } from "./fakes";

const like = { cloud: "hetzner" };

/** World with credentials for AWS only. */
function withoutToken(world: FakeWorld): World {
  return {
    ...world,
    stacks: world.stacks,
    like: async () => like,
    inventories: async (settings: readonly StackSettings[]) => {
      if (settings.includes(like)) throw new Mistake("there is no token");
      return [world.inventory];
    },
  };
}

test("what the known ones use is enough, but it is said where nobody looked", async () => {
  const world = new FakeWorld().add("test-a", epoch(60));
  const { servers } = await look(withoutToken(world));
  expect(servers.map(({ name }) => name)).toEqual(["a"]);
  expect(world.said).toEqual(["not looked everywhere for what belongs to no stack: there is no token"]);
});

test("where none is known, there is nowhere else to look", async () => {
  await expect(look(withoutToken(new FakeWorld()))).rejects.toThrow("there is no token");
});

test("credentials that only one stack needs keep nobody from the others", async () => {
  const world = new FakeWorld().add("test-a", epoch(60)).add("test-b", epoch(60));
  const needy = world.known.get("test-a")!.settings;
  const { views, problems, inventories } = await look({
    ...world,
    stacks: world.stacks,
    inventories: async (settings: readonly StackSettings[]) => {
      if (settings.includes(needy)) throw new Mistake("there is no token");
      return [world.inventory];
    },
  });
  expect(problems).toEqual(["stack test-a can't be looked at: there is no token"]);
  expect(views.map(({ unread }) => unread?.message)).toEqual(["there is no token", undefined]);
  expect(inventories).toEqual([world.inventory]);
});

test("a stack that goes while it is looked at is not there", async () => {
  const world = new FakeWorld().add("test-a", epoch(60)).add("test-b", epoch(60));
  const { resources } = world.stacks;
  world.stacks.resources = async (stack) => {
    world.known.delete("test-a");
    return resources(stack);
  };
  world.objects = [];
  expect((await look(world)).servers.map(({ name }) => name)).toEqual(["b"]);
});

test("another stack is asked only where the cloud has an expiry of it", async () => {
  const world = new FakeWorld().add("staging", undefined).add("odd", epoch(60));
  world.objects.push(object("server", "9", { stack: "test-lost", expires: epoch(60) }));
  const { servers, kept } = await look(world);
  expect(servers.map(({ stack }) => stack).sort()).toEqual(["odd", "test-lost"]);
  expect(kept).toEqual(["staging"]);
  expect(world.calls.filter((call) => call.includes("staging"))).toEqual([]);
});
