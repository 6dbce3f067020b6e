import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { signedApiUrl } from "../../../bigbluebutton/api";
import { REQUEST_LOG } from "../../../sandbox/paths";
import { accountObjects, projectNow, references } from "../support/account";
import { page } from "../support/checks";
import { identity, STATE, status } from "../support/hosts";
import { killWhen } from "../support/kill";
import { plantRecordings, recordingSums } from "../support/recordings";
import { must, OF_STAGING, outputs, outside, sandbox, update, type Result } from "../support/sandbox";

/** Test servers that come and go, beside a staging stack that must not change. */

const argumentsOf = (args: readonly string[]) => ["operator", "testServer", ...args, "--sandbox"];

/** `scripts/test-server ARGS… --sandbox`, as its shim starts it. */
const run = (...args: string[]): Promise<Result> => sandbox(argumentsOf(args));

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await run(...args, "--json");
  if (code !== 0) throw new Error(`test-server ${args.join(" ")}: exit code ${code}\n${stderr}`);
  return JSON.parse(stdout) as T;
}

interface Server {
  readonly name: string;
  readonly stack: string;
  readonly state: string;
  readonly url: string;
  readonly hosts: readonly [string, string];
  readonly expires: string;
}

interface Reaped {
  readonly clean: boolean;
  readonly servers: readonly { readonly stack: string; readonly outcome: string }[];
  readonly orphans: readonly { readonly type: string; readonly stack: string; readonly removed: boolean }[];
  readonly kept: readonly string[];
}

const list = async () =>
  Object.fromEntries((await json<Server[]>("list")).map((server) => [server.name, server]));

async function until(time: number): Promise<void> {
  while (Date.now() < time) await sleep(Math.min(time - Date.now() + 1, 1000));
}

const exists = (kind: string, stack: string) =>
  Object.values(projectNow()[kind] ?? {}).some(
    (one) => (one.labels as Record<string, string>).stack === stack,
  );

/** Changes that the cloud was asked for since then: "PUT /servers/17". */
function changesSince(offset: number): string[] {
  const lines = readFileSync(REQUEST_LOG, "utf8").slice(offset).trim().split("\n").filter(Boolean);
  return lines
    .map((line) => JSON.parse(line) as { method: string; path: string; mutating: boolean })
    .filter(({ mutating }) => mutating)
    .map(({ method, path }) => `${method} ${path}`);
}

/** Facts by which staging would show a change. */
async function ofStaging(): Promise<unknown> {
  return {
    objects: (await accountObjects()).filter(({ labels }) => labels.stack === "staging"),
    hosts: await Promise.all([identity(OF_STAGING.bbb), identity(OF_STAGING.turn)]),
    recordings: await recordingSums(OF_STAGING.bbb),
  };
}

async function meeting(stack: string, call: "create" | "end", id: string): Promise<void> {
  const { apiUrl, sharedSecret } = await outputs(["--stack", stack]);
  const parameters = { meetingID: id, name: id, attendeePW: "a", moderatorPW: "m", password: "m" };
  const { stdout } = await outside(["curl", "-sS", signedApiUrl(apiUrl, call, parameters, sharedSecret)]);
  expect(stdout).toContain("SUCCESS");
}

let staging: unknown;
/** Time at which all but the lasting one have expired. */
let expired: number;

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded", ["--stack", "staging"]);
  await plantRecordings(OF_STAGING.bbb);
  staging = await ofStaging();
});

afterEach(async () => expect(await ofStaging()).toEqual(staging));

test("three of them, two at once, each with names and an address of its own", async () => {
  const both = await Promise.all(["a", "b"].map((name) => json<Server>("up", "--name", name, "--ttl", "5m")));
  const servers = [...both, await json<Server>("up", "--name", "c")];
  expired = Math.max(...both.map(({ expires }) => Date.parse(expires)));
  expect(new Set(servers.flatMap(({ hosts }) => hosts)).size).toBe(6);
  for (const { name, stack, state, url, hosts } of servers) {
    expect([stack, state, url]).toEqual([`test-${name}`, "up", `https://${hosts[0]}`]);
    expect(await page(url)).toMatchObject({ status: "200 0" });
  }
  const listed = await list();
  expect(Object.keys(listed).sort()).toEqual(["a", "b", "c"]);
  expect(listed.c).toMatchObject({ state: "up", stack: "test-c", url: servers[2]!.url, release: "jammy-30" });
});

test("everything of theirs bears project, stack and expiry", async () => {
  const objects = (await accountObjects()).filter(({ labels }) => labels.stack !== "staging");
  // Two servers each, with their addresses, firewalls and records, and a key.
  expect(objects).toHaveLength(3 * (2 + 4 + 2 + 3 + 1));
  const listed = await list();
  for (const { name, labels } of objects) {
    const { expires } = listed[labels.stack!.slice("test-".length)]!;
    expect([name, labels]).toEqual([
      name,
      expect.objectContaining({ project: "bigbluebutton", expires: String(Date.parse(expires) / 1000) }),
    ]);
  }
});

test("one is extended: its labels change, and no server hears of it", async () => {
  const { c } = await list();
  const offset = readFileSync(REQUEST_LOG, "utf8").length;
  const before = (await status()).hosts.map(({ name, sshConnections }) => [name, sshConnections]);
  const { expires } = await json<Server>("extend", "c", "--ttl", "2h");
  expect(Date.parse(expires) - Date.parse(c!.expires)).toBe(2 * 3_600_000);
  const changes = changesSince(offset);
  expect(changes).toHaveLength(2 + 4 + 2 + 3 + 1);
  expect(
    changes.filter((change) => !/^PUT [^?]*\/(servers|primary_ips|firewalls|ssh_keys|rrsets)\//.test(change)),
  ).toEqual([]);
  expect((await status()).hosts.map(({ name, sshConnections }) => [name, sshConnections])).toEqual(before);
  const own = (await accountObjects()).filter(({ labels }) => labels.stack === "test-c");
  expect(new Set(own.map(({ labels }) => labels.expires))).toEqual(
    new Set([String(Date.parse(expires) / 1000)]),
  );
});

test("one with meetings goes down by force only", async () => {
  await meeting("test-c", "create", "one");
  await meeting("test-c", "create", "two");
  const refused = await run("down", "c", "--yes");
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(/^error: 2 meetings are running on c: add --force/m);
  expect((await list()).c).toMatchObject({ state: "up" });
});

describe("killed while they are made", () => {
  const up = (name: string) => argumentsOf(["up", "--name", name, "--ttl", "5m"]);

  test("while addresses are made, while servers are, and while BigBlueButton is installed", async () => {
    await killWhen(up("k1"), () => exists("primaryIps", "test-k1"));
    await killWhen(up("k2"), () => exists("servers", "test-k2"));
    await killWhen(up("k3"), (output) => /Install BigBlueButton.*started/.test(output));
    const listed = await list();
    expired = Math.max(expired, ...["k1", "k2", "k3"].map((name) => Date.parse(listed[name]!.expires)));
    for (const name of ["k1", "k2", "k3"]) expect(["failed", "expired"]).toContain(listed[name]!.state);
  });

  test("one of them is gone on with, and comes up", async () => {
    const { k2 } = await list();
    const made = await json<Server>("up", "--name", "k2", "--ttl", "5m");
    expired = Math.max(expired, Date.parse(made.expires));
    expect(Date.parse(made.expires)).toBeGreaterThan(Date.parse(k2!.expires));
    expect(await page(made.url)).toMatchObject({ status: "200 0" });
  });
});

test("what has expired goes by two reaps at once, all of it, and nothing else", async () => {
  await until(expired + 2000);
  const listed = await list();
  const due = Object.values(listed).filter(({ state }) => state === "expired");
  expect(due.map(({ name }) => name).sort()).toEqual(["a", "b", "k1", "k2", "k3"]);
  const results = await Promise.all([1, 2].map(() => run("reap", "--yes", "--json")));
  expect(results.map(({ code, stderr }) => [code, code === 0 ? "" : stderr])).toEqual([
    [0, ""],
    [0, ""],
  ]);
  const outcomes = results.flatMap(({ stdout }) => (JSON.parse(stdout) as Reaped).servers);
  for (const { stack } of due) {
    expect(outcomes).toContainEqual({ name: stack.slice("test-".length), stack, outcome: "removed" });
  }
  expect(outcomes.every(({ outcome }) => ["removed", "gone"].includes(outcome))).toBe(true);
  expect(Object.keys(await list())).toEqual(["c"]);
  expect(new Set((await accountObjects()).map(({ labels }) => labels.stack))).toEqual(
    new Set(["staging", "test-c"]),
  );
});

test("one whose state is lost is found by its labels, and removed when told", async () => {
  await killWhen(argumentsOf(["up", "--name", "lost"]), () => exists("servers", "test-lost"));
  for (const file of ["stacks/test-lost.json", "test-lost.settings.json", "test-lost.cloud"]) {
    rmSync(join(STATE, "stacks", file), { force: true });
  }
  const states = join(STATE, "stacks/pulumi/.pulumi/stacks/bigbluebutton");
  rmSync(join(states, "test-lost.json"), { force: true });
  expect((await list()).lost).toMatchObject({ state: "orphaned" });
  const left = async () =>
    references((await accountObjects()).filter(({ labels }) => labels.stack === "test-lost"));
  const objects = await left();
  expect(objects.length).toBeGreaterThan(5);

  const told = await run("reap", "--orphans", "--remove");
  expect(told.code).toBe(2);
  expect(told.stderr).toMatch(/^error: Remove .*add --yes$/m);
  expect(await left()).toEqual(expect.arrayContaining(objects));

  const { orphans, kept } = JSON.parse(
    (await run("reap", "--orphans", "--remove", "--yes", "--json")).stdout,
  ) as Reaped;
  const lost = orphans.filter(({ stack }) => stack === "test-lost");
  expect(lost.length).toBeGreaterThanOrEqual(objects.length);
  expect(lost.every(({ removed }) => removed)).toBe(true);
  expect(kept).toEqual(["staging"]);
  expect(await left()).toEqual([]);
});

test("a reap with nothing to do says so", async () => {
  expect(await json<Reaped>("reap", "--orphans")).toEqual({
    clean: true,
    servers: [],
    orphans: [],
    orphansUnseen: 0,
    kept: ["staging"],
  });
});

test("the one with meetings goes by force, and nothing is left at the cloud but staging", async () => {
  const { code, stdout } = await run("down", "c", "--force", "--yes");
  expect([code, stdout]).toEqual([0, "c: removed\n"]);
  expect(await list()).toEqual({});
  expect(references((await accountObjects()).filter(({ labels }) => labels.stack !== "staging"))).toEqual([]);
  expect((await status()).hosts.flatMap(({ names }) => names).sort()).toEqual(
    [OF_STAGING.bbb, OF_STAGING.turn].sort(),
  );
});
