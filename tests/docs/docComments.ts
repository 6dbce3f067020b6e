/** Reader of the project's doc comments: TypeScript's, Python's docstrings, and the headers of bash scripts. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

import ts from "typescript";

import { PROJECT } from "./pages";

/** Rooms of the project with code. Files outside of them are in the room "". */
export const ROOMS = [
  "",
  "bigbluebutton",
  "cli",
  "clouds",
  "components",
  "operator",
  "sandbox",
  "scripts",
  "settings",
  "steps",
  "tests",
];

/** Paths of a room's files in the project. */
export function filesOf(room: string): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isFile()) found.push(relative(PROJECT, path));
      else if (entry.isDirectory() && room !== "" && !/^(node_modules|__pycache__|\..*)$/.test(entry.name)) {
        walk(path);
      }
    }
  };
  walk(join(PROJECT, room));
  return found.sort();
}

/** Doc comments of a file, each from its first word on; none in a file of another language. */
export function docComments(path: string, text = readFileSync(join(PROJECT, path), "utf8")): string[] {
  const language = /^#!.*\b(python|bash|sh)/.exec(text)?.[1];
  if (path.endsWith(".ts")) return typeScriptDocs(path, text);
  if (path.endsWith(".py") || language === "python") return docstrings(text);
  return path.endsWith(".sh") || language !== undefined ? bashHeader(text) : [];
}

/** Comments in front of TypeScript's nodes: no text in a string or a template counts. Ones of tags alone are left out. */
function typeScriptDocs(path: string, text: string): string[] {
  const found = new Map<number, string>();
  const visit = (node: ts.Node): void => {
    const onItsLine = ts.getTrailingCommentRanges(text, node.pos) ?? [];
    for (const { pos, end } of [...onItsLine, ...(ts.getLeadingCommentRanges(text, node.pos) ?? [])]) {
      const words = text.slice(pos + 3, end - 2).replace(/\n *\* ?/g, "\n");
      if (text.startsWith("/**", pos)) found.set(pos, words.trim());
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
  return [...found.values()].filter((words) => words !== "" && !words.startsWith("@"));
}

/** Docstrings: texts in three quotes at the beginning of a file, or alone below a line that ends in a colon. */
function docstrings(text: string): string[] {
  return [...text.matchAll(/"""([^]*?)"""/g)]
    .filter(({ index }) => /:\n *$|^(#.*\n|\n)*$/.test(text.slice(0, index)))
    .map(([, words]) => words!.trim());
}

/** Comment at the beginning of a script, after the lines for the shell and its linter. */
function bashHeader(text: string): string[] {
  const [, header = ""] = /^(?:#!.*\n)?((?:#(?!!).*\n)+)/.exec(text) ?? [];
  const words = header.replace(/^# shellcheck .*\n/gm, "").replace(/^# ?/gm, "");
  return words.trim() === "" ? [] : [words.trim()];
}
