import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { command } from "../../../sandbox/engine/drivers/command";
import type { Context, Kind } from "../../../sandbox/engine/driver";
import { ARCHIVE, ASSET, hashAssets, SIGNATURE, UNKNOWN, type Values } from "../../../sandbox/engine/wire";
import { keyPair, SshServer } from "./sshServer";
import { Workbench } from "./support";

const kind = command.kinds["command:remote:Command"] as Kind;
let server: SshServer;
let port: number;
let lines: string[];

beforeEach(async () => {
  server = new SshServer();
  lines = [];
  port = await server.listen();
});
afterEach(() => server.close());

function context(timeoutMs?: number): Context {
  return {
    env: {},
    config: {},
    projectDir: ".",
    name: "step",
    log: (line) => lines.push(line),
    timeout: timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs),
  };
}

function connection(more: Values = {}): Values {
  const { private: privateKey } = server.userKey;
  const hostKey = server.hostKey.public;
  return {
    host: "127.0.0.1",
    port,
    user: "root",
    privateKey,
    hostKey,
    dialErrorLimit: 0,
    ...more,
  };
}

const create = (inputs: Values, more: Values = {}, timeoutMs?: number) =>
  kind.create({ connection: connection(more), ...inputs }, context(timeoutMs));

describe("remote.Command", () => {
  test("runs create with its standard input, shows lines as they come, and keeps both outputs", async () => {
    const { id, outputs } = await create({
      create: "cat; echo to-stderr >&2; printf 'no end'",
      stdin: "one\ntwo\n",
    });
    expect(id).toMatch(/^step[0-9a-f]{8}$/);
    expect(outputs).toMatchObject({ stdout: "one\ntwo\nno end", stderr: "to-stderr" });
    expect([...lines].sort()).toEqual(["no end", "one", "to-stderr", "two"]);
  });

  test("an empty standard input is at its end", async () => {
    const { outputs } = await create({ create: "wc -c" });
    expect(outputs.stdout).toBe("0");
  });

  test.each([
    ["none", []],
    ["stdout", ["out"]],
    ["stderr", ["err"]],
  ])("logging %s", async (logging, shown) => {
    await create({ create: "echo out; echo err >&2", logging });
    expect(lines).toEqual(shown);
  });

  test("a failure has the status, the whole command and its output", async () => {
    const failing = create({ create: 'echo "so far"; exit 3' });
    await expect(failing).rejects.toThrow(
      'Process exited with status 3: running "echo \\"so far\\"; exit 3":\nso far\n',
    );
  });

  test("a command that a signal ends", async () => {
    await expect(create({ create: "kill -TERM $$" })).rejects.toThrow(
      /^Process exited with status 128 from signal TERM: running/,
    );
  });

  test("a connection that is cut", async () => {
    const running = create({ create: "sleep 30" });
    const ended = expect(running).rejects.toThrow(
      /^wait: remote command exited without exit status or exit signal: running "sleep 30"/,
    );
    while (server.commands.length === 0) await sleep(20);
    server.cut();
    await ended;
  });

  test("an update runs update, else create again; delete runs on the stored connection", async () => {
    const inputs = {
      connection: connection(),
      create: "echo made",
      update: "echo changed",
      delete: "echo gone",
    };
    const state = { id: "x", inputs, outputs: { ...inputs, stdout: "made", stderr: "" } };
    await expect(kind.update?.(state, inputs, context())).resolves.toMatchObject({ stdout: "changed" });
    const without = { ...inputs, update: null };
    await expect(kind.update?.(state, without, context())).resolves.toMatchObject({ stdout: "made" });
    await kind.delete?.(state, context());
    expect(server.commands).toEqual(["echo changed", "echo made", "echo gone"]);
  });

  test("a long output loses nothing", async () => {
    const { outputs } = await create({ create: "seq 1 50000" });
    expect(String(outputs.stdout).split("\n")).toHaveLength(50_000);
    expect(lines).toHaveLength(50_000);
  });
});

describe("dialling", () => {
  test("another host key than the pinned one is refused", async () => {
    const hostKey = keyPair().public;
    const failing = create({ create: "true" }, { hostKey, dialErrorLimit: 1 });
    await expect(failing).rejects.toThrow(
      "after 1 failed attempts: ssh: handshake failed: ssh: host key mismatch",
    );
    expect(server.commands).toEqual([]);
  });

  test("an unknown user key is refused", async () => {
    const failing = create({ create: "true" }, { privateKey: keyPair().private });
    await expect(failing).rejects.toThrow(
      /^after 0 failed attempts: ssh: handshake failed: ssh: unable to authenticate/,
    );
  });

  test("a closed port is tried dialErrorLimit times more", async () => {
    await server.close();
    const begun = Date.now();
    await expect(create({ create: "true" }, { port, dialErrorLimit: 3 })).rejects.toThrow(
      `after 3 failed attempts: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
    expect(Date.now() - begun).toBeGreaterThan(450);
    server = new SshServer();
    await server.listen();
  });

  test("without a limit it waits for the host to come, and only the timeout ends it", async () => {
    await server.close();
    await expect(create({ create: "true" }, { port, dialErrorLimit: -1 }, 800)).rejects.toThrow(
      "context deadline exceeded",
    );
    const { hostKey, userKey } = server;
    server = new SshServer();
    Object.assign(server, { userKey });
    const waiting = kind.create(
      { create: "echo up", connection: connection({ port, hostKey: null, dialErrorLimit: -1 }) },
      context(20_000),
    );
    setTimeout(() => void server.listen(port), 700);
    await expect(waiting).resolves.toMatchObject({ outputs: { stdout: "up" } });
    expect(hostKey).toBeDefined();
  });

  test("the timeout does not end a command that runs", async () => {
    await expect(create({ create: "sleep 4; echo late" }, {}, 3000)).resolves.toMatchObject({
      outputs: { stdout: "late" },
    });
  });

  test("a server that closes the connection after its greeting is tried again", async () => {
    const closing = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"));
    await new Promise<void>((done) => closing.listen(0, "127.0.0.1", done));
    closing.unref();
    const { port } = closing.address() as { port: number };
    const failing = create({ create: "true" }, { port, dialErrorLimit: 1 });
    await expect(failing).rejects.toThrow("after 1 failed attempts: ssh: handshake failed: EOF");
    closing.close();
  });

  test("a server that says nothing fails after perDialTimeout", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
    const { port } = silent.address() as { port: number };
    const failing = create({ create: "true" }, { port, perDialTimeout: 1 });
    await expect(failing).rejects.toThrow(`after 0 failed attempts: dial tcp 127.0.0.1:${port}: i/o timeout`);
    silent.close();
  });
});

describe("CopyToRemote", () => {
  test("copies files, folders and texts, and makes the folders on the way", async () => {
    const local = mkdtempSync(join(tmpdir(), "copy-"));
    mkdirSync(join(local, "tree/deep"), { recursive: true });
    writeFileSync(join(local, "tree/deep/file"), "deep\n");
    writeFileSync(join(local, "one"), "one\n");
    const copy = command.kinds["command:remote:CopyToRemote"] as Kind;
    const target = join(local, "remote");
    const read = (path: string) => readFileSync(join(target, path), "utf8");
    const send = async (source: Values, path: string) => {
      const inputs = {
        connection: connection(),
        source: hashAssets({ source }, local).source,
        remotePath: path,
      };
      return {
        inputs: inputs as Values,
        ...(await copy.create(inputs as Values, { ...context(), projectDir: local })),
      };
    };
    const asset = (more: Values) => ({ [SIGNATURE]: ASSET, ...more });
    await send(asset({ path: "one" }), join(target, "a/b/one"));
    await send(asset({ text: "text" }), join(target, "a/text"));
    await send({ ...asset({ path: "tree" }), [SIGNATURE]: ARCHIVE }, join(target, "a"));
    expect([read("a/b/one"), read("a/text"), read("a/tree/deep/file")]).toEqual(["one\n", "text", "deep\n"]);
    await expect(send(asset({ text: "text" }), join(target, "a"))).rejects.toThrow("is a directory");

    const state = await send(asset({ text: "again" }), join(target, "a/text"));
    const { connections } = server;
    await copy.update?.(state, { ...state.inputs, connection: connection({ perDialTimeout: 3 }) }, context());
    expect(server.connections).toBe(connections); // the fault: a new host gets no file
    rmSync(local, { recursive: true });
  });

  test("refuses a source that is not known yet, as 1.2.1 does", () => {
    const copy = command.kinds["command:remote:CopyToRemote"];
    expect(() => copy?.defaults?.({ source: UNKNOWN }, undefined, "x")).toThrow(
      "either asset or archive must be set",
    );
  });
});

describe("a program with steps", () => {
  const program = (step: string, trigger: string) => `
    import * as command from "@pulumi/command";
    const config = new pulumi.Config();
    const connection = config.getSecretObject<command.types.input.remote.ConnectionArgs>("connection") as any;
    const a = new command.remote.Command("a", {
      connection, create: "${step}", stdin: pulumi.secret("hush"), triggers: ["${trigger}"], addPreviousOutputInEnv: false,
      delete: "echo undone",
    }, { additionalSecretOutputs: ["stdout"] });
    export const stdout = a.stdout;
    export const stderr = a.stderr;
  `;
  let bench: Workbench;
  afterEach(() => bench.close());

  test("opens no connection when nothing changed, runs again when something did, and keeps secrets", async () => {
    bench = new Workbench(program("cat; echo; echo one", "1"));
    bench.config = { connection: connection() };
    expect((await bench.preview()).output).toMatch(/stderr: \[unknown\]/);
    expect(server.connections).toBe(0);
    const first = await bench.up();
    expect(first.output).toContain("    a: one\n");
    expect(bench.text()).not.toContain("hush");
    expect(bench.text()).not.toContain("PRIVATE KEY");
    expect(server.connections).toBe(1);
    expect((await bench.up()).summary).toMatchObject({ unchanged: 2 });
    expect(server.connections).toBe(1);

    bench.program(program("echo two", "1"));
    const seen = await bench.preview();
    expect(seen.summary).toMatchObject({ updated: 1 });
    expect(seen.output).toMatch(/stderr: \[unknown\]/);
    expect((await bench.up()).summary).toMatchObject({ updated: 1 });
    await expect(bench.outputs(true)).resolves.toEqual({ stdout: "two", stderr: "" });
    bench.program(program("echo two", "2"));
    expect((await bench.up()).summary).toMatchObject({ replaced: 1 });
    expect(server.commands).toEqual(["cat; echo; echo one", "echo two", "echo two", "echo undone"]);
  });

  test("a step that fails leaves no resource, and runs again next time", async () => {
    bench = new Workbench(program("exit 7", "1"));
    bench.config = { connection: connection() };
    const { errors } = await bench.up();
    expect(errors).toEqual([expect.stringMatching(/^Process exited with status 7: running "exit 7":/)]);
    expect(bench.resource("a")).toBeUndefined();
    bench.program(program("echo fine", "1"));
    expect((await bench.up()).summary).toMatchObject({ created: 1, unchanged: 1 });
  });
});
