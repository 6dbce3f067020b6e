import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { anchorsOf, FOREIGN, localLinks, PROJECT, projectFiles, readPages, type Page } from "./pages";

const pages = readPages();

/** Broken links of a page to the project itself. */
function brokenLinks(page: Page, all: readonly Page[]): string[] {
  return localLinks(page).flatMap(({ target, path, anchor }) => {
    const led = path === page.path ? page : all.find((one) => one.path === path);
    if (!led && !existsSync(join(PROJECT, path))) return [`${page.path}: ${target}: there is no ${path}`];
    if (anchor === undefined) return [];
    if (!led) return [`${page.path}: ${target}: ${path} is no page`];
    return anchorsOf(led.text).includes(anchor) ? [] : [`${page.path}: ${target}: ${path} has no #${anchor}`];
  });
}

test("every page of the front door is there", () => {
  expect(pages.map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      "README.md",
      "CHANGELOG.md",
      "CONTRIBUTING.md",
      "SECURITY.md",
      "docs/settings.md",
    ]),
  );
  expect(statSync(join(PROJECT, "LICENSE")).size).toBeGreaterThan(10_000);
});

test.each(pages.map((page) => [page.path, page] as const))("every link of %s leads somewhere", (_, page) => {
  expect(brokenLinks(page, pages)).toEqual([]);
});

test("links that lead nowhere are found", () => {
  const text = [
    "# A *title*, and `more`: of it",
    "## Again",
    "## Again",
    "[a](#a-title-and-more-of-it) [b](#again-1) [c](docs/turn.md#what-it-is-for) ![d](docs/turn.png)",
    "[e](#again-2) [f](docs/nowhere.md) [g](docs/turn.md#nowhere) [h](LICENSE#x) `[i](nowhere)` [j](https://x.test/#y)",
  ].join("\n");
  expect(brokenLinks({ path: "x.md", text }, pages)).toEqual([
    "x.md: #again-2: x.md has no #again-2",
    "x.md: docs/nowhere.md: there is no docs/nowhere.md",
    "x.md: docs/turn.md#nowhere: docs/turn.md has no #nowhere",
    "x.md: LICENSE#x: LICENSE is no page",
  ]);
});

test("every page can be reached from the README", () => {
  const reached = new Set(["README.md"]);
  for (const path of reached) {
    const page = pages.find((one) => one.path === path);
    if (page) localLinks(page).forEach((link) => reached.add(link.path));
  }
  // A folder's page is its README.
  const isReached = (path: string) => reached.has(path) || reached.has(path.replace(/\/README\.md$/, ""));
  expect(pages.map(({ path }) => path).filter((path) => !isReached(path))).toEqual([]);
});

test("the README's contents name every section", () => {
  const { text } = pages.find(({ path }) => path === "README.md")!;
  const contents = /^\*\*Contents:\*\*[\s\S]*?\n\n/m.exec(text)?.[0] ?? "";
  const sections = [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => anchorsOf(`## ${title}`)[0]);
  expect([...contents.matchAll(/\(#([^)]*)\)/g)].map(([, anchor]) => anchor)).toEqual(sections);
});

test("every page that the code, the settings and the CI examples name is there", () => {
  const named = projectFiles()
    .filter(
      (path) => /(\.(ts|mjs|js|sh|py|ya?ml)|^scripts\/[\w-]+)$/.test(path) && !path.startsWith("tests/"),
    )
    .flatMap((path) =>
      [...readFileSync(join(PROJECT, path), "utf8").matchAll(/(?<![\w/.])docs\/[\w/-]+\.(md|json)\b/g)].map(
        ([page]) => [path, page] as const,
      ),
    );
  expect(named.map(([, page]) => page)).toEqual(
    expect.arrayContaining(["docs/aws-policy.json", "docs/ci/README.md", "docs/environments.md"]),
  );
  expect(named.filter(([, page]) => !existsSync(join(PROJECT, page)))).toEqual([]);
});

test("the README's tree names every folder, and nothing that is not there", () => {
  const { text } = pages.find(({ path }) => path === "README.md")!;
  const tree = /^```\n(index\.ts[\s\S]*?)^```$/m.exec(text)?.[1] ?? "";
  const named = tree.split("\n").flatMap((line) => line.split(" ")[0] || []);
  expect(named.filter((path) => !existsSync(join(PROJECT, path)))).toEqual([]);
  const folders = readdirSync(PROJECT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !FOREIGN.includes(entry.name))
    .map(({ name }) => `${name}/`);
  expect(folders.filter((folder) => !named.includes(folder))).toEqual([]);
});
