import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

import { STANDIN } from "./standin";

/**
 * The stand-in is written from BigBlueButton's behaviour, not from its text, which is under another licence. Only facts
 * may be the same: messages that a deployment has to know, keys of settings, lines that every nginx snippet or unit
 * has.
 */

const SHORTEST = 12;

const lines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.split(/\s+/).filter(Boolean).join(" "))
    .filter((line) => line.length >= SHORTEST);
const digest = (line: string): string => createHash("sha256").update(line).digest("hex").slice(0, 10);

const upstream = new Set(
  readFileSync(join(__dirname, "upstream", "lines.sha256"), "utf8")
    .split("\n")
    .filter((line) => line && !line.startsWith("#")),
);

interface Count {
  readonly file: string;
  readonly all: number;
  readonly same: number;
}

const counts: Count[] = readdirSync(STANDIN, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.parentPath.includes("__pycache__"))
  .map((entry) => join(entry.parentPath, entry.name))
  .map((path) => {
    const own = lines(readFileSync(path, "utf8"));
    const same = own.filter((line) => upstream.has(digest(line))).length;
    return { file: relative(STANDIN, path), all: own.length, same };
  });

const share = (of: readonly Count[]): number =>
  of.reduce((sum, { same }) => sum + same, 0) / of.reduce((sum, { all }) => sum + all, 0);

test("the list knows a line when it sees one", () => {
  // A directive of nginx's that no site with WebSockets does without.
  expect(upstream.has(digest("proxy_http_version 1.1;"))).toBe(true);
  expect(upstream.size).toBeGreaterThan(3000);
});

test("no program and no longer file has more than one line in ten that equals one of upstream's", () => {
  const long = counts.filter(({ all }) => all > 20);
  expect(long.map(({ file }) => file)).toEqual(
    expect.arrayContaining(["installer/options.py", "packages/bbb-config/root/usr/bin/bbb-conf", "build"]),
  );
  expect(long.filter((count) => share([count]) > 0.1)).toEqual([]);
});

test.each([
  ["the installer", "installer/", 0.02],
  ["bbb-conf and what else bbb-config has", "packages/bbb-config/", 0.05],
  ["all of the stand-in", "", 0.05],
] as const)("%s: the share of equal lines", (_, under, most) => {
  const among = counts.filter(({ file }) => file.startsWith(under));
  expect(among.length).toBeGreaterThan(0);
  expect(share(among)).toBeLessThanOrEqual(most);
});
