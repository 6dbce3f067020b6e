import { cases, renderPage, renderTable } from "./faultTable";

const results = {
  testResults: [
    {
      name: "/srv/project/tests/e2e/faults/names.test.ts",
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
    {
      file: "names.test.ts",
      group: "Names",
      fault: "a record too late",
      end: "waited for",
      seconds: 61.4,
      status: "passed",
    },
    {
      file: "names.test.ts",
      group: "Names",
      fault: "a record | never",
      end: "said: so",
      seconds: 0.7,
      status: "failed",
    },
  ]);
});

test("the table ends with the sum", () => {
  const table = renderTable(cases(results));
  expect(table).toMatch(/a record too late .* waited for .* 61 s .* passed/);
  expect(table.split("\n").at(-1)).toBe("2 cases: 1 passed, 1 failed, in 1 minutes");
});

const PART = [
  "<!-- names.test.ts -->",
  "",
  "## Names",
  "",
  "| what happens | how it ends | took |",
  "| --- | --- | ---: |",
  "| a record too late | waited for | 61 s |",
  "| a record \\| never | said: so | 1 s |",
  "",
];

test("the page has a part for each test file, with a table for each group", () => {
  expect(renderPage(cases(results)).split("\n").slice(5)).toEqual(PART);
  expect(renderPage(cases(results))).toContain("2 cases, all passed, in 1 minutes");
});

test("a run of some test files leaves the others' parts on the page, but for files that are gone", () => {
  const [names] = cases(results);
  const other = { ...names!, file: "moves.test.ts", group: "Moves", fault: "a move", seconds: 30 };
  const gone = { ...other, file: "gone.test.ts", group: "Gone" };
  const before = renderPage([{ ...names!, seconds: 5 }, gone, other]);
  const page = renderPage(cases(results), before, (file) => file !== "gone.test.ts");
  expect(page).toBe(renderPage([other, ...cases(results)]));
  expect(page.split("\n").slice(-PART.length)).toEqual(PART);
  expect(page).toContain("| a move | waited for | 30 s |");
});
