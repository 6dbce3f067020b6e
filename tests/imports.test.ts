import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const PROJECT = join(__dirname, "..");

/** Imports by the rule that forbids them. */
const planted: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> = {
  "bigbluebutton-imports": pairs(
    "bigbluebutton",
    "settings clouds steps components cli operator sandbox scripts",
  ),
  "settings-imports": pairs("settings", "clouds steps components cli operator sandbox scripts"),
  "clouds-imports": pairs("clouds", "steps components cli operator sandbox scripts"),
  "steps-imports": pairs("steps", "components cli operator sandbox scripts"),
  "components-imports": pairs("components", "cli operator sandbox scripts"),
  "cli-imports": pairs("cli", "clouds steps components operator sandbox scripts"),
  "sandbox-imports": pairs("sandbox", "clouds steps components operator scripts"),
  "operator-imports": pairs("operator", "scripts"),
  "scripts-imports": pairs("scripts", "clouds steps components cli operator sandbox"),
  "program-imports": [
    ...pairs("index.ts", "cli operator sandbox scripts"),
    ...pairs("package.ts", "cli operator sandbox scripts"),
  ],
  "nothing-imports-the-program": [
    ["components/program.ts", "index.ts"],
    ["sandbox/program.ts", "package.ts"],
  ],
  "nothing-imports-tests": [
    ["steps/tested.ts", "tests/support.ts"],
    ["sandbox/tested.ts", "tests/support.ts"],
  ],
  "one-door-to-the-sandbox": [["operator/check.ts", "sandbox/thing.ts"]],
  "bigbluebutton-is-pure": [
    ["bigbluebutton/engine.ts", "@pulumi/pulumi"],
    ["bigbluebutton/shell.ts", "ssh2"],
  ],
  "clouds-behind-the-seam": [
    ["components/atHetzner.ts", "clouds/hetzner/thing.ts"],
    ["index.ts", "clouds/aws/thing.ts"],
  ],
  "clouds-apart": [["clouds/hetzner/neighbour.ts", "clouds/aws/thing.ts"]],
  "hooks-ask-no-provider": [["clouds/hetzner/parked.ts", "@pulumi/hcloud"]],
  "no-circles": [["steps/egg.ts", "steps/hen.ts"]],
  "no-circles-in-the-sandbox": [["sandbox/egg.ts", "sandbox/hen.ts"]],
  "known-rooms": [["attic/thing.ts", "settings/thing.ts"]],
  "packages-of-operators": [
    ["operator/tested.ts", "fastify"],
    ["components/unlisted.ts", "left-out"],
  ],
};

/** Other halves of the circles, which are reported once. */
const halves: readonly (readonly [from: string, to: string])[] = [
  ["steps/hen.ts", "steps/egg.ts"],
  ["sandbox/hen.ts", "sandbox/egg.ts"],
];

/** Imports that no rule forbids. */
const allowed: readonly (readonly [from: string, to: string])[] = [
  ...pairs("index.ts", "components steps clouds settings bigbluebutton"),
  ...pairs("components", "steps clouds settings bigbluebutton"),
  ...pairs("operator", "cli clouds"),
  ...pairs("cli", "settings bigbluebutton"),
  ...pairs("sandbox", "cli settings bigbluebutton"),
  ["operator/plan/program.ts", "index.ts"],
  ["operator/sandboxStacks.ts", "sandbox/thing.ts"],
  ["sandbox/server.ts", "fastify"],
  ["tests/support.ts", "sandbox/thing.ts"],
  ["clouds/index.ts", "clouds/hetzner/thing.ts"],
  ["clouds/hetzner/host.ts", "@pulumi/hcloud"],
];

function pairs(from: string, rooms: string): [from: string, to: string][] {
  return rooms
    .split(" ")
    .map((room) => [from.endsWith(".ts") ? from : `${from}/to-${room}.ts`, `${room}/thing.ts`]);
}

interface Told {
  readonly violations: readonly {
    readonly from: string;
    readonly to: string;
    readonly rule: { name: string };
  }[];
  readonly rules: readonly string[];
}

/** Report of dependency-cruiser about a tree with the project's rules. */
function cruise(tree: Readonly<Record<string, string>>): Told {
  const directory = mkdtempSync(join(tmpdir(), "imports-"));
  try {
    for (const [name, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
    const output = execFileSync(
      process.execPath,
      [
        join(PROJECT, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs"),
        ...["--config", join(PROJECT, ".dependency-cruiser.mjs"), "--output-type", "json", "."],
      ],
      { cwd: directory, encoding: "utf8", maxBuffer: 100_000_000 },
    );
    const { summary } = JSON.parse(output) as {
      summary: { violations: Told["violations"]; ruleSetUsed: { forbidden: readonly { name: string }[] } };
    };
    return { violations: summary.violations, rules: summary.ruleSetUsed.forbidden.map(({ name }) => name) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Files with these imports, and the packages that they name. */
function treeOf(imports: readonly (readonly [from: string, to: string])[]): Record<string, string> {
  const tree: Record<string, string> = {
    "package.json": JSON.stringify({
      dependencies: { "@pulumi/pulumi": "1", "@pulumi/hcloud": "1", ssh2: "1" },
      devDependencies: { fastify: "1" },
    }),
    "tsconfig.json": JSON.stringify({ compilerOptions: { module: "node16", moduleResolution: "node16" } }),
  };
  for (const name of ["@pulumi/pulumi", "@pulumi/hcloud", "ssh2", "fastify", "left-out"]) {
    tree[`node_modules/${name}/package.json`] = JSON.stringify({ name, version: "1.0.0", main: "index.js" });
    tree[`node_modules/${name}/index.js`] = "module.exports = {};";
  }
  for (const [from, to] of imports) {
    const isFile = to.endsWith(".ts");
    const up = "../".repeat(from.split("/").length - 1) || "./";
    const specifier = isFile ? `${up}${to.replace(/\.ts$/, "")}` : to;
    tree[from] = `${tree[from] ?? ""}import "${specifier}";\n`;
    if (isFile) tree[to] ??= "export {};\n";
  }
  return tree;
}

const shown = (rule: string, from: string, to: string): string => `${rule}: ${from} → ${to}`;

test("each rule tells an import that it forbids", () => {
  const { violations, rules } = cruise(treeOf([...Object.values(planted).flat(), ...halves]));
  expect(Object.keys(planted).sort()).toEqual([...rules].sort());
  const told = violations.map(({ rule, from, to }) =>
    shown(rule.name, from, to.replace(/^node_modules\/(.*)\/index\.js$/, "$1")),
  );
  const expected = Object.entries(planted).flatMap(([rule, imports]) =>
    imports.map(([from, to]) => shown(rule, from, to)),
  );
  expect(expected.filter((one) => !told.includes(one))).toEqual([]);
});

test("what the rooms may import is told by none", () => {
  expect(cruise(treeOf(allowed)).violations).toEqual([]);
});

test("types may be imported in a circle inside of the sandbox, and nowhere else", () => {
  const circle = (room: string) => ({
    [`${room}/hen.ts`]: 'import type { Egg } from "./egg";\nexport interface Hen { lays: Egg }\n',
    [`${room}/egg.ts`]: 'import type { Hen } from "./hen";\nexport interface Egg { from: Hen }\n',
  });
  const { violations } = cruise({ ...treeOf([]), ...circle("sandbox"), ...circle("clouds") });
  expect(violations.map(({ rule, from }) => `${rule.name}: ${from}`)).toEqual(["no-circles: clouds/egg.ts"]);
});

test("settings/ alone reads the configuration", () => {
  const program = [
    'import * as pulumi from "@pulumi/pulumi";',
    "export const read = new pulumi.Config();",
    "export const all = pulumi.runtime.allConfig();",
    "",
  ].join("\n");
  const lint = [
    'import { ESLint } from "eslint";',
    'import tseslint from "typescript-eslint";',
    // Types take long to load, and nothing here asks for them.
    'const untyped = { rules: { "@pulumi/no-output-in-template-literal": "off" } };',
    "const eslint = new ESLint({ overrideConfig: [tseslint.configs.disableTypeChecked, untyped] });",
    "const [text, ...files] = process.argv.slice(1);",
    "for (const filePath of files) {",
    "  const [{ messages }] = await eslint.lintText(text, { filePath });",
    "  for (const { line, ruleId } of messages) console.log(`${filePath}:${line} ${ruleId}`);",
    "}",
  ].join("\n");
  const told = execFileSync(
    process.execPath,
    [
      ...["--input-type", "module", "--eval", lint, "--", program],
      ...["components/thing.ts", "settings/thing.ts", "sandbox/thing.ts"],
    ],
    { cwd: PROJECT, encoding: "utf8" },
  );
  expect(told.trim().split("\n")).toEqual([
    "components/thing.ts:2 no-restricted-syntax",
    "components/thing.ts:3 no-restricted-syntax",
    "sandbox/thing.ts:2 no-restricted-syntax",
    "sandbox/thing.ts:3 no-restricted-syntax",
  ]);
});
