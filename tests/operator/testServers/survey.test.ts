import { leftovers, survey, type StackView } from "../../../operator/testServers/survey";
import { epoch, NOW, object, resource, stackResource } from "./fakes";

function view(name: string, more: Partial<StackView> = {}, updating = false): StackView {
  return { info: { name, updating }, resources: [], ...more };
}

describe("test servers", () => {
  test("are the stacks with an expiry, the next to go first", () => {
    const outputs = { url: "https://bbb-x.example.org", release: "jammy-30" };
    const { servers, kept } = survey(
      [
        view("test-later", { settings: { expires: epoch(120), release: "focal-27" } }),
        view("test-up", {
          resources: [stackResource("test-up", outputs), resource("test-up", "a-server", "1", epoch(60))],
        }),
        view("staging", { resources: [resource("staging", "a-server", "2")] }),
      ],
      [],
      NOW,
    );
    expect(servers).toEqual([
      {
        name: "up",
        stack: "test-up",
        state: "up",
        expires: new Date("2026-11-21T09:00:00Z"),
        created: new Date("2026-11-21T07:00:00Z"),
        url: outputs.url,
        release: "jammy-30",
      },
      {
        name: "later",
        stack: "test-later",
        state: "failed",
        expires: new Date("2026-11-21T10:00:00Z"),
        created: undefined,
        url: undefined,
        release: "focal-27",
      },
    ]);
    expect(kept).toEqual(["staging"]);
  });

  test.each([
    ["its settings", { settings: { expires: epoch(-5) } }, [], "expired"],
    ["its state", { resources: [resource("test-a", "s-server", "1", epoch(-5))] }, [], "expired"],
    ["the cloud's labels", {}, [object("server", "1", { stack: "test-a", expires: epoch(-5) })], "expired"],
    [
      "whichever is later, as after an extension that was cut off",
      { settings: { expires: epoch(30) }, resources: [resource("test-a", "s-server", "1", epoch(-5))] },
      [object("server", "1", { stack: "test-a", expires: epoch(-5) })],
      "failed",
    ],
    [
      "the cloud's, where they are the later ones",
      { settings: { expires: epoch(-30) } },
      [object("volume", "2", { stack: "test-a", expires: epoch(1) })],
      "failed",
    ],
    ["the minute that it is", { settings: { expires: epoch(0) } }, [], "expired"],
  ] as const)("go by %s", (_what, more, objects, state) => {
    expect(survey([view("test-a", more)], objects, NOW).servers).toMatchObject([{ state }]);
  });

  test("that are being updated say so, expired or not", () => {
    const { servers } = survey([view("test-a", { settings: { expires: epoch(-5) } }, true)], [], NOW);
    expect(servers).toMatchObject([{ state: "updating" }]);
  });

  test("whose stack is lost are shown all the same", () => {
    const labels = { stack: "test-a", expires: epoch(-5) };
    const { servers, kept } = survey([], [object("server", "1", labels), object("volume", "2", labels)], NOW);
    expect(servers).toMatchObject([{ name: "a", state: "orphaned", created: NOW }]);
    expect(kept).toEqual([]);
  });

  test("an expiry that cannot be read is none", () => {
    const { servers, orphans, kept } = survey(
      [view("test-a", { settings: { expires: "soon" } })],
      [object("server", "1", { stack: "test-b", expires: "never" })],
      NOW,
    );
    expect([servers, orphans]).toEqual([[], []]);
    expect(kept).toEqual(["test-a", "test-b"]);
  });
});

describe("orphans", () => {
  const known = view("test-a", {
    settings: { expires: epoch(60) },
    resources: [resource("test-a", "bbb-host-server", "1", epoch(60))],
  });

  test("are what no stack has, and what its stack's state lacks", () => {
    const { orphans } = survey(
      [known],
      [
        object("server", "1", { stack: "test-a", expires: epoch(60) }),
        object("volume", "1", { stack: "test-a", expires: epoch(60) }),
        object("server", "3", { stack: "test-b", expires: epoch(-60) }),
      ],
      NOW,
    );
    expect(orphans).toEqual([
      expect.objectContaining({ stack: "test-a", why: "cut off", expired: false }),
      expect.objectContaining({ stack: "test-b", why: "lost", expired: true }),
    ]);
    expect(orphans.map(({ object: { type, id } }) => `${type} ${id}`)).toEqual(["volume 1", "server 3"]);
  });

  test("never lack an expiry or a stack", () => {
    const without = [
      object("volume", "1", { stack: "prod" }),
      object("volume", "2", { expires: epoch(-60) }),
      object("server", "3", { stack: "prod", expires: "" }),
    ];
    const { orphans, kept } = survey([known], without, NOW);
    expect(orphans).toEqual([]);
    expect(kept).toEqual(["prod"]);
  });

  test("are not what an update is making right now", () => {
    const updating = { ...known, info: { name: "test-a", updating: true } };
    expect(
      survey([updating], [object("volume", "7", { stack: "test-a", expires: epoch(60) })], NOW).orphans,
    ).toEqual([]);
  });

  test("record sets are told by their zone, too", () => {
    const rrset = {
      ...resource("test-a", "bbb-a", "bbb-x/A", epoch(60)),
      type: "hcloud:index/zoneRrset:ZoneRrset",
      inputs: { zone: "example.org", labels: {} },
    };
    const labels = { stack: "test-a", expires: epoch(60) };
    const { orphans } = survey(
      [{ ...known, resources: [rrset] }],
      [
        object("record-set", "example.org/bbb-x/A", labels),
        object("record-set", "example.net/bbb-x/A", labels),
      ],
      NOW,
    );
    expect(orphans.map(({ object: { id } }) => id)).toEqual(["example.net/bbb-x/A"]);
  });

  test("a stack is known by the name that its cloud takes", () => {
    const odd = { ...known, info: { name: "test-a_", updating: false } };
    expect(
      survey([odd], [object("server", "1", { stack: "test-a", expires: epoch(60) })], NOW).orphans,
    ).toEqual([]);
  });
});

test("what is left of a stack that goes has its label and an expiry that is over", () => {
  const of = (stack: string, expires: Record<string, string>) => object("volume", "1", { stack, ...expires });
  const objects = [
    of("test-a", { expires: epoch(-1) }),
    of("test-a", { expires: epoch(1) }),
    of("test-a", {}),
    of("test-b", { expires: epoch(-1) }),
  ];
  expect(leftovers("test-a", objects, NOW)).toEqual([objects[0]]);
  expect(leftovers("test-a", objects, new Date(8.64e15))).toEqual(objects.slice(0, 2));
});
