/** Files of the operator's own in the setting `overrides`: what is wrong with them, and what is in them. */
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";

import { extraPathProblem, MOST_BYTES, nginxFile, type ExtraFile } from "../bigbluebutton/extraFiles";
import { treesOf, type Overrides } from "../bigbluebutton/overrides";
import type { FieldValues } from "./fields";
import type { Problem } from "./problems";
import { pathFlag, removeCommand } from "./remedies";
import { unreadable } from "./unreadable";

type Given = FieldValues["overrides"];
type Content = NonNullable<Given["nginx"]>[string];

/** Overrides with the contents of their files, and what is wrong with these. */
export function readExtraFiles(given: Given = {}): { overrides: Overrides; problems: readonly Problem[] } {
  const { nginx = {}, files = {} } = given;
  const problems: Problem[] = [];
  const read = (setting: string, path: string, content: Content): string | undefined => {
    const found = contentOf(content);
    if ("base64" in found) return found.base64;
    problems.push({ key: setting, reason: found.reason, remedy: removeCommand(path) });
    return undefined;
  };
  const extraFiles: ExtraFile[] = [];
  for (const [name, content] of Object.entries(nginx)) {
    const base64 = read(`overrides.nginx.${name}`, pathFlag("overrides", ["nginx", name]), content);
    if (base64 !== undefined) extraFiles.push(nginxFile(name, { base64, replace: content.replace ?? false }));
  }
  for (const [path, file] of Object.entries(files)) {
    const setting = `overrides.files.${path}`;
    const remedyPath = pathFlag("overrides", ["files", path]);
    const reason = extraPathProblem(path);
    if (reason !== undefined) problems.push({ key: setting, reason, remedy: removeCommand(remedyPath) });
    const base64 = read(setting, remedyPath, file);
    if (base64 === undefined) continue;
    const { mode = "644", owner = "root:root", replace = false, restart = [] } = file;
    extraFiles.push({ setting, path, base64, mode, owner, replace, restart });
  }
  const bytes = extraFiles.reduce((sum, { base64 }) => sum + bytesOf(base64), 0);
  if (bytes > MOST_BYTES.all) {
    const reason = `has files of ${bytes} bytes together, more than ${MOST_BYTES.all}`;
    problems.push({ key: "overrides.files", reason, remedy: "leave out some, or fetch them on the server" });
  }
  const trees = Object.fromEntries(treesOf(given)) as Overrides;
  return { overrides: extraFiles.length > 0 ? { ...trees, extraFiles } : trees, problems };
}

function contentOf({ file, text }: Content): { base64: string } | { reason: string } {
  if (file === undefined) return bounded(Buffer.from(text ?? ""), "has a text");
  try {
    const path = file.replace(/^~(?=\/)/, homedir());
    const found = statSync(path);
    if (!found.isFile()) return { reason: `names ${file}, which is no file` };
    if (found.size > MOST_BYTES.one) return tooLarge(found.size, `names ${file}`);
    return bounded(readFileSync(path), `names ${file}`);
  } catch (error) {
    return { reason: `names ${file}, which ${unreadable(error)}` };
  }
}

function bounded(content: Buffer, what: string): { base64: string } | { reason: string } {
  return content.length > MOST_BYTES.one
    ? tooLarge(content.length, what)
    : { base64: content.toString("base64") };
}

function tooLarge(bytes: number, what: string): { reason: string } {
  return { reason: `${what} of ${bytes} bytes, more than ${MOST_BYTES.one}` };
}

function bytesOf(base64: string): number {
  return Buffer.from(base64, "base64").length;
}
