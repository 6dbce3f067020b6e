import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer, type AddressInfo } from "node:net";

import type * as Pulumi from "@pulumi/pulumi";
import type { Client } from "ssh2";

import type { Standing } from "../../clouds/host";
import { converse } from "../../steps/converse";
import { explain, reach, type SshTarget } from "../../steps/waitForSsh";
import type * as WaitForSsh from "../../steps/waitForSsh";
import { keyPair, SshServer } from "../sandbox/engine/sshServer";

const TARGET: SshTarget = {
  fqdn: "bbb.example.org",
  address: "203.0.113.10",
  user: "root",
  server: "urn:pulumi:prod::bigbluebutton::hcloud:index/server:Server::bbb-host-server",
  settings: { project: "bigbluebutton", stack: "prod", sshNetworks: ["198.51.100.0/24"] },
};
const NOW = { silent: 0, otherKey: 0 };

let server: SshServer;
let port: number;
beforeEach(async () => {
  server = new SshServer();
  port = await server.listen();
});
afterEach(() => server.close());

const login = (changes: { hostKey?: string; privateKey?: string; port?: number } = {}) => ({
  host: "127.0.0.1",
  port,
  user: "root",
  hostKey: server.hostKey.public,
  privateKey: server.userKey.private,
  ...changes,
});
const told = (of: ReturnType<typeof login>, patience = NOW) =>
  reach(of, patience, (reason) => explain(TARGET, reason));

test("a host that lets us in is asked once, and nothing is run there", async () => {
  await told(login());
  expect(server.connections).toBe(1);
  expect(server.commands).toEqual([]);
});

test("what is to be done there is done before it is left, and its failure is told as it is", async () => {
  let ended = false;
  const onReached = async (client: Client) => {
    client.on("close", () => (ended = true));
    expect(await converse(client, "cat >&2; exit 3", { input: "said" })).toEqual({ code: 3, stderr: "said" });
    expect(ended).toBe(false);
    throw new Error("the disk is full");
  };
  const done = reach(login(), NOW, String, { onReached });
  await expect(done).rejects.toThrow(/^the disk is full$/);
  expect([server.connections, server.commands.length]).toEqual([1, 1]);
});

test("a server that the cloud no longer has is named at once; where it has it, that is asked once", async () => {
  await server.close();
  let asked = 0;
  const gone = () => {
    asked += 1;
    return Promise.reject(new Error("the server of bbb.example.org (4711) does not exist"));
  };
  // Longer than a test may take.
  const patient = { silent: 3600, otherKey: 0 };
  await expect(reach(login(), patient, String, { assertStands: gone })).rejects.toThrow(
    "(4711) does not exist",
  );
  const there = async () => void (asked += 1);
  const impatient = { silent: 3, otherKey: 0 };
  await expect(reach(login(), impatient, String, { assertStands: there })).rejects.toThrow("ECONNREFUSED");
  expect(asked).toBe(2);
});

test("one that does not listen yet is waited for", async () => {
  await server.close();
  const waiting = told(login(), { silent: 60, otherKey: 0 });
  await server.listen(port);
  await waiting;
  expect(server.connections).toBe(1);
});

test("another host key is put up with from when it is shown first, however late that is", async () => {
  await server.close();
  const waiting = told(login(), { silent: 7200, otherKey: 3000 });
  const now = Date.now;
  const clock = jest.spyOn(Date, "now").mockImplementation(() => now() + 3600_000);
  try {
    const other = new SshServer();
    await other.listen(port);
    // Who comes again has seen the key.
    while (other.connections < 2) await sleep(50);
    await other.close();
    await server.listen(port);
    await waiting;
  } finally {
    clock.mockRestore();
  }
});

test("another host key: who might be there, that nothing was sent, and how to have the server made anew", async () => {
  const error = told(login({ hostKey: keyPair().public }), { silent: 60, otherKey: 0 });
  await expect(error).rejects.toThrow(/^bbb\.example\.org \(203\.0\.113\.10\) shows another SSH host key/);
  await expect(error).rejects.toThrow(/nothing was sent to it/);
  await expect(error).rejects.toThrow(`pulumi up --replace '${TARGET.server}'`);
  expect(server.commands).toEqual([]);
});

test("a key that is refused: where it belongs", async () => {
  const error = told(login({ privateKey: keyPair().private }));
  await expect(error).rejects.toThrow(/refuses the login of root with this stack's key: authorized_keys/);
});

test("a program's component is told of its arguments and outputs, not of a stack's", () => {
  const component = { type: "BigBlueButton", name: "school-a" };
  const target = { ...TARGET, settings: { ...TARGET.settings, component } };
  const silent = explain(target, new Error("timed out"));
  expect(silent).toContain(`If not: sshNetworks[1]: "ADDRESS/32", then pulumi up.`);
  const refused = explain(target, Object.assign(new Error(), { level: "client-authentication" }));
  expect(refused).toMatch(
    /cloud's console: the output privateKey of BigBlueButton "school-a" has its private half$/,
  );
  expect(silent + refused).not.toMatch(/pulumi (config|stack)/);
});

test("no sshd: the server's console", async () => {
  await server.close();
  await expect(told(login())).rejects.toThrow(/refuses SSH: its sshd does not run/);
  port = await server.listen();
});

test("a connection that is closed between the greeting and the log-in, as by an sshd that restarts, is tried again", async () => {
  const closing = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n")).listen(0, "127.0.0.1");
  await once(closing, "listening");
  const { port } = closing.address() as AddressInfo;
  let tries = 0;
  closing.on("connection", () => (tries += 1));
  closing.unref();
  const error = told(login({ port }), { silent: 1, otherKey: 0 });
  await expect(error).rejects.toThrow("it closed the connection before the log-in");
  expect(tries).toBeGreaterThan(1);
  closing.close();
});

test("no answer: the setting, its value, and the commands", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  silent.once("connection", (socket) => socket.end());
  const error = told(login({ port }));
  await expect(error).rejects.toThrow(/does not answer SSH \(port 22: /);
  await expect(error).rejects.toThrow(/lets in 198\.51\.100\.0\/24 alone \(the setting sshNetworks\)/);
  await expect(error).rejects.toThrow("pulumi config set --path 'sshNetworks[1]' ADDRESS/32");
  silent.close();
});

describe("how long one is waited for", () => {
  /** Seconds until the check gives up, on a clock that only the check's own pauses turn. */
  async function patience(
    oldInputs: object | undefined,
    failure: "silent" | "other key",
    [standing, message]: readonly [Standing, RegExp] = ["there", /bbb\.example\.org/],
  ): Promise<number> {
    let now = 0;
    jest.resetModules();
    const paused = (milliseconds: number) => Promise.resolve(void (now += milliseconds));
    jest.doMock("node:timers/promises", () => ({ setTimeout: paused }));
    class OtherHostKey extends Error {}
    const error = failure === "silent" ? new Error("timed out") : new OtherHostKey("another");
    jest.doMock("../../steps/ssh", () => ({ OtherHostKey, connect: () => Promise.reject(error) }));
    let told: ((change: object) => Promise<void>) | undefined;
    jest.doMock("@pulumi/pulumi", () => ({
      ...jest.requireActual<object>("@pulumi/pulumi"),
      ResourceHook: jest.fn((_name: string, callback: typeof told) => {
        told = callback;
      }),
    }));
    const clock = jest.spyOn(Date, "now").mockImplementation(() => now);
    try {
      const { output } = jest.requireActual<typeof Pulumi>("@pulumi/pulumi");
      const { waitForSsh } = require("../../steps/waitForSsh") as typeof WaitForSsh; // eslint-disable-line @typescript-eslint/no-require-imports
      waitForSsh(
        "bbb",
        {
          fqdn: "bbb.example.org",
          connection: output({ host: "203.0.113.10", user: "root", privateKey: "", hostKey: "" }),
          server: { urn: output("urn"), id: output("1") },
          standing: () => Promise.resolve(standing),
        } as never,
        TARGET.settings,
      );
      await expect(told!({ oldInputs })).rejects.toThrow(message);
      return now / 1000;
    } finally {
      clock.mockRestore();
      jest.dontMock("node:timers/promises").dontMock("../../steps/ssh").dontMock("@pulumi/pulumi");
    }
  }

  test("a machine that was just made boots in five minutes, one that stood starts again in half of that", async () => {
    expect(await patience(undefined, "silent")).toBe(300);
    expect(await patience({}, "silent")).toBe(150);
  });

  test("one that is off, or is no more, is not waited for, and named with what to do", async () => {
    const off = /\(1\) is switched off at the cloud: if it is parked, \.\/scripts\/wake STACK brings it back/;
    expect(await patience({}, "silent", ["off", off])).toBe(0);
    expect(
      await patience({}, "silent", ["gone", /does not exist at the cloud any more.*pulumi refresh/]),
    ).toBe(0);
  });

  test("the image's own host key may come before ours for a minute, on a machine that was just made", async () => {
    expect(await patience(undefined, "other key")).toBe(60);
    expect(await patience({}, "other key")).toBe(5);
  });
});
