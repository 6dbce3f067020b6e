import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import * as pulumi from "@pulumi/pulumi";

import { fields } from "../../settings/fields";
import { runProgram } from "../support/program";
import { commandsOf } from "./ci/jobs";
import { commandsIn, PROJECT, readPages } from "./pages";

const run = promisify(execFile);

const keep = { daily: 7, weekly: 4, monthly: 6 };
const backup = {
  box: { type: "bx11", location: "hel1", reachableExternally: false, protected: false },
  at: "02:30",
  settings: pulumi.secret({ to: "s3:https://storage.eu/bucket", raw: false, keep }),
};

/** Command that a page tells its reader to type. */
interface Typed {
  readonly page: string;
  readonly words: readonly string[];
}

const typed: readonly Typed[] = readPages().flatMap(({ path, text }) =>
  commandsIn(text)
    .flatMap((line) => commandsOf(line.replace(/\$\(([^()]*)\)/g, "; $1 ;").replaceAll("…", "")))
    .map((words) => ({ page: path, words })),
);
const inPlace = ({ page, words }: Typed) => `${page}: ${words.join(" ")}`;
const ours = typed.filter(({ words }) => /^(\.\/)?scripts\/[\w-]+$/.test(words[0]!));
const ofPulumi = typed.filter(({ words }) => words[0] === "pulumi" && words.length > 1);

/** Commands whose first word is an action with options of its own. */
const WITH_ACTIONS = ["scripts/backup", "scripts/image", "scripts/sandbox", "scripts/test-server"];

const MISTAKES = [
  ["./scripts/nothing"],
  ["./scripts/test-server", "upp", "--ttl", "4h"],
  ["./scripts/check", "prod", "--meetings", "--json", "--js"],
];

/** Script of a command, and its action. */
function callOf([script = "", ...words]: readonly string[]): string[] {
  const name = script.replace("./", "");
  return [
    name,
    ...(WITH_ACTIONS.includes(name) ? words.filter((word) => !word.startsWith("-")).slice(0, 1) : []),
  ];
}

/** Help texts of the scripts and their actions, by the call. */
const helps = new Map<string, string>();

beforeAll(async () => {
  const calls = [
    ...new Set([...ours.map(({ words }) => words), ...MISTAKES].map((words) => callOf(words).join(" "))),
  ];
  const one = async (): Promise<void> => {
    for (let call = calls.pop(); call !== undefined; call = calls.pop()) {
      const [script, ...action] = call.split(" ");
      const path = join(PROJECT, script!);
      if (existsSync(path))
        helps.set(call, (await run(path, [...action, "--help"], { cwd: PROJECT })).stdout);
    }
  };
  await Promise.all([one(), one(), one()]);
}, 300_000);

/** Words of a command that its script does not know. */
function unknownWords(words: readonly string[]): string[] {
  const [script, ...action] = callOf(words);
  const text = helps.get([script, ...action].join(" "));
  if (text === undefined) return [`there is no ${script}`];
  // An action that is not there has no help of its own.
  if (action.length > 0 && !text.includes(["Usage:", script, ...action].join(" "))) return action;
  return words
    .slice(0, words.includes("--") ? words.indexOf("--") : undefined)
    .filter((word) => word.startsWith("-"))
    .filter((option) => !new RegExp(`(^|[\\s,[])${option}(?![\\w-])`, "m").test(text));
}

test("pages have commands of every script that people run", () => {
  const named = new Set(ours.map(({ words }) => words[0]!.replace("./", "")));
  for (const name of [
    "plan",
    "check",
    "backup",
    "restore",
    "recover",
    "image",
    "test-server",
    "upstream",
    "sandbox",
    "test",
    "faults",
  ]) {
    expect(named).toContain(`scripts/${name}`);
  }
});

test("every script of ours is there and takes the options that it is shown with", () => {
  const wrong = ours.map((one) => [inPlace(one), unknownWords(one.words)] as const);
  expect(wrong.filter(([, words]) => words.length > 0)).toEqual([]);
});

test("a script, an action and an option that are not there are found", () => {
  expect(MISTAKES.map(unknownWords)).toEqual([
    ["there is no scripts/nothing"],
    ["upp"],
    ["--meetings", "--js"],
  ]);
});

/** Commands of the Pulumi CLI 3.248 that the pages use, with those of their options. */
const PULUMI: Readonly<Record<string, readonly string[]>> = {
  cancel: ["--stack", "--yes"],
  "config rm": ["--path"],
  "config set": ["--path", "--secret", "--stack", "-s"],
  destroy: ["--exclude-protected", "--run-program"],
  login: ["--local"],
  new: [],
  "package add": [],
  preview: ["--diff", "--stack"],
  refresh: ["--run-program", "--stack"],
  "plugin install": [],
  stack: ["--show-urns"],
  "stack export": [],
  "stack import": ["--file", "--stack"],
  "stack init": [],
  "stack output": ["--show-secrets"],
  "state delete": [],
  up: ["--parallel", "--replace", "--stack", "--yes", "-s"],
};

/** Words of a command of the Pulumi CLI that it does not know. */
function unknownToPulumi([, ...words]: readonly string[]): string[] {
  const command = [words.slice(0, 2).join(" "), words[0]!].find((name) => name in PULUMI);
  if (command === undefined) return words.slice(0, 2);
  return words.filter((word) => /^--?\w/.test(word) && !PULUMI[command]!.includes(word));
}

test("every command of the Pulumi CLI is one, with its options", () => {
  expect(ofPulumi.length).toBeGreaterThan(50);
  const wrong = ofPulumi.map((one) => [inPlace(one), unknownToPulumi(one.words)] as const);
  expect(wrong.filter(([, words]) => words.length > 0)).toEqual([]);
  expect(unknownToPulumi(["pulumi", "destroy", "--excluded-protected"])).toEqual(["--excluded-protected"]);
});

test("every setting that a page sets is one", () => {
  const keys = ofPulumi
    .filter(({ words }) => words[1] === "config")
    .map((one) => [inPlace(one), one.words.slice(3).find((word) => !word.startsWith("-")) ?? ""] as const);
  expect(keys.length).toBeGreaterThan(10);
  const known = [...Object.keys(fields), "hcloud:token", "KEY", ""];
  expect(keys.filter(([, key]) => !known.includes(key.replace(/[.[].*$/, "")))).toEqual([]);
  // Another program has settings of its own.
  const given = ours
    .filter(({ words }) => !words.includes("--program"))
    .flatMap((one) =>
      one.words.flatMap((word, i) =>
        one.words[i - 1] === "--set" ? [[inPlace(one), word.split("=")[0]!] as const] : [],
      ),
    );
  expect(given.filter(([, key]) => ![...known, "key"].includes(key))).toEqual([]);
});

test("docs/outputs.md has every output, and every output that a page asks for is one", async () => {
  const { outputs } = await runProgram({
    settings: {
      metrics: { networks: [], rotateToken: "" },
      backup,
      greenlight: { admin: { name: "A", email: "a@b.eu" } },
    },
  });
  const { text } = readPages().find(({ path }) => path === "docs/outputs.md")!;
  const listed = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect([...listed].sort()).toEqual(Object.keys(outputs).sort());
  const asked = ofPulumi
    .filter(({ words }) => words[1] === "stack" && words[2] === "output")
    .map((one) => [inPlace(one), one.words[3] ?? "NAME"] as const);
  expect(asked.filter(([, name]) => ![...listed, "NAME"].includes(name))).toEqual([]);
});
