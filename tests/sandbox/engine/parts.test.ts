import { Writable } from "node:stream";

import {
  changedPaths,
  covers,
  difference,
  parsePath,
  withIgnoredChanges,
} from "../../../sandbox/engine/diff";
import { Display, emptySummary, renderOutputs, renderSummary } from "../../../sandbox/engine/display";
import { duration } from "../../../sandbox/engine/goal";
import { applyConfig, readProject, type Project } from "../../../sandbox/engine/project";
import { Crypter } from "../../../sandbox/engine/secrets";
import { ASSET, plain, RESOURCE, secret, SIGNATURE, UNKNOWN } from "../../../sandbox/engine/wire";
import { root } from "./support";

describe("property paths", () => {
  test.each([
    ["a", ["a"]],
    ["a.b[0].c", ["a", "b", 0, "c"]],
    ['a["b.c"][*]', ["a", "b.c", "*"]],
    ["*", ["*"]],
  ])("%s", (text, path) => expect(parsePath(text)).toEqual(path));

  test.each(["", "a[", "[x]"])("%j is none", (text) =>
    expect(() => parsePath(text)).toThrow("is not a property path"),
  );

  test("a pattern covers what lies at it and below it", () => {
    expect(covers(["a"], ["a", "b"])).toBe(true);
    expect(covers(["a", "*"], ["a", 3])).toBe(true);
    expect(covers(["a", "*"], ["a"])).toBe(false);
    expect(covers(["a", "b"], ["a", "c"])).toBe(false);
  });
});

describe("differences", () => {
  test("are found at their paths, secrets by what they hold", () => {
    expect(changedPaths({ a: 1, b: [1, 2], c: "x" }, { a: 1, b: [1, 3, 4], d: "y" })).toEqual([
      ["b", 1],
      ["b", 2],
      ["c"],
      ["d"],
    ]);
    expect(changedPaths(secret("a"), "a")).toEqual([]);
    expect(changedPaths({ a: secret({ b: 1 }) }, { a: { b: secret(2) } })).toEqual([["a", "b"]]);
    expect(changedPaths({ a: null }, {})).toEqual([]);
    expect(changedPaths({ a: UNKNOWN }, { a: UNKNOWN })).toEqual([["a"]]);
  });

  test("of assets count by their content", () => {
    const asset = (path: string, hash: string) => ({ [SIGNATURE]: ASSET, path, hash });
    expect(changedPaths(asset("a", "1"), asset("b", "1"))).toEqual([]);
    expect(changedPaths(asset("a", "1"), asset("a", "2"))).toEqual([[]]);
  });

  test("replace by the type's keys and by the program's paths", () => {
    const [old, now] = [
      { size: 1, tags: { a: 1, b: 1 }, __defaults: ["x"] },
      { size: 1, tags: { a: 2, b: 1 }, __defaults: [] },
    ];
    expect(difference(old, now, ["size"], [])).toMatchObject({ changed: ["tags"], replace: [] });
    expect(difference(old, now, ["tags"], [])).toMatchObject({ changed: ["tags"], replace: ["tags"] });
    expect(difference(old, now, [], ["tags.b"])).toMatchObject({ changed: ["tags"], replace: [] });
    expect(difference(old, now, [], ["tags[*]"])).toMatchObject({ changed: ["tags"], replace: ["tags"] });
  });

  test("that are ignored keep the old value, or its absence", () => {
    const old = { a: 1, list: [1, 2], map: { x: 1 } };
    const now = { a: 2, b: 2, list: [3, 4], map: { x: 2, y: 2 } };
    expect(withIgnoredChanges(now, old, ["a", "b", "list[1]", "map.y"])).toEqual({
      a: 1,
      list: [3, 2],
      map: { x: 2 },
    });
    expect(withIgnoredChanges(now, old, ["*"])).toBe(old);
    expect(withIgnoredChanges({}, old, ["map.x", "a"])).toEqual({ map: { x: 1 }, a: 1 });
    expect(() => withIgnoredChanges(now, old, ["map.*"])).toThrow("wildcard");
  });
});

test("a driver sees plain values", () => {
  const reference = { [SIGNATURE]: RESOURCE, urn: "urn:x", id: "7" };
  expect(plain({ a: secret({ b: secret(1) }), r: reference, list: [secret("x")] })).toEqual({
    a: { b: 1 },
    r: "7",
    list: ["x"],
  });
});

test.each([
  ["", undefined],
  ["10m", 600],
  ["1h30m", 5400],
  ["1.5s", 1.5],
  ["500ms", 0.5],
])("the duration %j", (text, seconds) => expect(duration(text)).toBe(seconds));
test("no duration", () => expect(() => duration("10")).toThrow('"10" is not a duration such as "20m"'));

describe("encryption", () => {
  test("is authenticated, and opens only with its passphrase", () => {
    const crypter = new Crypter("pass");
    const sealed = crypter.seal({ a: secret({ b: "hidden" }), c: "open" });
    expect(JSON.stringify(sealed)).not.toContain("hidden");
    expect(new Crypter("pass", crypter.salt).open(sealed)).toEqual({ a: secret({ b: "hidden" }), c: "open" });
    expect(() => new Crypter("word", crypter.salt)).toThrow();
    const [version, nonce, data = ""] = crypter.encrypt("x").split(":");
    const flipped = Buffer.from(data, "base64");
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    expect(() => crypter.decrypt(`${version}:${nonce}:${flipped.toString("base64")}`)).toThrow();
  });
});

test("the program's own Pulumi.yaml: it is loaded as it is, and what is compiled is kept", () => {
  expect(readProject(root)).toMatchObject({
    main: "./index.ts",
    typescript: false,
    nodeArgs: ["--require", "./scripts/lib/load.cjs", "--require", "./scripts/lib/sdk.cjs"],
  });
});

describe("Pulumi.yaml's config", () => {
  const project: Project = {
    name: "p",
    main: "./index.ts",
    typescript: true,
    nodeArgs: [],
    declarations: {
      domain: { type: "string" },
      email: { type: "string" },
      zone: {},
      size: { type: "integer", default: 10 },
      on: { type: "boolean", default: false },
      networks: { type: "array", items: { type: "string" } },
      word: { type: "string", secret: true, default: "x" },
      "hcloud:pollInterval": { value: "1s" },
    },
  };
  const given = { domain: "d", email: "e", zone: "z", networks: [] };

  test("every missing key in one error, in the CLI's words", () => {
    expect(() => applyConfig(project, "dev", {})).toThrow(
      "Stack 'dev' is missing configuration values 'domain', 'email', 'networks' and 'zone'",
    );
    const { email: _email, ...others } = given;
    expect(() => applyConfig(project, "dev", others)).toThrow(
      "Stack 'dev' is missing configuration value 'email'",
    );
    expect(_email).toBe("e");
  });

  test("defaults, names and texts as the program gets them", () => {
    const { values, secretKeys } = applyConfig(project, "dev", {
      ...given,
      networks: ["a", "b"],
      extra: { a: 1 },
    });
    expect(values).toEqual({
      "p:domain": "d",
      "p:email": "e",
      "p:zone": "z",
      "p:size": "10",
      "p:on": "false",
      "p:networks": '["a","b"]',
      "p:word": "x",
      "p:extra": '{"a":1}',
      "hcloud:pollInterval": "1s",
    });
    expect(secretKeys).toEqual(["p:word"]);
  });

  test("a secret inside a setting makes a secret of the whole, and the program gets its text", () => {
    const { values, secretKeys } = applyConfig(project, "dev", {
      ...given,
      extra: { a: { secure: "x" }, b: [1, { secure: "y" }] },
    });
    expect(values["p:extra"]).toBe('{"a":"x","b":[1,"y"]}');
    expect(secretKeys).toEqual(["p:word", "p:extra"]);
  });

  test.each([
    ["size", "ten", "integer"],
    ["size", 1.5, "integer"],
    ["on", "yes", "boolean"],
    ["networks", "a", "array<string>"],
    ["networks", [1], "array<string>"],
    ["domain", ["d"], "string"],
  ])("%s = %j has the wrong type", (key, value, type) => {
    expect(() => applyConfig(project, "dev", { ...given, [key]: value })).toThrow(
      `Stack 'dev' with configuration key '${key}' must be of type '${type}'`,
    );
  });

  test.each([
    ["size", "12"],
    ["on", "true"],
    ["domain", 12],
  ])("%s = %j will do, since a stack's file has only texts", (key, value) => {
    expect(() => applyConfig(project, "dev", { ...given, [key]: value })).not.toThrow();
  });

  test("this project's own file is understood", () => {
    const { name, main, declarations } = readProject(root);
    expect({ name, main }).toEqual({ name: "bigbluebutton", main: "./index.ts" });
    expect(declarations.domain).toMatchObject({ type: "string" });
  });
});

describe("the display", () => {
  test("sums up as the CLI does", () => {
    const summary = { ...emptySummary(), created: 2, updated: 1, replaced: 1, deleted: 3, unchanged: 4 };
    expect(renderSummary(summary, false)).toBe(
      "Resources:\n    + 2 created\n    ~ 1 updated\n    - 3 deleted\n    +-1 replaced\n    7 changes. 4 unchanged",
    );
    expect(renderSummary({ ...emptySummary(), created: 2 }, true)).toBe("Resources:\n    + 2 to create");
    expect(renderSummary({ ...emptySummary(), unchanged: 9 }, false)).toBe("Resources:\n    9 unchanged");
  });

  test("shows outputs that are a line each, and of secrets and others the names", () => {
    const outputs = { url: "u", secret: secret("x"), deep: { a: secret("x") }, n: 1, key: "k".repeat(200) };
    expect(renderOutputs(outputs)).toBe("    n  : 1\n    url: u\n    and deep, key, secret");
  });

  test("folds no word at the end of a terminal's line, and leaves a log's lines whole", () => {
    const shown = (more: object) => {
      let text = "";
      const out = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          text += chunk.toString();
          done();
        },
      });
      new Display(Object.assign(out, more), false).line(`    bbb-verify: ${"word ".repeat(20)}end`);
      return text.trimEnd().split("\n");
    };
    expect(shown({})).toHaveLength(1);
    const folded = shown({ isTTY: true, columns: 80 });
    expect(folded.map((line) => line.length <= 80)).toEqual([true, true]);
    expect(folded[1]).toMatch(/^ {8}word /);
  });

  test("says each problem once, under the resource that it concerns", () => {
    let text = "";
    const out = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        text += chunk.toString();
        done();
      },
    });
    const display = new Display(out, false);
    const urn = "urn:pulumi:dev::p::test:index:Group$hcloud:index/server:Server::web";
    display.error(urn, "two\nlines\n");
    display.error(urn, "two\nlines\n");
    display.info(urn, "a page\nof two");
    display.warning("", "look");
    display.end({});
    expect(text).toContain(
      "Diagnostics:\n  hcloud:index:Server (web):\n    error: two\n    lines\n    a page\n    of two\n  the program:\n    warning: look\n",
    );
    expect(display.errors).toEqual(["two\nlines\n"]);
  });
});
