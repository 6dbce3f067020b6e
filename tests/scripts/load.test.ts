/** The loader of TypeScript, scripts/lib/load.cjs: in a project of its own, each start in a process of its own. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(__dirname, "../..");

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "load-"));
  mkdirSync(join(project, "scripts/lib"), { recursive: true });
  mkdirSync(join(project, "node_modules"));
  cpSync(join(ROOT, "scripts/lib/load.cjs"), join(project, "scripts/lib/load.cjs"));
  symlinkSync(join(ROOT, "node_modules/sucrase"), join(project, "node_modules/sucrase"));
  put("word.ts", 'export const word: string = "first";\n');
  put("main.ts", 'import { word } from "./word";\n\nconsole.log(word, transformed());\n');
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

const kept = (file: string) => join(project, "node_modules/.cache/javascript", `${file}.js`);

function put(file: string, text: string): void {
  writeFileSync(join(project, file), text);
}

/** What a start prints: the word, and whether sucrase was loaded. */
function start(): string {
  const watch = join(project, "watch.cjs");
  const index = JSON.stringify(join(ROOT, "node_modules/sucrase/dist/index.js"));
  writeFileSync(watch, `globalThis.transformed = () => ${index} in require.cache;\n`);
  const preload = ["-r", watch, "-r", join(project, "scripts/lib/load.cjs")];
  return execFileSync(process.execPath, [...preload, join(project, "main.ts")], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

test("the first start takes the types away, the next ones do not even load what does", () => {
  expect(start()).toBe("first true");
  expect(start()).toBe("first false");
});

test("a changed file is made anew, in place of what was kept of it", () => {
  start();
  put("word.ts", 'export const word: string = "second";\n');
  expect(start()).toBe("second true");
  expect(start()).toBe("second false");
  expect(readFileSync(kept("word.ts"), "utf8")).not.toContain("first");
});

test("what was written in part is not taken", () => {
  start();
  const whole = readFileSync(kept("word.ts"), "utf8");
  writeFileSync(kept("word.ts"), whole.slice(0, whole.length / 2));
  expect(start()).toBe("first true");
  expect(readFileSync(kept("word.ts"), "utf8")).toBe(whole);
});

test("where nothing can be kept, it loads all the same", () => {
  put("node_modules/.cache", "a file in its place");
  expect(start()).toBe("first true");
  expect(start()).toBe("first true");
});

test("an error tells the line of the TypeScript", () => {
  put("main.ts", 'interface One {\n  readonly two: string;\n}\n\nthrow new Error("here");\n');
  for (let times = 0; times < 2; times++) expect(start).toThrow(`${join(project, "main.ts")}:5`);
});
