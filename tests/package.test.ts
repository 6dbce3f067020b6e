/** The package that other programs import, as `npm pack` makes it. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { credentials } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { GetSchemaRequest } from "@pulumi/pulumi/proto/provider_pb";

import { fields } from "../settings/fields";

jest.setTimeout(300_000);

const PROJECT = resolve(__dirname, "..");
const MODULES = join(PROJECT, "node_modules");
const NAME = "bigbluebutton-pulumi";

/** An empty program's folder, into which the package is installed. */
const program = mkdtempSync(join(tmpdir(), "program-"));
let packed: readonly string[];

const tsc = (folder: string) => {
  try {
    return execFileSync(process.execPath, [join(MODULES, "typescript/bin/tsc"), "-p", folder], {
      encoding: "utf8",
    });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
};

beforeAll(() => {
  execFileSync("npm", ["pack", "--pack-destination", program], { cwd: PROJECT, stdio: "pipe" });
  const tarball = readdirSync(program).find((name) => name.endsWith(".tgz"))!;
  const installed = join(program, "node_modules", NAME);
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", join(program, tarball), "--strip-components=1", "-C", installed]);
  packed = execFileSync("tar", ["-tzf", join(program, tarball)], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.replace(/^package\//, ""));
  // What npm would fetch, from where it is.
  for (const name of readdirSync(MODULES).filter((name) => !name.startsWith("."))) {
    symlinkSync(join(MODULES, name), join(program, "node_modules", name));
  }
});
afterAll(() => rmSync(program, { recursive: true, force: true }));

test("it holds the components and the hosts' scripts, and nothing of tests, sandbox or operator", () => {
  expect(packed).toEqual(
    expect.arrayContaining(["dist/package.js", "dist/package.d.ts", "dist/scripts/host/step"]),
  );
  const rooms = new Set(packed.map((path) => /^dist\/([^/]+)\//.exec(path)?.[1]).filter((room) => room));
  expect([...rooms].sort()).toEqual([
    "bigbluebutton",
    "clouds",
    "components",
    "scripts",
    "settings",
    "steps",
  ]);
  expect(packed.filter((path) => /test|sandbox|operator\/|__pycache__/.test(path))).toEqual([]);
});

test("it takes the program's own SDK, from the version that it is tested with on", () => {
  const read = (path: string) =>
    JSON.parse(readFileSync(path, "utf8")) as Readonly<Record<string, Readonly<Record<string, string>>>>;
  const { dependencies, peerDependencies } = read(join(program, "node_modules", NAME, "package.json"));
  const { version } = read(join(MODULES, "@pulumi/pulumi/package.json"));
  expect(dependencies).not.toHaveProperty("@pulumi/pulumi");
  expect(peerDependencies).toEqual({ "@pulumi/pulumi": `^${String(version)}` });
  for (const folder of ["templates/bigbluebutton", "examples/ten-schools"]) {
    expect(read(join(PROJECT, folder, "package.json")).dependencies!["@pulumi/pulumi"]).toBe(version);
  }
});

describe("an empty program", () => {
  const use = (source: string) => {
    cpSync(join(PROJECT, "templates/bigbluebutton/tsconfig.json"), join(program, "tsconfig.json"));
    writeFileSync(join(program, "index.ts"), source);
    return tsc(program);
  };

  test("of the template is right by its types", () => {
    expect(use(readFileSync(join(PROJECT, "templates/bigbluebutton/index.ts"), "utf8"))).toBe("");
  });

  test("of the example is, too", () => {
    expect(use(readFileSync(join(PROJECT, "examples/ten-schools/index.ts"), "utf8"))).toBe("");
  });

  test("that lacks an argument, or has one that there is not, is not", () => {
    const errors = use(`
      import { BigBlueButton } from "${NAME}";
      new BigBlueButton("a", { domain: "example.org", email: "a@example.net" });
      new BigBlueButton("b", { domain: "example.org", email: "a@example.net", sshNetworks: [], saved: true });
    `);
    expect(errors).toContain("Property 'sshNetworks' is missing");
    expect(errors).toContain("'saved' does not exist in type 'BigBlueButtonArgs'");
  });

  test("finds the scripts that run on the hosts", () => {
    const read = `require("./node_modules/${NAME}/dist/steps/hostScripts").readScripts().map((one) => one.name).join()`;
    const found = execFileSync(process.execPath, ["-p", read], { cwd: program, encoding: "utf8" });
    const scripts = readdirSync(join(PROJECT, "scripts/host"), { withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    expect(found.trim().split(",")).toEqual(scripts.map(({ name }) => name).sort());
  });
});

test("`pulumi package add` finds both components, with every setting as an input", async () => {
  const { resources } = await schemaOfPlugin();
  const { [`${NAME}:index:BigBlueButton`]: school, [`${NAME}:index:SharedTurnServer`]: turn } = resources;
  expect(Object.keys(school!.inputProperties).sort()).toEqual([...Object.keys(fields), "turn"].sort());
  expect(Object.keys(school!.properties)).toEqual(expect.arrayContaining(["url", "sharedSecret", "check"]));
  expect(Object.keys(turn!.properties)).toContain("turnHost");
  expect(readFileSync(join(PROJECT, "PulumiPlugin.yaml"), "utf8")).toMatch(/^runtime:\n {2}name: nodejs$/m);
});

interface Schema {
  readonly resources: Readonly<
    Record<string, { readonly inputProperties: object; readonly properties: object }>
  >;
}

/**
 * Schema that the SDK's host of components makes of the project's folder, as the CLI starts it: in the folder of the
 * program that asks for it, where no tsconfig.json of this project's is found.
 */
async function schemaOfPlugin(): Promise<Schema> {
  const host = join(MODULES, "@pulumi/pulumi/cmd/run-plugin");
  const asking = mkdtempSync(join(tmpdir(), "asking-"));
  const child = spawn(process.execPath, [host, PROJECT, "127.0.0.1:1"], {
    cwd: asking,
    env: { ...process.env, PULUMI_NODEJS_TYPESCRIPT: "true" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const ended = once(child, "close").then(([code]) => {
      throw new Error(`the host of components ended with exit code ${String(code)}`);
    });
    const [port] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer];
    const client = new ResourceProviderClient(
      `127.0.0.1:${String(port).trim()}`,
      credentials.createInsecure(),
    );
    return await new Promise((done, failed) =>
      client.getSchema(new GetSchemaRequest(), (error, answer) =>
        error ? failed(error) : done(JSON.parse(answer.getSchema()) as Schema),
      ),
    );
  } finally {
    child.kill();
    rmSync(asking, { recursive: true, force: true });
  }
}

test("the API's pages are written without a warning", () => {
  const typedoc = join(MODULES, "typedoc/bin/typedoc");
  const result = execFileSync(process.execPath, [typedoc, "--emit", "none", "--logLevel", "Warn"], {
    cwd: PROJECT,
    encoding: "utf8",
  });
  expect(result).toBe("");
});
