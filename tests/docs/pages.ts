/** Reads the project's pages: every Markdown file that it has. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

export const PROJECT = resolve(__dirname, "../..");

/** A Markdown file of the project. */
export interface Page {
  /** Path in the project, e.g. "docs/turn.md". */
  readonly path: string;
  readonly text: string;
}

/** Folders of that name hold nothing of the project's own, such as what a build makes. */
export const FOREIGN: readonly string[] = [
  ".git",
  ...readFileSync(join(PROJECT, ".gitignore"), "utf8")
    .split("\n")
    .flatMap((line) => (line.endsWith("/") ? basename(line) : [])),
];

/** Paths of the project's own files, in their order. */
export function projectFiles(folder = ""): string[] {
  return readdirSync(join(PROJECT, folder), { withFileTypes: true })
    .filter(({ name }) => !FOREIGN.includes(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? projectFiles(path) : entry.isFile() ? path : [];
    })
    .sort();
}

/** Every Markdown file of the project, in the order of paths. */
export function readPages(): Page[] {
  return projectFiles()
    .filter((path) => path.endsWith(".md"))
    .map((path) => ({ path, text: readFileSync(join(PROJECT, path), "utf8") }));
}

/** Place that a page leads to. */
interface Link {
  /** Target as written in the page. */
  readonly target: string;
  /** Path in the project; the page's own for an anchor alone. */
  readonly path: string;
  readonly anchor?: string;
}

/** Links and images of a page that lead to the project itself. */
export function localLinks({ path, text }: Page): Link[] {
  const targets = [...withoutCode(text).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target!);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = "", anchor] = target.split("#");
      const to = file === "" ? path : join(dirname(path), file);
      return { target, path: to, ...(anchor !== undefined && { anchor }) };
    });
}

/** Anchors that GitHub and GitLab make of a page's headings. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutCode(text, "```").matchAll(/^#{1,6} +(.*?) *#*$/gm)].map(([, heading]) => {
    const slug = heading!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
}

/**
 * Texts that a reader may type: the lines of the blocks of commands, without comments, and the commands in the text.
 */
export function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].flatMap(([, block]) =>
    block!
      .replaceAll("\\\n", " ")
      .split("\n")
      .map((line) => line.replace(/(^|\s)#\s.*$/, "").trim()),
  );
  const inText = [...withoutCode(text, "```").matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  return [...blocks, ...inText].filter((line) => line !== "");
}

function withoutCode(text: string, fence?: "```"): string {
  const blocks = text.replace(/^ *```[\s\S]*?^ *```$/gm, "");
  return fence ? blocks : blocks.replace(/`[^`\n]*`/g, "");
}
