import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { drill, type Drilled, type DrillOptions } from "../../../operator/backup/drill";
import type { Server } from "../../../operator/backup/server";
import { SshServer } from "../../sandbox/engine/sshServer";
import { deployed } from "../check/deployed";
import { FakeWorld } from "../testServers/fakes";

const SECRET = "password-of-the-repository";
const night = {
  ...{ run: "run-1", at: 1_796_000_000, host: "bbb.school.eu", bytes: 7e9 },
  ...{ formats: { presentation: 2 }, formatBytes: null, greenlight: { users: 3 }, files: {} },
};
const found = {
  ...{ formats: { presentation: 2 }, formatBytes: {}, greenlight: { users: 3 }, files: {} },
  ...{ health: { ok: true, told: "success" }, page: { ok: true, told: "HTTP status 200" } },
};
const like = {
  ...{ domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] },
  greenlight: { smtp: { server: "mail.school.eu" } },
};

let ssh: SshServer;
let port: number;
let folder: string;
let world: FakeWorld;

beforeEach(async () => {
  ssh = new SshServer();
  port = await ssh.listen();
  folder = mkdtempSync(join(tmpdir(), "bbb-drill-"));
  world = new FakeWorld();
  mkdirSync(join(folder, "saved"));
  mkdirSync(join(folder, "test"));
  program("saved/drill.py", [
    "import os, sys",
    `if sys.argv[1] == "figures": print(${JSON.stringify(JSON.stringify({ settings: { password: SECRET }, night }))})`,
    `else: open(os.path.dirname(__file__) + "/noted", "w").write(sys.stdin.read())`,
  ]);
  restores(found);
});
afterEach(async () => {
  await ssh.close();
  rmSync(folder, { recursive: true });
});

const program = (name: string, lines: readonly string[]) =>
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
const read = (name: string) => readFileSync(join(folder, name), "utf8");
const noted = () => JSON.parse(read("saved/noted")) as object;

/** Has the test server's program say that this came back. */
function restores(what: object): void {
  program("test/drill.sh", [
    `cat >"$(dirname "$0")/request"; { echo "restoring"; echo '${JSON.stringify({ found: what })}'; } >&3`,
  ]);
}

const serverIn = (name: string): Server => ({
  access: { ...deployed.hosts.bbb, host: "127.0.0.1", port, user: "root", hostKey: ssh.hostKey.public },
  ...{ privateKey: ssh.userKey.private, folder: join(folder, name) },
});

const run = (more: Partial<DrillOptions> = {}): Promise<Drilled> =>
  drill(world, {
    ...{ saved: serverIn("saved"), like: () => Promise.resolve(like), set: {}, ttl: "3h", keep: false },
    connect: () => Promise.resolve(serverIn("test")),
    ...more,
  });

test("a test server gets the backup, the result is kept, and the server goes", async () => {
  const { rows, problems, testServer } = await run();
  expect(problems).toEqual([]);
  expect(rows.filter(({ ok }) => !ok)).toEqual([]);
  const stack = `test-${testServer}`;
  expect(testServer).toMatch(/^drill-/);
  expect(world.changed).toEqual([`up ${stack}`, `destroy ${stack}`, `remove ${stack}`]);
  expect(noted()).toEqual({ ok: true, run: "run-1", words: "" });
  const request = JSON.parse(read("test/request")) as { host: string };
  expect(request).toMatchObject({ settings: { password: SECRET }, night });
  expect(request.host).toMatch(/^bbb-[a-z0-9]{6}\.school\.eu$/);
  expect(world.said).toContain("restoring");
  expect(world.said.join("\n")).not.toContain(SECRET);
});

test("its settings: room for the recordings, Greenlight without mail, no secret of the repository", async () => {
  const { testServer } = await run({ keep: true });
  const { settings } = world.known.get(`test-${testServer}`)!;
  expect(settings).toMatchObject({
    environment: "test",
    acmeServer: "staging",
    recordingsGb: 13,
    greenlight: true,
  });
  expect(JSON.stringify(settings)).not.toMatch(/mail\.school|password-of/);
  expect(world.said).toContain(`the test server stays: scripts/test-server down ${testServer} removes it`);
});

test("it has the saved server's release, or the one that is asked for", async () => {
  const releaseOf = ({ testServer }: Drilled) => world.known.get(`test-${testServer}`)!.settings.release;
  expect(releaseOf(await run({ keep: true }))).toBeUndefined();
  expect(releaseOf(await run({ keep: true, set: { release: "noble-40" } }))).toBe("noble-40");
  const other = () =>
    Promise.resolve({ ...like, release: "noble-40", installerUrl: "https://example.org/40" });
  const settings = world.known.get(`test-${(await run({ keep: true, like: other })).testServer}`)!.settings;
  expect(settings).toMatchObject({ release: "jammy-30" });
  expect(settings).not.toHaveProperty("installerUrl");
});

test("a difference is told and kept, and the server goes all the same", async () => {
  restores({ ...found, greenlight: { users: 2 } });
  const { rows } = await run();
  expect(rows.filter(({ ok }) => !ok)).toEqual([
    { what: "Greenlight: users", saved: "3", restored: "2", ok: false },
  ]);
  expect(noted()).toEqual({ ok: false, run: "run-1", words: "Greenlight: users: 2 of 3" });
  expect(world.known.size).toBe(0);
});

test("a restore that fails is told with its last line, kept, and the server goes", async () => {
  program("test/drill.sh", [`echo "FAILED: there is no backup run-1" >&3; exit 1`]);
  const { rows, problems } = await run();
  expect([rows, problems]).toEqual([[], ["the restore: there is no backup run-1"]]);
  expect(noted()).toMatchObject({ ok: false, words: "the restore: there is no backup run-1" });
  expect(world.known.size).toBe(0);
});

test("a result that the saved server does not take is told, and the test server goes", async () => {
  program("saved/drill.py", [
    "import sys",
    `if sys.argv[1] == "note": sys.exit(1)`,
    `print(${JSON.stringify(JSON.stringify({ settings: {}, night }))})`,
  ]);
  expect((await run()).problems).toEqual([
    "the result is not kept for scripts/check: the server says why, above",
  ]);
  expect(world.known.size).toBe(0);
});

test("a test server that can't be made says nothing about the backup", async () => {
  const make = world.stacks.up.bind(world.stacks);
  world.stacks.up = (stack, settings) => {
    world.stubborn.set(stack, "sold out");
    return make(stack, settings).finally(() => world.stubborn.delete(stack));
  };
  const { problems } = await run();
  expect(problems).toEqual([expect.stringContaining("sold out") as string]);
  expect(noted).toThrow("ENOENT");
  expect(world.known.size).toBe(0);
});

test("without a backup nothing is made", async () => {
  program("saved/drill.py", [`import sys; print("FAILED: there is no whole backup yet"); sys.exit(1)`]);
  await expect(run()).rejects.toThrow("there is no whole backup yet");
  expect(world.changed).toEqual([]);
});
