import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

import type { ScriptFile } from "./bundle";

const SCRIPTS = path.join(__dirname, "..", "scripts", "host");

/** Everything in scripts/host, in the order of names. */
export function readScripts(): ScriptFile[] {
  return readdirSync(SCRIPTS)
    .sort()
    .map((name) => ({ name, content: readFileSync(path.join(SCRIPTS, name), "utf8") }));
}
