import * as render from "../../../operator/testServers/render";
import type { ReapResult } from "../../../operator/testServers/reap";
import type { TestServer } from "../../../operator/testServers/survey";
import { NOW, object } from "./fakes";

const server: TestServer = {
  name: "k3x9q2",
  stack: "test-k3x9q2",
  state: "up",
  expires: new Date("2026-11-21T12:00:00Z"),
  created: new Date("2026-11-21T07:30:00.5Z"),
  url: "https://bbb-k3x9q2.school.eu",
  release: "jammy-30",
};
const lost: TestServer = { name: "b", stack: "test-b", state: "orphaned", expires: NOW };

test("a list has names, states and times in both forms", () => {
  expect(render.renderServers([server, lost], NOW)).toBe(
    [
      "name    stack        state     url                           release   created               expires",
      "k3x9q2  test-k3x9q2  up        https://bbb-k3x9q2.school.eu  jammy-30  2026-11-21T07:30:00Z  2026-11-21T12:00:00Z, in 4 h",
      "b       test-b       orphaned  –                             –         –                     2026-11-21T08:00:00Z, now",
    ].join("\n"),
  );
  expect(render.renderServers([], NOW)).toBe("No test servers.");
  expect(render.serverJson(server, NOW)).toEqual({
    name: "k3x9q2",
    stack: "test-k3x9q2",
    state: "up",
    url: "https://bbb-k3x9q2.school.eu",
    release: "jammy-30",
    created: "2026-11-21T07:30:00Z",
    expires: "2026-11-21T12:00:00Z",
    expiresIn: "in 4 h",
  });
  expect(render.serverJson(lost, NOW)).toMatchObject({ url: null, release: null, created: null });
});

test("one that was made tells where it is, when it goes and how", () => {
  const made = {
    name: "a",
    stack: "test-a",
    url: "https://bbb-x.school.eu",
    hosts: ["bbb-x.school.eu", "turn-x.school.eu"],
    release: "jammy-30",
    expires: server.expires,
  };
  expect(render.renderMade(made, "./scripts/test-server --sandbox", NOW)).toBe(
    [
      "test server  a (stack test-a)",
      "url          https://bbb-x.school.eu",
      "names        bbb-x.school.eu, turn-x.school.eu",
      "release      jammy-30",
      "expires      2026-11-21T12:00:00Z, in 4 h",
      "stay longer  ./scripts/test-server --sandbox extend a --ttl 2h",
      "remove       ./scripts/test-server --sandbox down a",
    ].join("\n"),
  );
  expect(render.renderMade({ ...made, problem: "x" }, "t", NOW)).toContain("school.eu (not complete)");
  expect(render.madeJson(made)).toMatchObject({ state: "up", expires: "2026-11-21T12:00:00Z" });
  expect(render.madeJson({ ...made, problem: "sold out" })).toMatchObject({
    state: "failed",
    problem: "sold out",
  });
});

describe("a reap", () => {
  const orphan = {
    object: object("volume", "17", { stack: "test-b" }),
    stack: "test-b",
    why: "lost" as const,
    expires: NOW,
    expired: true,
    removed: false,
  };
  const result: ReapResult = {
    servers: [
      { stack: "test-a", outcome: "removed" },
      { stack: "test-c", outcome: "failed", reason: "sold out" },
    ],
    orphans: [orphan],
    orphansUnseen: 2,
    kept: ["prod", "staging"],
    problems: [],
    clean: false,
  };

  test("tells of each, of what is left, and of what is kept", () => {
    const text = render.renderReap(result, "t", NOW);
    expect(text.split("\n").slice(0, 2)).toEqual(["a: removed", "c: FAILED, sold out"]);
    expect(text).toMatch(/^hetzner +volume +17 +volume-17 +test-b +lost +2026-11-21T08:00:00Z, now$/m);
    expect(text).toContain("To remove them: t reap --orphans --remove");
    expect(text).toContain("2 more resources belong to no stack known here: t reap --orphans shows them");
    expect(text).toMatch(/Kept, as they have no expiry: prod, staging$/);
  });

  test("that found nothing says so", () => {
    const none = { servers: [], orphans: [], orphansUnseen: 0, kept: [], problems: [], clean: true };
    expect(render.renderReap(none, "t", NOW)).toBe("No test server has expired.");
  });

  test("says of each orphan what became of it", () => {
    const orphans = [
      { ...orphan, removed: true },
      { ...orphan, problem: "it is protected" },
    ];
    const text = render.renderReap({ ...result, orphans }, "t", NOW);
    expect(text).toMatch(/now +removed$/m);
    expect(text).toMatch(/now +stays: it is protected$/m);
    expect(text).not.toContain("To remove them");
  });

  test("is one document of plain values", () => {
    expect(render.reapJson(result)).toEqual({
      clean: false,
      servers: [
        { name: "a", stack: "test-a", outcome: "removed" },
        { name: "c", stack: "test-c", outcome: "failed", reason: "sold out" },
      ],
      orphans: [
        {
          cloud: "hetzner",
          type: "volume",
          id: "17",
          name: "volume-17",
          stack: "test-b",
          why: "lost",
          expires: "2026-11-21T08:00:00Z",
          expired: true,
          removed: false,
        },
      ],
      orphansUnseen: 2,
      kept: ["prod", "staging"],
    });
  });

  test("tells what could not be looked at", () => {
    const problems = ["stack test-d can't be looked at: incorrect passphrase"];
    expect(render.renderReap({ ...result, problems }, "t", NOW)).toMatch(
      /^FAILED, stack test-d can't be looked at: incorrect passphrase$/m,
    );
    expect(render.reapJson({ ...result, problems })).toMatchObject({ problems });
  });

  test("asks about what it is going to remove", () => {
    const due = { servers: [server, lost], orphans: [orphan] };
    expect(render.summaryOfDue(due)).toBe("2 expired test servers (k3x9q2, b) and 1 orphaned resource");
    expect(render.summaryOfDue({ ...due, servers: [] })).toBe("1 orphaned resource");
    expect(render.renderDue(due, NOW)).toMatch(/^Expired test servers:\nname .*\n[^]*volume-17/);
  });
});
