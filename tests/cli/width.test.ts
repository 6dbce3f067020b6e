import { wrapped } from "../../bigbluebutton/text";
import { hanging, pageWidth, terminalWidth } from "../../cli/width";

test.each([
  [{ isTTY: true, columns: 80 }, {}, 80],
  [{ isTTY: true, columns: 80 }, { COLUMNS: "200" }, 80],
  [{ isTTY: true, columns: 20 }, {}, 60],
  [{ isTTY: true, columns: 400 }, {}, 160],
  [{ isTTY: true, columns: 0 }, {}, undefined],
  [{}, {}, undefined],
  [{}, { COLUMNS: "90" }, 90],
  [{}, { COLUMNS: "wide" }, undefined],
])("a page to %j with %j: %p columns", (out, environment, width) => {
  expect(terminalWidth(out as never, environment)).toBe(width);
  expect(pageWidth(out as never, environment)).toBe(width ?? 120);
});

test("a text is wrapped between words, and a longer word stays whole", () => {
  expect(wrapped("one two  three\nfour", 8)).toEqual(["one two", "three", "four"]);
  expect(wrapped("see https://bbb.example.org/ now", 8)).toEqual(["see", "https://bbb.example.org/", "now"]);
  expect(wrapped("", 8)).toEqual([""]);
});

test("lines of a log keep their form, and go on further in where they are too long", () => {
  expect(hanging("short  as   it is\n  ok    0.1 s  API  one two three", 20)).toBe(
    ["short  as   it is", "  ok    0.1 s  API", "      one two three"].join("\n"),
  );
});
