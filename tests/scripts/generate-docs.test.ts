import { releaseNames } from "../../bigbluebutton/releases";
import { generatedFiles, withGeneratedConfig, withGeneratedRegions } from "../../scripts/generate-docs";
import { fields } from "../../settings/fields";

test("every file with generated parts is up to date", () => {
  const files = generatedFiles();
  expect(files.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["README.md", "docs/aws.md", "docs/settings.md", "Pulumi.yaml"]),
  );
  for (const { path, old, made } of files) expect([path, made]).toEqual([path, old]);
});

test("every table is on a page", () => {
  const pages = generatedFiles()
    .map(({ old }) => old)
    .join("\n");
  for (const name of ["first settings", "settings", "releases", "ports", "sizing", "environments"]) {
    expect(pages).toContain(`<!-- generated: ${name} -->`);
  }
  for (const key of Object.keys(fields)) expect(pages).toContain(`| \`${key}\` |`);
  for (const name of releaseNames) expect(pages).toContain(`| \`${name}\``);
});

test("Pulumi.yaml's config is replaced, and nothing else", () => {
  const made = withGeneratedConfig("name: x\n# generated: settings\nold: 1\n# end\nbackend: y\n");
  expect(made).toMatch(/^name: x\n# generated: settings\nconfig:\n {2}# Names\n[^]*\n# end\nbackend: y\n$/);
  expect(made).not.toContain("old: 1");
  expect(() => withGeneratedConfig("name: x\nconfig: {}\n")).toThrow("no # generated: settings");
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
