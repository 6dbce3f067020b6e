import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Mistake } from "../../cli/mistake";
import { run, tryRun } from "../network/run";
import { PROJECT_DIR } from "../paths";

/** Full name of a revision. @throws Mistake for one that this clone does not have */
export async function resolveRevision(revision: string): Promise<string> {
  const commit = `${revision}^{commit}`;
  const found = await tryRun("git", ["-C", PROJECT_DIR, "rev-parse", "--verify", "--end-of-options", commit]);
  if (found === undefined) throw new Mistake(`--against ${revision}: git knows no such revision here`);
  return found.trim();
}

/** Gives the work a folder with the project as it was at a revision, and with the npm packages of today. */
export async function withRevision<T>(revision: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "revision-"));
  try {
    const archive = join(folder, "archive.tar");
    await run("git", ["-C", PROJECT_DIR, "archive", "--output", archive, revision]);
    await run("tar", ["--extract", "--file", archive, "--directory", folder]);
    rmSync(archive);
    linkPackages(join(PROJECT_DIR, "node_modules"), join(folder, "node_modules"));
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Links all but .cache: each revision keeps the JavaScript of its own. */
function linkPackages(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (name !== ".cache") symlinkSync(join(from, name), join(to, name));
  }
}
