import { cases, renderPage, renderTable } from "./faultTable";

const results = {
  testResults: [
    {
      assertionResults: [
        {
          ancestorTitles: ["Names"],
          title: "a record too late: waited for",
          status: "passed",
          duration: 61_400,
        },
        { ancestorTitles: ["Names"], title: "a record | never: said: so", status: "failed", duration: 700 },
      ],
    },
  ],
};

test("a case's name is what happens and how it ends", () => {
  expect(cases(results)).toEqual([
    { group: "Names", fault: "a record too late", end: "waited for", seconds: 61.4, status: "passed" },
    { group: "Names", fault: "a record | never", end: "said: so", seconds: 0.7, status: "failed" },
  ]);
});

test("the table ends with the sum", () => {
  const table = renderTable(cases(results));
  expect(table).toMatch(/a record too late .* waited for .* 61 s .* passed/);
  expect(table.split("\n").at(-1)).toBe("2 cases: 1 passed, 1 failed, in 1 minutes");
});

test("the page has a table for each group", () => {
  expect(renderPage(cases(results)).split("\n").slice(5)).toEqual([
    "## Names",
    "",
    "| what happens | how it ends | took |",
    "| --- | --- | ---: |",
    "| a record too late | waited for | 61 s |",
    "| a record \\| never | said: so | 1 s |",
    "",
  ]);
});
