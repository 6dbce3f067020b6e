/** The start of the program under the sandbox's engine, as Pulumi.yaml has it, with clouds that answer at once. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Writable } from "node:stream";

import { preview } from "../sandbox/engine";
import type { Driver, Kind } from "../sandbox/engine/driver";
import type { Values } from "../sandbox/engine/wire";

const PROJECT = join(__dirname, "..");
const SETTINGS = { domain: "school.eu", email: "a@school.eu", sshNetworks: ["198.51.100.0/24"] };
const POOL = { ...SETTINGS, servers: 3, meetings: { recording: "never" } };

let directory: string;
let single: string[];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "start-"));
  single = await loadedFor(SETTINGS);
});
afterAll(() => rmSync(directory, { recursive: true }));

test("a single server's start loads nothing of pools, of another cloud, or of a session over SSH", async () => {
  const others =
    /^(components\/(pool|balancer|poolRequest)|clouds\/(aws|hetzner\/storageBox)|steps\/(ssh|keptCertificate)|node_modules\/(@pulumi\/aws|ssh2))\b/;
  expect(single.filter((file) => others.test(file))).toEqual([]);
  expect(single).toEqual(expect.arrayContaining(["components/deployment.ts", "clouds/hetzner/host.ts"]));
  const pool = await loadedFor(POOL);
  expect(pool).toEqual(expect.arrayContaining(["components/pool.ts", "components/balancer.ts"]));
});

test("a start loads of the SDK's packages neither compiler, npm nor source maps, which alone are 500 modules", () => {
  const needless = /^node_modules\/(typescript|@npmcli|pacote|@sigstore|source-map)\b/;
  expect(single.filter((file) => needless.test(file))).toEqual([]);
  expect(single.length).toBeGreaterThan(500);
  expect(single.length).toBeLessThan(1150);
});

test("what is loaded later is whole, and a stack has three lines, without source maps", () => {
  const program = `
    const sdk = require("node:module").createRequire(require.resolve("@pulumi/pulumi"));
    const usual = Error.prepareStackTrace;
    sdk("source-map-support/register");
    const tell = (value) => console.log(JSON.stringify(value));
    tell([new Error("told").stack.split("\\n").length, Error.prepareStackTrace === usual]);
    tell(sdk("@npmcli/arborist").Arborist.name);
    const { runtime } = require("@pulumi/pulumi");
    const six = 6;
    runtime.serializeFunction(() => six * 7).then(({ text }) => tell(text.includes("six * 7")));`;
  const load = ["./scripts/lib/load.cjs", "./scripts/lib/sdk.cjs"].flatMap((file) => ["--require", file]);
  const said = execFileSync(process.execPath, [...load, "--eval", program], {
    cwd: PROJECT,
    encoding: "utf8",
  });
  expect(said.trim().split("\n")).toEqual(["[4,true]", '"Arborist"', "true"]);
});

/**
 * Files that a preview's program has loaded at its end, without those that only stand in for one, and without what makes
 * JavaScript of a file that has changed.
 */
async function loadedFor(config: Record<string, unknown>): Promise<string[]> {
  const list = join(directory, "loaded.json");
  const record = join(directory, "record.cjs");
  writeFileSync(
    record,
    `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(list)},
       JSON.stringify(Object.values(require.cache).flatMap(({ filename }) => filename ?? []))));`,
  );
  const before = process.env.NODE_OPTIONS;
  process.env.NODE_OPTIONS = `--require ${record}`;
  const out = new Writable({ write: (_chunk, _encoding, done) => done() });
  const [stack, stateDir] = ["start", join(directory, "state")];
  try {
    await preview({
      projectDir: PROJECT,
      stack,
      config,
      env: {},
      stateDir,
      engine: "embedded",
      out,
      drivers,
    });
  } finally {
    process.env.NODE_OPTIONS = before;
  }
  return (JSON.parse(readFileSync(list, "utf8")) as string[])
    .map((file) => relative(PROJECT, file))
    .filter((file) => !file.startsWith("node_modules/sucrase/"));
}

const kind: Kind = { create: () => Promise.reject(new Error("a preview makes nothing")) };
const answers: Record<string, (args: Values) => Values> = {
  getLocation: ({ name }) => ({ id: 1, name: name! }),
  getServerType: ({ name }) => ({ name: name!, locations: [{ name: "fsn1", available: true }] }),
  getZone: ({ name }) => ({ id: 7, name: name!, ttl: 3600, mode: "primary" }),
  getZoneRrsets: () => ({ rrsets: [] }),
  getServers: () => ({ servers: [] }),
  getPrimaryIps: () => ({ primaryIps: [] }),
};
const driver: Driver = {
  version: "1.0.0",
  kinds: new Proxy({}, { get: () => kind }),
  invokes: new Proxy(
    {},
    {
      get: (_, token) => (args: Values) => Promise.resolve(answers[String(token).split(":").at(-1)!]!(args)),
    },
  ),
};
const drivers = { command: driver, hcloud: driver, random: driver, tls: driver };
