import { renderTable } from "../../../scripts/operator/table";

test("columns side by side, numbers to the right, long texts wrapped, nothing at the end of a line", () => {
  const text = renderTable(
    [["name"], ["", 3, "right"], ["what", 12]],
    [
      ["a", "1", "one word and others"],
      ["longer", "22", ""],
    ],
  );
  expect(text).toBe(
    [
      "name         what", //
      "a         1  one word and",
      "             others",
      "longer   22",
    ].join("\n"),
  );
});
