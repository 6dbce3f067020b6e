import { docComments, filesOf, ROOMS } from "./docComments";

/** First words of comments that read as riddles until the code is read. */
const RIDDLE = /^(What|Whether|Who|Whom|Whose|How|Where|As|Of|Those)\b/;

/** One comment in so many may be one. */
const ONE_IN = 50;

/** Riddles among comments; none while they are few enough. */
function tooMany(comments: readonly (readonly [path: string, words: string])[]): string[] {
  const riddles = comments.filter(([, words]) => RIDDLE.test(words));
  return riddles.length * ONE_IN <= comments.length
    ? []
    : riddles.map(([path, words]) => `${path}: ${words.split("\n", 1)[0]}`);
}

test.each(ROOMS)(
  "at most two in a hundred doc comments of the room %j begin with What, Whether, Who, How, Where, As, Of or Those",
  (room) => {
    const comments = filesOf(room).flatMap((path) =>
      docComments(path).map((words) => [path, words] as const),
    );
    expect(comments.length).toBeGreaterThan(0);
    expect(tooMany(comments)).toEqual([]);
  },
);

test("a room with more of them is told of each", () => {
  const good = Array.from({ length: 49 }, () => ["a.ts", "Address of a host."] as const);
  const riddle = ["b.ts", "Whether it is on.\n\nIt may be."] as const;
  expect(tooMany([...good, riddle])).toEqual([]);
  expect(tooMany([...good, riddle, riddle])).toEqual(["b.ts: Whether it is on.", "b.ts: Whether it is on."]);
  expect(tooMany([...good.slice(1), riddle])).toEqual(["b.ts: Whether it is on."]);
});

test("TypeScript's comments are those in front of its nodes", () => {
  const text = `/** What a module is. */
import a from "a";

/**
 * Of several lines.
 *
 * @param a Not counted.
 */
export function f(/** How it is. */ a: string): string {
  // What is no doc comment.
  return \`/** Text of a template. */ \${a}\`;
}

/** @returns a comment of tags alone */
class C {
  /** A member. */
  readonly b = "/** Text. */";
}
`;
  expect(docComments("a.ts", text).map((words) => words.split("\n", 1)[0])).toEqual([
    "What a module is.",
    "Of several lines.",
    "How it is.",
    "A member.",
  ]);
});

test("Python's comments are its docstrings", () => {
  const text = `#!/usr/bin/env python3
"""A module.

More.
"""
TEXT = """What is a text."""


class A(B):
    """A class."""

    @property
    def b(self, *, c="d") -> dict:
        """A method."""
        return """Of a text."""


def several(
    lines,
):
    """A function."""
`;
  const firsts = (path: string) => docComments(path, text).map((words) => words.split("\n", 1)[0]);
  expect(firsts("a.py")).toEqual(["A module.", "A class.", "A method.", "A function."]);
  expect(firsts("bin/a")).toEqual(firsts("a.py"));
});

test("bash's comments are the headers of scripts", () => {
  const header = "# shellcheck shell=bash\n#\n# A script.\n#   --flag: of it\n";
  expect(docComments("a.sh", `${header}\n# Another comment.\nf() { true; }\n`)).toEqual([
    "A script.\n  --flag: of it",
  ]);
  expect(docComments("a", `#!/usr/bin/env bash\n#\n${header}set -e\n`)).toEqual([
    "A script.\n  --flag: of it",
  ]);
  expect(docComments("a", "#!/bin/bash\nset -e\n")).toEqual([]);
  expect(docComments("a.md", "# What a heading is\n")).toEqual([]);
});
