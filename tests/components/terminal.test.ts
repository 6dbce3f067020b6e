import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { pageWidth, terminalColumns } from "../../components/terminal";

test("without a terminal nothing is known, and nothing wrapped", () => {
  expect(terminalColumns("/dev/null")).toBeUndefined();
  expect(terminalColumns("/nowhere/tty")).toBeUndefined();
  expect(pageWidth(undefined)).toBeUndefined();
});

test("the terminal's columns are known though the output is a pipe", () => {
  const module = join(__dirname, "../../components/terminal.ts");
  const program = `console.log(require(${JSON.stringify(module)}).terminalColumns())`;
  const tsx = join(__dirname, "../../node_modules/tsx/dist/loader.mjs");
  const command = `stty cols 93; "${process.execPath}" --import "file://${tsx}" -e '${program}' | cat`;
  const { stdout } = spawnSync("script", ["-qec", command, "/dev/null"], { encoding: "utf8", input: "" });
  expect(stdout.trim()).toBe("93");
});

test.each([
  [80, 76],
  [120, 116],
  [40, 60],
  [300, 160],
])("in %d columns a page has %d", (columns, width) => {
  expect(pageWidth(columns)).toBe(width);
});
