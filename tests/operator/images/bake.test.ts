import { Failure } from "../../../cli/mistake";
import { bake } from "../../../operator/images/bake";
import { beyond } from "../../../operator/images/prune";
import { installHash } from "../../../steps/installHash";
import { epoch, NOW } from "../testServers/fakes";
import { FakeBakery } from "./fakes";

const STACK = "test-image-jammy-30";

let fake: FakeBakery;
beforeEach(() => (fake = new FakeBakery()));

const run = (more: Parameters<FakeBakery["options"]>[0] = {}) => bake(fake.bakery, fake.options(more));

const ALL = [
  `up ${STACK}`,
  "seal bbb at 203.0.113.11",
  "seal turn at 203.0.113.12",
  "stop bbb",
  "stop turn",
  "take bbb: BigBlueButton 3.0.26 on Ubuntu 22.04",
  "take turn: coturn on Ubuntu 24.04",
  `destroy ${STACK}`,
];

test("a test server is made, sealed, stored and taken down", async () => {
  const baked = await run();
  expect([...fake.done].sort()).toEqual([...ALL].sort());
  expect(fake.done.at(0)).toBe(ALL[0]);
  expect(fake.done.at(-1)).toBe(ALL.at(-1));
  expect(fake.world.known.has(STACK)).toBe(false);
  expect(baked.map(({ role, labels }) => [role, labels])).toEqual([
    [
      "bbb",
      {
        ...{ project: "bigbluebutton", image: "bbb", release: "jammy-30", ubuntu: "22.04", bbb: "3.0.26" },
        ...{ built: epoch(0), scripts: installHash("bbb"), disk: "80", server: "100" },
      },
    ],
    [
      "turn",
      {
        ...{ project: "bigbluebutton", image: "turn", ubuntu: "24.04" },
        ...{ built: epoch(0), scripts: installHash("turn"), disk: "80", server: "101" },
      },
    ],
  ]);
  // Else reap would take the image for a test server's.
  for (const { labels } of baked) expect(Object.keys(labels)).not.toEqual(expect.arrayContaining(["stack"]));
  for (const { labels } of baked) expect(labels).not.toHaveProperty("expires");
});

test("it has the smallest disk with four cores, the cloud's own Ubuntu, an expiry, and no Greenlight", async () => {
  fake.unsealed = "no";
  await expect(run()).rejects.toThrow(Failure);
  const { settings } = fake.world.known.get(STACK)!;
  expect(settings).toMatchObject({ serverType: "cx33", environment: "test", expires: epoch(240) });
  for (const key of ["greenlight", "image", "turnImage"]) expect(settings).not.toHaveProperty(key);
});

test("what the image must not have is handed over: the builder's secrets, names and addresses", async () => {
  await run();
  const { canaries } = fake.seals[0]!;
  expect(Object.values(canaries.secrets)).toEqual([
    "sharedSecretOfTheBuilder",
    "turnSecretOfTheBuilder",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
  ]);
  expect(Object.values(canaries.names)).toEqual([
    "bbb-x.school.eu",
    "turn-x.school.eu",
    "203.0.113.11",
    "203.0.113.12",
  ]);
});

test("one host alone", async () => {
  expect((await run({ roles: ["turn"] })).map(({ role }) => role)).toEqual(["turn"]);
  expect(fake.done.filter((line) => line.includes("bbb"))).toEqual([]);
});

describe("a failure leaves the builder to its expiry, and no image", () => {
  const stays = async (problem: string, how = "stays until its expiry: the same command takes it up") => {
    await expect(run()).rejects.toThrow(problem);
    await expect(run()).rejects.toThrow(`${STACK} ${how}`);
    expect(fake.images).toEqual([]);
    expect(fake.world.known.has(STACK)).toBe(true);
  };

  test("of the deployment", async () => {
    fake.world.stubborn.set(STACK, "the installation failed");
    await stays("the installation failed");
    expect(fake.seals).toEqual([]);
  });

  test("of the seal, that found a secret", async () => {
    fake.unsealed = "the bbb host was not sealed: /srv/x has the shared secret";
    await stays("/srv/x has the shared secret", "stays until its expiry, and can't be logged in to any more");
    expect(fake.done.filter((line) => /^(stop|take)/.test(line))).toEqual([]);
  });

  test("of the cloud, that makes no image", async () => {
    fake.taking = () => ({ made: false, error: new Failure("Hetzner Cloud did not make the snapshot 42") });
    await stays("Hetzner Cloud did not make the snapshot 42");
  });
});

test("an image whose order seemed to fail and did not is taken, and there is no second one", async () => {
  fake.taking = () => ({ made: true, error: new Failure("Hetzner Cloud does not answer") });
  const baked = await run();
  expect(baked).toHaveLength(2);
  expect(fake.images.map(({ id }) => id).sort()).toEqual(baked.map(({ id }) => id).sort());
  expect(fake.done.at(-1)).toBe(`destroy ${STACK}`);
});

describe("a bake that was cut off", () => {
  /** A builder after its update. */
  const deployed = async () => {
    fake.unsealed = "cut off";
    await run().catch(() => undefined);
    fake.unsealed = undefined;
    fake.done.length = 0;
  };
  const labelsOf = (image: string, server: string) => ({ project: "bigbluebutton", image, server });

  test("after the images: they are waited for, and the builder goes", async () => {
    await deployed();
    const images = [fake.put("100", labelsOf("bbb", "100"), false), fake.put("101", labelsOf("turn", "101"))];
    const baked = await run();
    expect(baked.map(({ id }) => id)).toEqual(images.map(({ id }) => id));
    expect(fake.done).toEqual([...images.map(({ id }) => `wait for ${id}`), `destroy ${STACK}`]);
    expect(fake.images).toHaveLength(2);
  });

  test("before the images, with a server that is off: another builder is made", async () => {
    await deployed();
    fake.status("bbb", "off");
    expect(await run()).toHaveLength(2);
    expect(fake.done.slice(0, 2)).toEqual([`destroy ${STACK}`, `up ${STACK}`]);
  });

  test("before the seal: what is installed is not installed again", async () => {
    await deployed();
    expect(await run()).toHaveLength(2);
    expect(fake.done[0]).toBe(`up ${STACK}`);
    expect(fake.done.filter((line) => line.startsWith("destroy"))).toHaveLength(1);
  });

  test("an image of an earlier builder is none of this one's", async () => {
    fake.put("9", labelsOf("bbb", "9"));
    await deployed();
    expect(await run()).toHaveLength(2);
    expect(fake.images).toHaveLength(3);
  });
});

test("prune keeps the newest of each release and host, and counts no broken one", () => {
  const image = (id: string, role: "bbb" | "turn", release: string, available = true) => ({
    ...{ id, role, available, cloud: "hetzner" as const, created: NOW },
    labels: { [role === "bbb" ? "release" : "ubuntu"]: release },
  });
  const newestFirst = [
    image("6", "bbb", "jammy-30", false),
    image("5", "bbb", "jammy-30"),
    image("4", "turn", "24.04"),
    image("3", "bbb", "noble-40"),
    image("2", "bbb", "jammy-30"),
    image("1", "bbb", "jammy-30"),
  ];
  expect(beyond(newestFirst, 1).map(({ id }) => id)).toEqual(["2", "1"]);
  expect(beyond(newestFirst, 2).map(({ id }) => id)).toEqual(["1"]);
  expect(beyond(newestFirst, 3)).toEqual([]);
});
