import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const PROJECT = resolve(__dirname, "../../..");
const BASELINE = readFileSync(join(PROJECT, "sandbox/benchmark/baseline/index.ts"), "utf8");

/** Files of the program, without those that only a deployment to AWS, or a step that is run, loads. */
const files = [
  "index.ts",
  ...["settings", "bigbluebutton", "clouds", "steps", "components"].flatMap((folder) =>
    readdirSync(join(PROJECT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, name)),
  ),
].filter((file) => !/^(clouds\/aws\/|steps\/ssh\.ts)/.test(file));

/** Packages that a text imports, types left out. */
function packages(text: string): string[] {
  return [...text.matchAll(/^import (?!type )(?:[^;]*? from )?"(?!node:)([^."][^"]*)";/gm)].map(
    ([, name = ""]) => name,
  );
}

/** Classes that only stacks with branding, a Storage Box or a pool make: each is loaded when it is first used. */
const UNUSED = ["command.remote.CopyToRemote", "hcloud.StorageBox", "hcloud.PlacementGroup"];

test("the baseline loads the packages of the program, and no other", () => {
  const used = files.flatMap((file) => packages(readFileSync(join(PROJECT, file), "utf8")));
  expect(packages(BASELINE).sort()).toEqual([...new Set(used)].sort());
});

test("the baseline loads the classes that the program makes", () => {
  const text = files.map((file) => readFileSync(join(PROJECT, file), "utf8")).join("\n");
  const classes = [...text.matchAll(/new ((?:hcloud|random|tls|command)\.[\w.]+)\(/g)].map(
    ([, name = ""]) => name,
  );
  expect(classes.length).toBeGreaterThan(8);
  expect(classes).toEqual(expect.arrayContaining(UNUSED));
  for (const name of classes) if (!UNUSED.includes(name)) expect(BASELINE).toContain(name);
});
