import { readFileSync } from "node:fs";
import { join } from "node:path";

import { PROJECT } from "./sandbox";

/**
 * Commands in the README's section of that title: a list for each of its blocks, without their comments.
 *
 * @throws Error for a missing section, or one without blocks
 */
export function readmeCommands(
  title: string,
  text = readFileSync(join(PROJECT, "README.md"), "utf8"),
): string[][] {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  if (section === undefined) throw new Error(`README.md has no section "${title}"`);
  const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) =>
    (block ?? "")
      .split("\n")
      .map((line) => line.replace(/(^|\s)#\s.*$/, "").trim())
      .filter((line) => line !== ""),
  );
  if (blocks.length === 0) throw new Error(`section "${title}" of README.md has no commands`);
  return blocks;
}
