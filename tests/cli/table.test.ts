import { renderTable, type Column } from "../../cli/table";

const COLUMNS: readonly Column[] = [["name"], ["", "right"], ["what"]];
const ROWS = [
  ["a", "1", "one word and others"],
  ["longer", "22", ""],
];

test("columns side by side, numbers to the right, nothing at the end of a line", () => {
  expect(renderTable(COLUMNS, ROWS)).toBe(
    [
      "name        what", //
      "a        1  one word and others",
      "longer  22",
    ].join("\n"),
  );
});

test("where they are too wide, the widest column is wrapped between words", () => {
  expect(renderTable(COLUMNS, ROWS, 24)).toBe(
    [
      "name        what", //
      "a        1  one word and",
      "            others",
      "longer  22",
    ].join("\n"),
  );
});

test("where the words alone are too wide, each row is a block, and no word is cut", () => {
  const rows = [["a", "1", "https://bbb.example.org/"], ROWS[1]!];
  expect(renderTable(COLUMNS, rows, 30)).toBe(
    ["name  a", "      1", "what  https://bbb.example.org/", "", "name  longer", "      22"].join("\n"),
  );
});
