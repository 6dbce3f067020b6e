import { readmeCommands } from "../e2e/support/readme";

test("what the README has typed on a fresh machine", () => {
  const [start, around] = readmeCommands("Try it on one machine");
  expect(start).toEqual(["git clone REPOSITORY bigbluebutton && cd bigbluebutton", "./scripts/sandbox up"]);
  expect(around).toContain("./scripts/sandbox up --cloud aws");
  expect(around?.every((line) => line.startsWith("./scripts/") && !line.includes(" # "))).toBe(true);
});

test("a section without commands is none", () => {
  expect(() => readmeCommands("A", "## A\n\ntext\n")).toThrow(/has no commands/);
  expect(() => readmeCommands("B", "## A\n")).toThrow(/no section "B"/);
});
