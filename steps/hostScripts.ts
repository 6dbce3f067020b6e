import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

import type { ScriptFile } from "./bundle";

const SCRIPTS = path.join(__dirname, "..", "scripts", "host");

let read: readonly ScriptFile[] | undefined;

/**
 * Reads all files in scripts/host, once, in the order of names, without its folders, such as Python's __pycache__.
 */
export function readScripts(): readonly ScriptFile[] {
  return (read ??= readdirSync(SCRIPTS, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort()
    .map((name) => ({ name, content: readFileSync(path.join(SCRIPTS, name), "utf8") })));
}
