import { readFileSync } from "node:fs";
import { join } from "node:path";

import { releaseNames } from "../../bigbluebutton/releases";
import { withGeneratedRegions } from "../../scripts/generate-docs";
import { fields } from "../../settings/fields";

test("README.md is up to date", () => {
  const readme = readFileSync(join(__dirname, "../../README.md"), "utf8");
  expect(withGeneratedRegions(readme)).toBe(readme);
});

test("README.md has every table", () => {
  const readme = readFileSync(join(__dirname, "../../README.md"), "utf8");
  for (const name of ["settings", "releases", "ports", "sizing"]) {
    expect(readme).toContain(`<!-- generated: ${name} -->`);
  }
  for (const key of Object.keys(fields)) expect(readme).toContain(`| \`${key}\` |`);
  for (const name of releaseNames) expect(readme).toContain(`| \`${name}\``);
});

test("what is between the markers is replaced, and nothing else", () => {
  const made = withGeneratedRegions("a\n<!-- generated: ports -->\nold\n<!-- end -->\nb\n");
  expect(made).toMatch(/^a\n<!-- generated: ports -->\n\n\| host \|[\s\S]*\|\n\n<!-- end -->\nb\n$/);
  expect(made).not.toContain("old");
  expect(withGeneratedRegions(made)).toBe(made);
});

test("an unknown region and one without an end are errors", () => {
  expect(() => withGeneratedRegions("<!-- generated: prices -->\n<!-- end -->")).toThrow("prices");
  expect(() => withGeneratedRegions("<!-- generated: ports -->\n")).toThrow("no <!-- end -->");
  expect(() =>
    withGeneratedRegions("<!-- generated: ports -->\n<!-- generated: sizing -->\n<!-- end -->"),
  ).toThrow("no <!-- end -->");
});
