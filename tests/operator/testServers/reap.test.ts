import type { Inventory } from "../../../operator/inventory";
import { Mistake } from "../../../cli/mistake";
import { reap, type Due, type ReapOptions } from "../../../operator/testServers/reap";
import type { World } from "../../../operator/testServers/world";
import { epoch, fakePoolServer, FakeWorld, NOW, object, resource } from "./fakes";

let asked: Due[];
beforeEach(() => (asked = []));

function options(more: Partial<ReapOptions> = {}): ReapOptions {
  return {
    orphans: false,
    remove: false,
    expiredOnly: false,
    waitSeconds: 20,
    confirm: async (due) => {
      asked.push(due);
      return true;
    },
    ...more,
  };
}

const outcomes = (result: Awaited<ReturnType<typeof reap>>) =>
  Object.fromEntries(result.servers.map(({ stack, outcome }) => [stack, outcome]));

test("removes what has expired, and nothing else", async () => {
  const world = new FakeWorld()
    .add("test-old", epoch(-1))
    .add("test-new", epoch(60))
    .add("staging", undefined);
  const before = world.objects.filter(({ labels }) => labels.stack !== "test-old");
  const result = await reap(world, options());
  expect(outcomes(result)).toEqual({ "test-old": "removed" });
  expect(result).toMatchObject({ clean: true, kept: ["staging"], orphans: [], orphansUnseen: 0 });
  expect(world.changed).toEqual(["destroy test-old", "remove test-old"]);
  expect(world.objects).toEqual(before);
  expect(asked.map(({ servers }) => servers.map(({ name }) => name))).toEqual([["old"]]);
});

test("a pool in use stays: it is waited for, then left to a later one, and does not stop the others", async () => {
  const world = new FakeWorld().add("test-pool", epoch(-2)).add("test-old", epoch(-1));
  const server = fakePoolServer("n-1", 1);
  const pool = (stack: string) => (stack === "test-pool" ? [fakePoolServer("n-2"), server] : undefined);
  const result = await reap(world, options({ pool }));
  expect(outcomes(result)).toEqual({ "test-pool": "busy", "test-old": "removed" });
  expect(result.servers[0]!.reason).toBe(
    "pool is in use, n-1: 1 meeting (2 people): nothing of it was removed",
  );
  expect(result.clean).toBe(false);
  expect(world.slept).toEqual([5, 5, 5, 5]);
  expect(world.changed).toEqual(["destroy test-old", "remove test-old"]);
  await server.endMeetings();
  world.meanwhile = server.atLast;
  expect(outcomes(await reap(world, options({ pool })))).toEqual({ "test-pool": "removed" });
});

test("asks for nothing where nothing is to be removed", async () => {
  const world = new FakeWorld().add("test-new", epoch(60));
  expect(await reap(world, options())).toMatchObject({ clean: true, servers: [] });
  expect(asked).toEqual([]);
});

test("removes nothing without consent, and says that something is left", async () => {
  const world = new FakeWorld().add("test-old", epoch(-1));
  const result = await reap(world, options({ confirm: async () => false }));
  expect(result).toMatchObject({ clean: false, servers: [] });
  expect(world.changed).toEqual([]);
});

test("one that does not go does not stop the others", async () => {
  const world = new FakeWorld().add("test-a", epoch(-3)).add("test-b", epoch(-2)).add("test-c", epoch(-1));
  world.stubborn.set("test-a", "the API is on fire");
  const result = await reap(world, options());
  expect(outcomes(result)).toEqual({ "test-a": "failed", "test-b": "removed", "test-c": "removed" });
  expect(result.servers[0]?.reason).toContain("the API is on fire");
  expect(result.clean).toBe(false);
});

test("one that another reap is at work on is waited for, and gone is gone", async () => {
  const world = new FakeWorld().add("test-a", epoch(-2)).add("test-b", epoch(-1));
  world.busy.add("test-a");
  world.meanwhile = () => {
    if (world.slept.length === 2) world.known.delete("test-a");
  };
  const result = await reap(world, options());
  expect(outcomes(result)).toEqual({ "test-a": "gone", "test-b": "removed" });
  expect(result.clean).toBe(true);
  expect(world.slept).toEqual([5, 5]);
  expect(world.said).toContainEqual(expect.stringMatching(/test-a is locked.*waiting for it up to 20 s/));
});

test("whatever fails because another reap was faster is no failure", async () => {
  const world = new FakeWorld().add("test-a", epoch(-2));
  world.stacks.destroy = async () => {
    world.known.delete("test-a");
    throw new Error("failed to load checkpoint: EOF");
  };
  expect(await reap(world, options())).toMatchObject({ clean: true, servers: [{ outcome: "gone" }] });
});

test("one that was busy is removed once it is free", async () => {
  const world = new FakeWorld().add("test-a", epoch(-2));
  world.busy.add("test-a");
  world.meanwhile = () => world.busy.delete("test-a");
  expect(outcomes(await reap(world, options()))).toEqual({ "test-a": "removed" });
});

test("one that stays busy is named in the end", async () => {
  const world = new FakeWorld().add("test-a", epoch(-2));
  world.busy.add("test-a");
  const result = await reap(world, options());
  expect(result).toMatchObject({ clean: false, servers: [{ stack: "test-a", outcome: "busy" }] });
  expect(result.servers[0]?.reason).toContain("stack test-a is locked");
  expect(world.slept).toEqual([5, 5, 5, 5]);
});

test.each([
  ["hcloud:index/volume:Volume", { labels: { project: "bigbluebutton" } }],
  ["hcloud:index/volume:Volume", { labels: { expires: "never" } }],
  ["aws:ebs/volume:Volume", { tags: {} }],
  ["aws:ebs/volume:Volume", {}],
])("one with a lasting volume stays, and the others go: %s %j", async (type, inputs) => {
  const world = new FakeWorld().add("test-a", epoch(-2)).add("test-b", epoch(-1));
  world.known.get("test-a")!.resources.push({ ...resource("test-a", "bbb-data", "4711"), type, inputs });
  const result = await reap(world, options());
  expect(outcomes(result)).toEqual({ "test-a": "failed", "test-b": "removed" });
  expect(result.servers[0]?.reason).toMatch(
    /^volume bbb-data \(4711\) has no expiry, .* test-server down a /,
  );
  expect(world.changed).toEqual(["destroy test-b", "remove test-b"]);
});

test("one whose volume at AWS has its expiry goes", async () => {
  const world = new FakeWorld().add("test-a", epoch(-2));
  const inputs = { tags: { expires: epoch(-2) } };
  const volume = { ...resource("test-a", "bbb-data", "vol-1"), type: "aws:ebs/volume:Volume", inputs };
  world.known.get("test-a")!.resources.push(volume);
  expect(outcomes(await reap(world, options()))).toEqual({ "test-a": "removed" });
});

test("one that was extended while the question stood is kept", async () => {
  const world = new FakeWorld().add("test-a", epoch(-2));
  const confirm = async () => {
    world.known.get("test-a")!.settings = { expires: epoch(60) };
    return true;
  };
  const result = await reap(world, options({ confirm }));
  expect(result).toMatchObject({ clean: true, servers: [{ outcome: "extended" }] });
  expect(world.changed).toEqual([]);
});

test("one without any resource yet goes, too: its settings are on record", async () => {
  const world = new FakeWorld();
  world.known.set("test-a", { settings: { expires: epoch(-1) }, resources: [], outputs: {} });
  expect(outcomes(await reap(world, options()))).toEqual({ "test-a": "removed" });
  expect(world.known.size).toBe(0);
});

describe("what a killed update left of an expired stack", () => {
  const cutOff = object("firewall", "half", { stack: "test-a", expires: epoch(-1) });

  test("goes with it, untold", async () => {
    const world = new FakeWorld().add("test-a", epoch(-1));
    world.objects.push(cutOff);
    const result = await reap(world, options());
    expect(result).toMatchObject({ clean: true, orphansUnseen: 0 });
    // First, since the engine would wait in vain for what this holds.
    expect(world.changed).toEqual(["settle test-a", "remove half", "destroy test-a", "remove test-a"]);
    expect(world.objects).toEqual([]);
  });

  test("stays where it turns out to be in the state by now", async () => {
    const world = new FakeWorld().add("test-a", epoch(-1));
    world.objects.push(cutOff);
    const { settle } = world.stacks;
    world.stacks.settle = async (stack) => {
      await settle(stack);
      const late = {
        ...resource(stack, "bbb-host-volume", "half", epoch(-1)),
        type: "hcloud:index/firewall:Firewall",
      };
      world.known.get(stack)!.resources.push(late);
    };
    await reap(world, options());
    expect(world.changed).toEqual(["settle test-a", "destroy test-a", "remove test-a"]);
  });

  test("is left alone while an update may be making it", async () => {
    const world = new FakeWorld().add("test-a", epoch(-1));
    world.objects.push(cutOff);
    world.stacks.list = async () => [{ name: "test-a", updating: false }];
    world.busy.add("test-a");
    expect(outcomes(await reap(world, options({ waitSeconds: 0 })))).toEqual({ "test-a": "busy" });
    expect(world.objects).toContain(cutOff);
  });

  test("keeps the stack where it stays, so that the next reap finds it", async () => {
    const world = new FakeWorld().add("test-a", epoch(-1));
    world.objects.push({ ...cutOff, protected: true });
    const result = await reap(world, options());
    expect(result).toMatchObject({
      clean: false,
      servers: [{ outcome: "failed", reason: expect.stringContaining("it is protected") }],
    });
    expect([...world.known.keys()]).toEqual(["test-a"]);
  });
});

describe("orphans", () => {
  const lost = (expires: string | undefined, id = "9") =>
    object("server", id, { stack: "test-lost", ...(expires && { expires }) });

  test("are counted, and shown only when asked for", async () => {
    const world = new FakeWorld();
    world.objects = [lost(epoch(-1)), lost(epoch(60), "10")];
    expect(await reap(world, options())).toMatchObject({ orphans: [], orphansUnseen: 2, clean: true });
    expect((await reap(world, options({ orphans: true, expiredOnly: true }))).orphans).toHaveLength(1);
    const shown = await reap(world, options({ orphans: true }));
    expect(shown.orphans.map(({ removed }) => removed)).toEqual([false, false]);
    expect(shown).toMatchObject({ orphansUnseen: 0, clean: false });
    expect(asked).toEqual([]);
    expect(world.changed).toEqual([]);
  });

  test("whose time is not up are shown without alarm", async () => {
    const world = new FakeWorld();
    world.objects = [lost(epoch(60))];
    expect((await reap(world, options({ orphans: true }))).clean).toBe(true);
  });

  test("are removed when told, after consent", async () => {
    const world = new FakeWorld().add("prod", undefined);
    const prod = [...world.objects];
    world.objects.push(lost(epoch(-1)), lost(epoch(60), "10"), lost(undefined, "11"));
    const told = options({ orphans: true, remove: true });
    expect(await reap(world, { ...told, confirm: async () => false })).toMatchObject({ clean: false });
    expect(world.changed).toEqual([]);
    const result = await reap(world, told);
    expect(result).toMatchObject({ clean: true, orphans: [{ removed: true }, { removed: true }] });
    expect(result.kept).toEqual(["prod", "test-lost"]);
    expect(world.changed).toEqual(["remove 9 10"]);
    expect(world.objects.map(({ id }) => id)).toEqual([...prod.map(({ id }) => id), "11"]);
    expect(asked[0]?.orphans).toHaveLength(2);
  });

  test("that stay are told with the reason", async () => {
    const world = new FakeWorld();
    world.objects = [{ ...lost(epoch(-1)), protected: true }];
    const result = await reap(world, options({ orphans: true, remove: true }));
    expect(result).toMatchObject({ clean: false, orphans: [{ removed: false, problem: "it is protected" }] });
  });

  test("are removed in their own region, whose word alone counts", async () => {
    const world = new FakeWorld();
    const inRegion = (region: string, problem?: string): Inventory => ({
      cloud: "aws",
      region,
      list: async () => [{ ...lost(epoch(-1), region), cloud: "aws", region }],
      remove: async (objects) => {
        world.calls.push(`remove ${objects.map(({ id }) => id).join(" ")} in ${region}`);
        return objects.map((one) => ({ object: one, ...(problem && { problem }) }));
      },
    });
    const regions = [inRegion("eu-central-1"), inRegion("eu-west-1", "UnauthorizedOperation")];
    const result = await reap(
      { ...world, stacks: world.stacks, inventories: async () => regions },
      options({ orphans: true, remove: true }),
    );
    expect(world.changed).toEqual(["remove eu-central-1 in eu-central-1", "remove eu-west-1 in eu-west-1"]);
    expect(result.orphans.map(({ object, removed }) => [object.region, removed])).toEqual([
      ["eu-central-1", true],
      ["eu-west-1", false],
    ]);
    expect(result.clean).toBe(false);
  });

  test("of a stack that lives are removed once nothing of it is under way", async () => {
    const world = new FakeWorld().add("test-a", epoch(60));
    world.objects.push(object("volume", "half", { stack: "test-a", expires: epoch(60) }));
    const result = await reap(world, options({ orphans: true, remove: true }));
    expect(result).toMatchObject({ clean: true, orphans: [{ why: "cut off", removed: true }] });
    expect(world.changed).toEqual(["settle test-a", "remove half"]);
  });

  test("of a stack that is locked stay, as an update may be making them", async () => {
    const world = new FakeWorld().add("test-a", epoch(60));
    world.objects.push(object("volume", "half", { stack: "test-a", expires: epoch(60) }));
    // As with a bucket for a backend, which does not tell before it is asked to update.
    world.stacks.list = async () => [{ name: "test-a", updating: false }];
    world.busy.add("test-a");
    const result = await reap(world, options({ orphans: true, remove: true }));
    expect(result.orphans).toMatchObject([{ removed: false, problem: expect.stringContaining("locked") }]);
    expect(world.objects.map(({ id }) => id)).toContain("half");
  });

  test("that turn out to be in the state are kept", async () => {
    const world = new FakeWorld().add("test-a", epoch(60));
    world.objects.push(object("volume", "half", { stack: "test-a", expires: epoch(60) }));
    const confirm = async () => {
      world.known.get("test-a")!.resources.push(resource("test-a", "late-volume", "half", epoch(60)));
      return true;
    };
    const result = await reap(world, options({ orphans: true, remove: true, confirm }));
    expect(result.orphans).toMatchObject([{ removed: false, problem: "its stack has it after all" }]);
    expect(world.objects.map(({ id }) => id)).toContain("half");
  });
});

describe("what can't be looked at", () => {
  /** World with a working Hetzner, and with AWS, whose credentials are no longer valid. */
  const failing = (world: FakeWorld): World => ({
    ...world,
    stacks: world.stacks,
    inventories: async () => [
      world.inventory,
      {
        cloud: "aws",
        region: "eu-west-1",
        list: () => Promise.reject(new Mistake("the credentials have expired")),
        remove: async () => [],
      },
    ],
  });

  test("is a stack: it is named and stays, with all it has, and the others go", async () => {
    const world = new FakeWorld().add("test-a", epoch(-2)).add("test-b", epoch(-1));
    world.objects.push(object("firewall", "half", { stack: "test-a", expires: epoch(-2) }));
    const { settings } = world.stacks;
    world.stacks.settings = (stack) =>
      stack === "test-a" ? Promise.reject(new Mistake("incorrect passphrase")) : settings(stack);
    const result = await reap(world, options({ orphans: true, remove: true }));
    const problem = "stack test-a can't be looked at: incorrect passphrase";
    expect(result).toMatchObject({ clean: false, problems: [problem], orphans: [], kept: [] });
    expect(outcomes(result)).toEqual({ "test-b": "removed" });
    expect(world.said).toContain(problem);
    expect(world.changed).toEqual(["destroy test-b", "remove test-b"]);
  });

  test("is a state: what is at the cloud is not taken for lost", async () => {
    const world = new FakeWorld().add("test-a", epoch(-2)).add("test-b", epoch(-1));
    const { resources } = world.stacks;
    world.stacks.resources = (stack) =>
      stack === "test-a" ? Promise.reject(new Error("no such bucket")) : resources(stack);
    const result = await reap(world, options({ orphans: true, remove: true }));
    expect(result).toMatchObject({ clean: false, orphans: [] });
    expect(result.problems).toEqual(["stack test-a can't be looked at: no such bucket"]);
    expect(world.changed).toEqual(["destroy test-b", "remove test-b"]);
  });

  test("is a cloud: what may have something there stays, and the others go", async () => {
    const world = new FakeWorld().add("test-a", epoch(-2)).add("test-b", epoch(-1));
    Object.assign(world.known.get("test-a")!.settings, { turnCloud: "aws", turnLocation: "eu-west-1" });
    const result = await reap(failing(world), options());
    expect(outcomes(result)).toEqual({ "test-a": "failed", "test-b": "removed" });
    expect(result.servers[0]?.reason).toBe(
      "what it has at aws eu-west-1 is not known: the credentials have expired",
    );
    expect(result).toMatchObject({
      clean: false,
      problems: ["aws eu-west-1 can't be looked at: the credentials have expired"],
    });
    expect(world.changed).toEqual(["destroy test-b", "remove test-b"]);
  });

  test("is every cloud: that is an error", async () => {
    const world = new FakeWorld().add("test-a", epoch(-2));
    world.inventory.list = () => Promise.reject(new Mistake("the token is not taken"));
    await expect(reap(failing(world), options())).rejects.toThrow("the token is not taken");
    expect(world.changed).toEqual([]);
  });
});

describe("once it is interrupted", () => {
  const reason = "interrupted before it was begun";

  test("no other stack is destroyed, and each that is left is named", async () => {
    const world = new FakeWorld().add("test-a", epoch(-2)).add("test-b", epoch(-1));
    const { destroy } = world.stacks;
    world.stacks.destroy = async (stack) => {
      world.stopped = true;
      return destroy(stack);
    };
    const result = await reap(world, options());
    expect(outcomes(result)).toEqual({ "test-a": "removed", "test-b": "failed" });
    expect(result).toMatchObject({ clean: false, servers: [{}, { reason }] });
    expect(world.changed).toEqual(["destroy test-a", "remove test-a"]);
  });

  test("one is not destroyed whose remains were just removed", async () => {
    const world = new FakeWorld().add("test-a", epoch(-1));
    world.objects.push(object("firewall", "half", { stack: "test-a", expires: epoch(-1) }));
    const { settle } = world.stacks;
    world.stacks.settle = async (stack) => {
      world.stopped = true;
      return settle(stack);
    };
    expect(await reap(world, options())).toMatchObject({ clean: false, servers: [{ reason }] });
    expect(world.changed).toEqual(["settle test-a"]);
  });

  test("nobody is waited for, nor tried again", async () => {
    const world = new FakeWorld().add("test-a", epoch(-2));
    world.busy.add("test-a");
    world.meanwhile = () => {
      world.busy.clear();
      world.stopped = true;
    };
    expect(outcomes(await reap(world, options()))).toEqual({ "test-a": "busy" });
    expect(world.slept).toEqual([5]);
  });

  test("no orphan is removed", async () => {
    const world = new FakeWorld().add("test-a", epoch(60));
    world.objects.push(
      object("volume", "half", { stack: "test-a", expires: epoch(60) }),
      object("server", "9", { stack: "test-lost", expires: epoch(-1) }),
    );
    const confirm = async () => (world.stopped = true);
    const { orphans, clean } = await reap(world, options({ orphans: true, remove: true, confirm }));
    expect([clean, orphans.map(({ problem }) => problem)]).toEqual([false, [reason, reason]]);
    expect(world.changed).toEqual([]);
  });
});

test("the time is that of the world", async () => {
  const world = new FakeWorld().add("test-a", epoch(60));
  world.time = new Date(NOW.getTime() + 3_600_000);
  expect(outcomes(await reap(world, options()))).toEqual({ "test-a": "removed" });
});
