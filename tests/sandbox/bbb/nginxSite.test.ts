import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { STANDIN } from "./standin";

test("a site says server_tokens in its servers only: Debian 13's nginx.conf has said it for all of http", () => {
  const files = readdirSync(STANDIN, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const lines = files
    .flatMap((file) => readFileSync(file, "utf8").split("\n"))
    .filter((line) => /^\s*server_tokens /.test(line));
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.filter((line) => !line.startsWith(" "))).toEqual([]);
});
