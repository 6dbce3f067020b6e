import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { secretForms } from "./secretForms";
import type { Secret } from "./secrets";

/** Script that prints what a folder has of the texts in a file: in contents, in paths; and how many images it is of. */
const SEARCH = `
grep -raoF -f "$1" . | cut -c1-200 | sort -u
find . | grep -F -f "$1"
find . -path '*/etc/bbb-deploy/image.json' | wc -l`;

/** Expects that no file of a baked image's disk has one of these texts in any form, in its content or its path. */
export function expectNothingOnDisk(disk: string, secrets: readonly Secret[]): void {
  const own = mkdtempSync(join(tmpdir(), "disk-"));
  const [folder, texts] = [join(own, "mounted"), join(own, "texts")];
  const forms = secrets.flatMap(([, text]) => secretForms(text));
  expect(forms.length).toBeGreaterThan(0);
  writeFileSync(texts, `${forms.join("\n")}\n`);
  mkdirSync(folder);
  // It was copied while it was mounted: its journal is left alone.
  execFileSync("mount", ["-o", "ro,noload,loop", disk, folder]);
  try {
    const { stdout } = spawnSync("bash", ["-c", SEARCH, "bash", texts], { cwd: folder, encoding: "utf8" });
    expect(stdout.trim()).toBe("1");
  } finally {
    execFileSync("umount", [folder]);
    rmSync(own, { recursive: true });
  }
}
