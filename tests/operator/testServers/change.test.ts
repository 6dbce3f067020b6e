import { ANY_CERTIFICATE } from "../../../bigbluebutton/meetings";
import { Failure, Mistake } from "../../../cli/mistake";
import { changesLabelsOnly, down, extend, up, type UpOptions } from "../../../operator/testServers/change";
import type { Change } from "../../../cli/pulumiEvents";
import type { PoolServer } from "../../../operator/poolServers";
import { epoch, fakePoolServer, FakeWorld, object } from "./fakes";

const like = {
  cloud: "hetzner",
  domain: "school.eu",
  email: "admin@school.eu",
  sshNetworks: ["198.51.100.7/32"],
  environment: "staging",
  hostname: "bbb-staging",
  turnHostname: "turn-staging",
  recordingsGb: 100,
  recordingsVolumeId: "4711",
  serverType: "ccx33",
};
const options = (more: Partial<UpOptions> = {}): UpOptions => ({ set: {}, like: async () => like, ...more });
const outputs = { apiUrl: "https://bbb-x.school.eu/bigbluebutton/api", sharedSecret: "s3cret" };

describe("up", () => {
  test("makes a stack of its own, with host names of its own, that goes in four hours", async () => {
    const world = new FakeWorld();
    const made = await up(world, options());
    expect(made.problem).toBeUndefined();
    expect(made.name).toMatch(/^[a-z][a-z0-9]{5}$/);
    expect(made).toMatchObject({
      stack: `test-${made.name}`,
      url: `https://bbb-${made.name}.school.eu`,
      hosts: [`bbb-${made.name}.school.eu`, `turn-${made.name}.school.eu`],
      release: "jammy-30",
      expires: new Date("2026-11-21T12:00:00Z"),
    });
    expect(world.changed).toEqual([`up ${made.stack}`]);
    expect(world.known.get(made.stack)?.settings).toEqual({
      cloud: "hetzner",
      domain: "school.eu",
      email: "admin@school.eu",
      sshNetworks: ["198.51.100.7/32"],
      environment: "test",
      hostname: `bbb-${made.name}`,
      turnHostname: `turn-${made.name}`,
      acmeServer: "staging",
      expires: epoch(240),
      image: "baked-or-stock",
      turnImage: "baked-or-stock",
    });
  });

  test("takes name, time, release and settings", async () => {
    const world = new FakeWorld();
    const set = { greenlight: true, recordingsGb: 10 };
    const made = await up(world, options({ name: "pr-7", ttl: "30m", release: "noble-40", set }));
    expect(made).toMatchObject({ name: "pr-7", stack: "test-pr-7", release: "noble-40" });
    expect(made.url).not.toContain("pr-7");
    expect(world.known.get("test-pr-7")?.settings).toMatchObject({
      ...set,
      release: "noble-40",
      expires: epoch(30),
    });
  });

  test("says what is missing in one line, before anything is made", async () => {
    const world = new FakeWorld();
    const attempt = up(
      world,
      options({ like: async () => ({ domain: "school.eu" }), set: { release: "x" } }),
    );
    await expect(attempt).rejects.toThrow(Mistake);
    await expect(attempt).rejects.toThrow(
      /^the settings do not do: email is not set; sshNetworks is not set; release must be [^\n]*--set$/,
    );
    expect(world.changed).toEqual([]);
  });

  test("says that credentials are missing before anything is made", async () => {
    const world = new FakeWorld();
    const inventories = () => Promise.reject(new Mistake("there is no token"));
    await expect(up({ ...world, stacks: world.stacks, inventories }, options())).rejects.toThrow(
      "there is no token",
    );
    expect(world.changed).toEqual([]);
  });

  test("that fails leaves a stack that can be found, and tells why", async () => {
    const world = new FakeWorld();
    world.stubborn.set("test-a", "the server type is sold out");
    const made = await up(world, options({ name: "a" }));
    expect(made.problem).toContain("the server type is sold out");
    expect(world.known.get("test-a")?.settings).toMatchObject({ expires: epoch(240) });
  });

  test.each([epoch(30), undefined])(
    "touches nothing of another's of that name, which no stack known here has (expiry %s)",
    async (expires) => {
      for (const resumesKilledUpdates of [false, true]) {
        const world = new FakeWorld();
        Object.assign(world.stacks, { resumesKilledUpdates });
        world.objects = [object("server", "9", { stack: "test-demo", ...(expires && { expires }) })];
        for (let tried = 0; tried < 2; tried++) {
          const made = up(world, options({ name: "demo" }));
          await expect(made).rejects.toThrow(Mistake);
          await expect(made).rejects.toThrow(
            /^--name demo: that name is in use .*server server-9,.* another --name; .*reap --orphans --remove$/,
          );
        }
        expect(world.changed).toEqual([]);
        expect(await up(world, options({ name: "demo-2" }))).toMatchObject({ stack: "test-demo-2" });
      }
    },
  );

  test("goes on with one that was killed before its state had anything", async () => {
    const world = new FakeWorld();
    const settings = { ...like, environment: "test", expires: epoch(30) };
    world.known.set("test-a", { settings, resources: [], outputs: {} });
    world.objects = [object("server", "half", { stack: "test-a", expires: epoch(30) })];
    expect((await up(world, options({ name: "a" }))).problem).toBeUndefined();
    expect(world.changed).toEqual(["settle test-a", "remove half", "up test-a"]);
  });

  describe("of one that is there", () => {
    test("goes on with it, its names and its time", async () => {
      const world = new FakeWorld().add("test-a", epoch(30));
      world.known.get("test-a")!.settings = {
        ...like,
        ...world.known.get("test-a")!.settings,
        domain: "school.eu",
        environment: "test",
      };
      const made = await up(world, options({ name: "a", set: { greenlight: true } }));
      expect(made).toMatchObject({
        url: "https://bbb-test-a.school.eu",
        expires: new Date("2026-11-21T08:30:00Z"),
      });
      expect(world.known.get("test-a")?.settings).toMatchObject({ greenlight: true, hostname: "bbb-test-a" });
      const later = await up(world, options({ name: "a", ttl: "2h" }));
      expect(later.expires).toEqual(new Date("2026-11-21T10:00:00Z"));
    });

    test("gives it time again where that is over", async () => {
      const world = new FakeWorld().add("test-a", epoch(-30));
      world.known.get("test-a")!.settings = { ...like, environment: "test", expires: epoch(-30) };
      expect((await up(world, options({ name: "a" }))).expires).toEqual(new Date("2026-11-21T12:00:00Z"));
    });

    test("clears away what a killed one left half-made, where its engine does not know of it", async () => {
      for (const resumesKilledUpdates of [false, true]) {
        const world = new FakeWorld().add("test-a", epoch(30));
        world.known.get("test-a")!.settings = { ...like, environment: "test", expires: epoch(30) };
        Object.assign(world.stacks, { resumesKilledUpdates });
        const half = ["server", "volume"] as const;
        world.objects.push(
          ...half.map((type) => object(type, "half", { stack: "test-a", expires: epoch(30) })),
        );
        await up(world, options({ name: "a" }));
        expect(world.changed).toEqual(
          resumesKilledUpdates ? ["up test-a"] : ["settle test-a", "remove half", "up test-a"],
        );
        expect(world.objects.filter(({ id }) => id === "half").map(({ type }) => type)).toEqual(
          resumesKilledUpdates ? ["server", "volume"] : ["volume"],
        );
      }
    });

    test("makes nothing once it is interrupted", async () => {
      const world = new FakeWorld().add("test-a", epoch(30));
      world.known.get("test-a")!.settings = { ...like, environment: "test", expires: epoch(30) };
      world.stopped = true;
      await expect(up(world, options({ name: "a" }))).rejects.toThrow("test-a: interrupted before");
      expect(world.changed).toEqual([]);
    });

    test("is refused where it is something else", async () => {
      const world = new FakeWorld().add("test-a", epoch(30)).add("test-mine", undefined);
      await expect(up(world, options({ name: "mine" }))).rejects.toThrow(
        "stack test-mine is there already, and is no test server",
      );
      await expect(up(world, options({ name: "a", release: "noble-40" }))).rejects.toThrow(
        "with another release",
      );
      await expect(up(world, options({ name: "a", cloud: "aws" }))).rejects.toThrow("with another cloud");
      await expect(up(world, options({ name: "a", set: { expires: "1" } }))).rejects.toThrow("leave it out");
      expect(world.changed).toEqual([]);
    });
  });
});

describe("extend", () => {
  const relabel: Change = {
    urn: "u",
    type: "t",
    name: "bbb-host-server",
    step: "update",
    paths: ["labels.expires"],
  };

  test("adds to what is left, by an update of labels only", async () => {
    const world = new FakeWorld().add("test-a", epoch(30));
    world.changes = [relabel, { ...relabel, name: "bbb-host-volume" }];
    expect(await extend(world, "a", "2h")).toMatchObject({ expires: new Date("2026-11-21T10:30:00Z") });
    expect(world.changed).toEqual(["up test-a"]);
    expect(world.known.get("test-a")?.settings).toMatchObject({
      expires: epoch(150),
      hostname: "bbb-test-a",
    });
  });

  test("of one whose time is over counts from now", async () => {
    const world = new FakeWorld().add("test-a", epoch(-30));
    expect(await extend(world, "a", "2h")).toMatchObject({ expires: new Date("2026-11-21T10:00:00Z") });
  });

  test("touches nothing where more than labels would change, and says what", async () => {
    const world = new FakeWorld().add("test-a", epoch(30));
    world.changes = [
      relabel,
      { ...relabel, name: "bbb-install", paths: ["create"] },
      { ...relabel, name: "turn-verify", step: "create", paths: [] },
    ];
    const attempt = extend(world, "a", "2h");
    await expect(attempt).rejects.toThrow(Failure);
    await expect(attempt).rejects.toThrow(/\(update bbb-install, create turn-verify\).*up --name a --ttl 2h/);
    expect(world.changed).toEqual([]);
  });

  test("does not go further than 30 days from now", async () => {
    const world = new FakeWorld().add("test-a", epoch(60));
    await expect(extend(world, "a", "30d")).rejects.toThrow("more than 30 days from now");
  });

  test("knows its servers", async () => {
    const world = new FakeWorld().add("test-a", epoch(60)).add("test-mine", undefined);
    world.objects.push(object("server", "9", { stack: "test-lost", expires: epoch(60) }));
    await expect(extend(world, "b", "2h")).rejects.toThrow("there is no test server b: there are a");
    await expect(extend(world, "mine", "2h")).rejects.toThrow(
      "stack test-mine has no expiry, so it is no test server",
    );
    await expect(extend(world, "lost", "2h")).rejects.toThrow(
      "has no stack here, only resources at the cloud",
    );
    await expect(extend(new FakeWorld(), "b", "2h")).rejects.toThrow(
      "there is no test server b, and no other",
    );
  });

  test("is not kept from one by another that can't be read", async () => {
    const world = new FakeWorld().add("test-a", epoch(60)).add("test-b", epoch(60));
    const { settings } = world.stacks;
    world.stacks.settings = (stack) =>
      stack === "test-b" ? Promise.reject(new Mistake("incorrect passphrase")) : settings(stack);
    expect(await extend(world, "a", "2h")).toMatchObject({ stack: "test-a" });
    await expect(extend(world, "b", "2h")).rejects.toThrow(Mistake);
    await expect(extend(world, "b", "2h")).rejects.toThrow(/^incorrect passphrase$/);
  });

  test.each([
    ["labels", true],
    ["labels.expires", true],
    ["tags.expires", true],
    ["tagsAll.expires", true],
    ["rootBlockDevice.tags.expires", true],
    ["rootBlockDevice[0].tags.expires", true],
    ["name", false],
    ["userData", false],
    ["labelsOfOurs", false],
  ])("an update of %s changes labels only: %s", (path, only) => {
    expect(changesLabelsOnly({ ...relabel, paths: [path] })).toBe(only);
    expect(changesLabelsOnly({ ...relabel, paths: [path, "labels"] })).toBe(only);
    expect(changesLabelsOnly({ ...relabel, paths: [path], step: "replace" })).toBe(false);
  });
});

describe("down", () => {
  const yes = { force: false, confirm: async () => true, meetings: async () => 0 };

  test("removes the server and its stack, before its time", async () => {
    const world = new FakeWorld().add("test-a", epoch(60), outputs).add("test-b", epoch(60));
    world.objects.push(object("firewall", "half", { stack: "test-a", expires: epoch(60) }));
    expect(await down(world, "a", yes)).toEqual({ stack: "test-a", outcome: "removed" });
    expect([...world.known.keys()]).toEqual(["test-b"]);
    expect(world.objects.every(({ labels }) => labels.stack === "test-b")).toBe(true);
  });

  test("keeps it while meetings run on it, unless forced", async () => {
    const world = new FakeWorld().add("test-a", epoch(60), outputs);
    const meetings = jest.fn(async () => 2);
    await expect(down(world, "a", { ...yes, meetings })).rejects.toThrow(
      "2 meetings are running on a: add --force",
    );
    expect(meetings).toHaveBeenCalledWith(outputs.apiUrl, outputs.sharedSecret, ANY_CERTIFICATE);
    await expect(down(world, "a", { ...yes, meetings: async () => 1 })).rejects.toThrow(
      "1 meeting is running on a",
    );
    expect(world.changed).toEqual([]);
    expect(await down(world, "a", { ...yes, meetings, force: true })).toMatchObject({ outcome: "removed" });
    expect(world.said).toContain("test-a: 2 meetings are running, and will be ended");
  });

  test("does not keep one that cannot be asked, but says so", async () => {
    const world = new FakeWorld().add("test-a", epoch(60), outputs).add("test-b", epoch(60));
    const meetings = () => Promise.reject(new Error("no answer within 15 seconds"));
    expect(await down(world, "a", { ...yes, meetings })).toMatchObject({ outcome: "removed" });
    expect(world.said[0]).toBe(
      "test-a: whether meetings run on it is not known: no answer within 15 seconds",
    );
    expect(await down(world, "b", yes)).toMatchObject({ outcome: "removed" });
    expect(world.said).toContainEqual(expect.stringContaining("test-b: its deployment was never completed"));
  });

  describe("of a pool", () => {
    const pool = (...of: PoolServer[]) => ({ ...yes, meetings: neverAsked, pool: () => of });
    const neverAsked = () => Promise.reject(new Error("the balancer was asked"));

    test("asks the servers themselves, and keeps it while anything runs on one", async () => {
      const world = new FakeWorld().add("test-a", epoch(60), outputs);
      await expect(down(world, "a", pool(fakePoolServer("n-1"), fakePoolServer("n-2", 2)))).rejects.toThrow(
        "a is in use, n-2: 2 meetings (4 people): add --force",
      );
      expect(world.changed).toEqual([]);
      expect(await down(world, "a", pool(fakePoolServer("n-1")))).toMatchObject({ outcome: "removed" });
    });

    test("by force ends the meetings, and waits for their end, since the pool's own gate is asked next", async () => {
      const world = new FakeWorld().add("test-a", epoch(60), outputs);
      const server = fakePoolServer("n-1", 1);
      world.meanwhile = server.atLast;
      expect(await down(world, "a", { ...pool(server), force: true })).toMatchObject({ outcome: "removed" });
      expect(server.asked).toEqual(["state", "end", "state", "state"]);
      expect(world.said).toContain("test-a: n-1: 1 meeting (2 people); meetings will be ended");
    });

    test("does not keep one whose servers do not tell, but says so: its own gate is asked next", async () => {
      const world = new FakeWorld().add("test-a", epoch(60), outputs);
      expect(await down(world, "a", pool(fakePoolServer("n-1", "silent")))).toMatchObject({
        outcome: "removed",
      });
      expect(world.said).toContain("test-a: what runs on n-1 is not known: no answer");
    });
  });

  test("needs consent", async () => {
    const world = new FakeWorld().add("test-a", epoch(60), outputs);
    expect(await down(world, "a", { ...yes, confirm: async () => false })).toMatchObject({
      outcome: "failed",
    });
    expect(world.changed).toEqual([]);
  });

  test("takes no stack that is no test server", async () => {
    const world = new FakeWorld().add("staging", undefined).add("test-mine", undefined);
    await expect(down(world, "staging", yes)).rejects.toThrow("there is no test server staging");
    await expect(down(world, "mine", yes)).rejects.toThrow("is no test server");
    expect(world.changed).toEqual([]);
  });

  test("says that an update is at work on it", async () => {
    const world = new FakeWorld().add("test-a", epoch(60), outputs);
    world.busy.add("test-a");
    expect(await down(world, "a", yes)).toMatchObject({
      outcome: "busy",
      reason: expect.stringContaining("locked"),
    });
  });
});
