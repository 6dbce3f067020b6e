import { releaseNames } from "../../bigbluebutton/releases";
import { generatedFiles, withGeneratedRegions } from "../../scripts/generate-docs";
import { fields } from "../../settings/fields";

test("every page with generated parts is up to date", () => {
  const files = generatedFiles();
  expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(["README.md", "docs/aws.md"]));
  for (const { path, old, made } of files) expect([path, made]).toEqual([path, old]);
});

test("every table is on a page", () => {
  const pages = generatedFiles()
    .map(({ old }) => old)
    .join("\n");
  for (const name of ["settings", "releases", "ports", "sizing", "environments"]) {
    expect(pages).toContain(`<!-- generated: ${name} -->`);
  }
  for (const key of Object.keys(fields)) expect(pages).toContain(`| \`${key}\` |`);
  for (const name of releaseNames) expect(pages).toContain(`| \`${name}\``);
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
